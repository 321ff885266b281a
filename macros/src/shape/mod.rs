//! `#[shape]`: a field of a body whose type says what it may be is checked and described by that type, and
//! says nothing twice.

mod field;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Fields, ItemStruct, Meta};

/// The struct with what its derives need to know of its fields.
pub fn expand(item: TokenStream) -> syn::Result<TokenStream> {
    let mut item: ItemStruct = syn::parse2(item)?;
    let traits = field::Traits {
        validates: derives(&item, "Validate"),
        is_described: derives(&item, "ToSchema"),
        is_kept: derives(&item, "Serialize"),
        has_default: has_default(&item),
    };
    let mut schemas = Vec::new();
    if let Fields::Named(fields) = &mut item.fields {
        for field in &mut fields.named {
            schemas.extend(field::complete(field, &traits)?);
        }
    }
    let name = &item.ident;
    let own = (!schemas.is_empty()).then(|| quote! { impl #name { #(#schemas)* } });
    Ok(quote! { #item #own })
}

/// Whether the struct derives a trait.
fn derives(item: &ItemStruct, name: &str) -> bool {
    item.attrs.iter().filter(|attribute| attribute.path().is_ident("derive")).any(|attribute| {
        let Meta::List(list) = &attribute.meta else { return false };
        list.tokens.clone().into_iter().any(|token| token.to_string() == name)
    })
}

/// Whether serde takes all that is left out from the default of the struct.
fn has_default(item: &ItemStruct) -> bool {
    let mut found = false;
    for attribute in item.attrs.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        // What serde does not know it refuses itself.
        let _known = attribute.parse_nested_meta(|meta| {
            found |= meta.path.is_ident("default");
            if let Ok(value) = meta.value() {
                value.parse::<syn::Expr>()?;
            }
            Ok(())
        });
    }
    found
}
