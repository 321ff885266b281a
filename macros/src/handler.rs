//! What the signature of a handler says of its operation.

use syn::{
    Attribute, FnArg, GenericArgument, Ident, PathArguments, PathSegment, Result, Signature, Type,
    Visibility,
    parse::{Parse, ParseStream},
};

/// The function below the attribute, up to its body.
pub(crate) struct Handler {
    signature: Signature,
}

/// Where the body of an operation is described.
pub(crate) enum Body<'a> {
    None,
    /// Of this type, as JSON.
    Json(&'a Type),
    /// As JSON or as a browser's form, of a type that the declaration names.
    Form,
}

impl Parse for Handler {
    fn parse(input: ParseStream) -> Result<Self> {
        input.call(Attribute::parse_outer)?;
        input.parse::<Visibility>()?;
        let signature = input.parse()?;
        // What it does is nobody's business here.
        input.parse::<proc_macro2::TokenStream>()?;
        Ok(Self { signature })
    }
}

impl Handler {
    /// Its name.
    pub(crate) fn name(&self) -> &Ident {
        &self.signature.ident
    }

    /// What it takes as its body.
    pub(crate) fn body(&self) -> Body<'_> {
        match self.extracted(&["JsonBody", "PublicJsonBody"]) {
            Some(body) => Body::Json(body),
            None if self.extractor("FormBody").is_some() => Body::Form,
            None => Body::None,
        }
    }

    /// Whether it is a list.
    pub(crate) fn is_list(&self) -> bool {
        self.extractor("List").is_some()
    }

    /// The filter whose parameters it takes.
    pub(crate) fn filter(&self) -> Option<&Type> {
        self.extracted(&["List", "Query", "Report"])
    }

    /// What the first of these extractors extracts: `NewNote` of a `JsonBody<NewNote>`.
    fn extracted(&self, names: &[&str]) -> Option<&Type> {
        let extractor = names.iter().find_map(|name| self.extractor(name))?;
        let PathArguments::AngleBracketed(generics) = &extractor.arguments else { return None };
        generics.args.iter().find_map(|generic| match generic {
            GenericArgument::Type(of) => Some(of),
            _ => None,
        })
    }

    /// The type of the argument that is such an extractor.
    fn extractor(&self, name: &str) -> Option<&PathSegment> {
        self.signature.inputs.iter().find_map(|argument| {
            let FnArg::Typed(argument) = argument else { return None };
            let Type::Path(path) = &*argument.ty else { return None };
            path.path.segments.last().filter(|last| last.ident == name)
        })
    }
}
