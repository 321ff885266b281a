//! One field of a body: what its type is, and what follows from it.

use proc_macro2::{TokenStream, TokenTree};
use quote::{format_ident, quote};
use syn::{
    Attribute, Expr, ExprMacro, Field, GenericArgument, Ident, Meta, PathArguments, Result, Type,
    ext::IdentExt, parse_quote,
};

/// The types that say themselves what they may be.
const VALUES: &[&str] = &[
    "Checked",
    "Color",
    "Country",
    "CronExpression",
    "Email",
    "HttpUrl",
    "Id",
    "IsoDuration",
    "JsonPointer",
    "Key",
    "Language",
    "Line",
    "NonBlank",
    "PhoneNumber",
    "PicklistKey",
    "PlainLine",
    "Secret",
    "Text",
    "Valid",
    "ZoneName",
];
/// What may stand around them.
const AROUND: &[&str] = &["Option", "Vec", "Patch", "Replace"];

/// What is derived for the struct, and so can be told about its fields.
#[expect(clippy::struct_excessive_bools, reason = "each says of one derive whether it is there")]
pub struct Traits {
    /// `Validate`.
    pub validates: bool,
    /// `ToSchema`.
    pub is_described: bool,
    /// `Serialize`, beside `Deserialize`.
    pub is_kept: bool,
    /// Not derived: serde takes what is left out from the default of the whole.
    pub has_default: bool,
}

/// Adds to a field what follows from its type; the function that describes it, if its type does.
pub fn complete(field: &mut Field, traits: &Traits) -> Result<Option<TokenStream>> {
    let is_value = is_value(&field.ty);
    let outer = outermost(&field.ty).map(ToString::to_string).unwrap_or_default();
    let may_be_left_out = matches!(outer.as_str(), "Patch" | "Replace");
    if traits.validates && outer == "Replace" {
        field
            .attrs
            .push(parse_quote!(#[validate(custom(function = crate::kernel::patch::Replace::not_null))]));
    }
    if traits.validates && is_value {
        field.attrs.push(parse_quote!(#[validate(nested)]));
    }
    if may_be_left_out && !traits.has_default && !says(field, "serde", "default")? {
        field.attrs.push(parse_quote!(#[serde(default)]));
    }
    if may_be_left_out && traits.is_kept {
        let is_absent = format!("crate::kernel::patch::{outer}::is_absent");
        field.attrs.push(parse_quote!(#[serde(skip_serializing_if = #is_absent)]));
    }
    if !traits.is_described || says(field, "schema", "schema_with")? || says(field, "schema", "value_type")? {
        Ok(None)
    } else if is_value {
        describe(field, traits).map(Some)
    } else {
        if may_be_left_out && let Some(inner) = inner(&field.ty) {
            let nullable = (outer == "Replace").then(|| quote!(, nullable = false));
            field.attrs.push(parse_quote!(#[schema(value_type = Option<#inner> #nullable)]));
        }
        Ok(None)
    }
}

/// Has a field described by its type, and by its comment and example.
fn describe(field: &mut Field, traits: &Traits) -> Result<TokenStream> {
    let Some(ident) = field.ident.clone() else { return Ok(TokenStream::new()) };
    let function = format_ident!("schema_of_{}", ident.unraw());
    let (mut example, mut default, mut is_nullable, mut required) = (None, None, true, None);
    for Word { name, value } in words(field, "schema")? {
        match name.to_string().as_str() {
            "example" => example = Some(json(value)?),
            "default" => default = Some(json(value)?),
            "nullable" => is_nullable = false,
            "required" => required = Some(quote!(, required)),
            _ => {
                let words =
                    "the type of this field says what it may be; only an example and a default are added";
                return Err(syn::Error::new(name.span(), words));
            }
        }
    }
    field.attrs.retain(|attribute| !attribute.path().is_ident("schema"));
    field.attrs.push(parse_quote!(#[schema(schema_with = Self::#function #required)]));
    let described = match inner(&field.ty) {
        Some(inner) if !is_nullable => inner,
        _ => &field.ty,
    };
    let comment = comment(field);
    let example = some(example);
    let of_the_whole = traits.has_default && !is(&field.ty, &["Valid"]);
    let of_the_whole = of_the_whole.then(|| quote!(::serde_json::json!(Self::default().#ident)));
    let default = some(default.or(of_the_whole));
    Ok(quote! {
        fn #function() -> ::utoipa::openapi::RefOr<::utoipa::openapi::Schema> {
            crate::kernel::value::described::<#described>(#comment, #example, #default)
        }
    })
}

fn some(tokens: Option<TokenStream>) -> TokenStream {
    tokens.map_or_else(|| quote!(None), |tokens| quote!(Some(#tokens)))
}

/// An example as JSON: what stands in `json!`, or a literal.
fn json(example: TokenStream) -> Result<TokenStream> {
    Ok(match syn::parse2::<Expr>(example)? {
        Expr::Macro(ExprMacro { mac, .. }) => {
            let tokens = &mac.tokens;
            quote!(::serde_json::json!(#tokens))
        }
        other => quote!(::serde_json::json!(#other)),
    })
}

/// The comment on a field, a line for a line.
fn comment(field: &Field) -> String {
    let said = |attribute: &Attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(literal) => match &literal.lit {
                syn::Lit::Str(text) => Some(text.value().trim().to_owned()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    };
    field.attrs.iter().filter_map(said).collect::<Vec<_>>().join("\n")
}

/// A word of an attribute, and what stands behind it.
struct Word {
    name: Ident,
    value: TokenStream,
}

/// The words of the attributes of a name. A value may be a type, which is no expression.
fn words(field: &Field, attribute: &str) -> Result<Vec<Word>> {
    let mut words = Vec::new();
    for found in field.attrs.iter().filter(|found| found.path().is_ident(attribute)) {
        let mut tokens = found.meta.require_list()?.tokens.clone().into_iter().peekable();
        while let Some(token) = tokens.next() {
            let value =
                std::iter::from_fn(|| tokens.next_if(|next| !is_punct(next, ','))).collect::<Vec<_>>();
            if let TokenTree::Ident(name) = token {
                words.push(Word { name, value: value.into_iter().skip(1).collect() });
            }
            tokens.next();
        }
    }
    Ok(words)
}

fn is_punct(token: &TokenTree, wanted: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted)
}

/// Whether an attribute of a field has this word.
fn says(field: &Field, attribute: &str, word: &str) -> Result<bool> {
    Ok(words(field, attribute)?.iter().any(|found| found.name == word))
}

fn is_value(ty: &Type) -> bool {
    is(ty, VALUES)
}

/// Whether a type is one of these, or one stands in it.
fn is(ty: &Type, names: &[&str]) -> bool {
    let Some(name) = outermost(ty).map(ToString::to_string) else { return false };
    names.contains(&name.as_str())
        || AROUND.contains(&name.as_str()) && inner(ty).is_some_and(|inner| is(inner, names))
}

/// The name of a type, without what stands in it.
fn outermost(ty: &Type) -> Option<&Ident> {
    let Type::Path(path) = ty else { return None };
    path.path.segments.last().map(|segment| &segment.ident)
}

/// What stands in a type: the `T` of `Option<T>`.
fn inner(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else { return None };
    let PathArguments::AngleBracketed(arguments) = &path.path.segments.last()?.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(inner) => Some(inner),
        _ => None,
    })
}
