//! An operation as utoipa and actix-web take it.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::{Error, Ident, LitByteStr, Result, parse2};

use crate::{
    declaration::{Access, Answer, Declaration, PathParam},
    handler::{Body, Handler},
};

/// The handler below the attributes that its declaration stands for.
pub(crate) fn expand(attribute: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let declared: Declaration = parse2(attribute)?;
    let handler: Handler = parse2(item.clone())?;
    let Declaration { method, url, access, answers, .. } = &declared;
    let tag = declared.tag();
    let name = handler.name();
    let (security, checks) = (security(access), scope_checks(access));
    let params = params(&declared, &handler)?;
    let body = request_body(&declared, &handler)?;
    let answers = answers.iter().map(response);
    Ok(quote! {
        #[::utoipa::path(
            impl_for = #name, #method, path = #url, tag = #tag, security(#security),
            params(#(#params),*), #body responses(#(#answers),*)
        )]
        #[::actix_web::#method(#url)]
        #item
        #checks
    })
}

fn security(access: &Access) -> TokenStream {
    match access {
        Access::Public => quote!(()),
        Access::AnyCredential => quote!(("bearer" = [])),
        Access::Scopes(scopes) => {
            let scopes = scopes.iter().map(written);
            quote!(("bearer" = [#(#scopes),*]))
        }
    }
}

/// The document takes scopes as they are written, not as they are named: that both are the same, and that
/// there are such scopes, is for the compiler to see.
fn scope_checks(access: &Access) -> TokenStream {
    let Access::Scopes(scopes) = access else { return TokenStream::new() };
    scopes
        .iter()
        .map(|scope| {
            let text = written(scope);
            let bytes = LitByteStr::new(text.as_bytes(), scope.span());
            let message =
                format!("the document would say `{text}`, but `Scope::{scope}` is written otherwise");
            quote_spanned! { scope.span() =>
                const _: () = assert!(
                    matches!(crate::kernel::actor::Scope::#scope.as_str().as_bytes(), #bytes),
                    #message
                );
            }
        })
        .collect()
}

/// How a scope is written: `ActionItemsRead` is `action_items:read`.
fn written(scope: &Ident) -> String {
    let mut words = String::new();
    for letter in scope.to_string().chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push('_');
        }
        words.extend(letter.to_lowercase());
    }
    let verb =
        if words.ends_with("_act_as") { "act_as" } else { words.rsplit('_').next().unwrap_or_default() };
    match words.strip_suffix(verb).and_then(|resource| resource.strip_suffix('_')) {
        Some(resource) => format!("{resource}:{verb}"),
        None => words,
    }
}

/// The parameters of the path that are described, then those of the query.
fn params(declared: &Declaration, handler: &Handler) -> Result<Vec<TokenStream>> {
    let page = declared.ok_body().filter(|_| handler.is_list());
    if page.is_none() && handler.is_list() {
        return Err(Error::new(
            declared.url.span(),
            "a list needs its page: `200 = NotePage \"A page of notes.\"`",
        ));
    }
    let query = [page, declared.params.as_ref(), handler.filter()].into_iter().flatten();
    Ok(declared.path_params.iter().map(path_param).chain(query.map(ToTokens::to_token_stream)).collect())
}

fn path_param(PathParam { name, description, example }: &PathParam) -> TokenStream {
    let example = example.iter();
    quote!((#name, description = #description #(, example = #example)*))
}

fn request_body(declared: &Declaration, handler: &Handler) -> Result<TokenStream> {
    let (form, optional) = (&declared.body, &declared.optional_body);
    match (handler.body(), form, optional) {
        (Body::None, None, None) => Ok(TokenStream::new()),
        (Body::Json(body), None, None) => Ok(quote!(request_body = #body,)),
        (Body::Json(body), None, Some(_)) => Ok(quote!(request_body = Option<#body>,)),
        (Body::Form, Some(body), None) => Ok(quote! {
            request_body(content(
                (#body = "application/json"),
                (#body = "application/x-www-form-urlencoded")
            )),
        }),
        (Body::Form, None, None) => {
            let message = "what does the form hold? Say for example `body = IntakeSubmission`";
            Err(Error::new(declared.url.span(), message))
        }
        (Body::None | Body::Form, _, Some(word)) => {
            Err(Error::new(word.span(), "no argument of the handler is a `JsonBody<…>`"))
        }
        (Body::None | Body::Json(_), Some(body), _) => {
            let message =
                "`body` is for handlers that take a `FormBody`; of others it is that of `JsonBody<…>`";
            Err(Error::new_spanned(body, message))
        }
    }
}

fn response(Answer { status, body, description }: &Answer) -> TokenStream {
    let body = body.iter();
    quote!((status = #status, description = #description #(, body = #body)*))
}

#[cfg(test)]
mod tests {
    use proc_macro2::Span;

    use super::*;

    fn mistake(attribute: TokenStream) -> String {
        let handler = quote!(
            async fn list(list: List<F>, body: FormBody) {}
        );
        expand(attribute, handler).expect_err("a mistake").to_string()
    }

    #[test]
    fn scopes_are_written_as_resource_and_verb() {
        let text = |name| written(&Ident::new(name, Span::call_site()));
        assert_eq!(text("NotesRead"), "notes:read");
        assert_eq!(text("ActionItemsWrite"), "action_items:write");
        assert_eq!(text("UsersOffboard"), "users:offboard");
        assert_eq!(text("UsersActAs"), "users:act_as");
    }

    #[test]
    fn mistakes_are_named() {
        let who = mistake(quote!(get "/notes", 200 = Page "A page."));
        assert!(who.starts_with("who may call it?"), "{who}");
        let twice = mistake(quote!(get "/notes", public, any_credential, 200 = Page "A page."));
        assert_eq!(twice, "this is said already");
        let nothing = mistake(quote!(get "/notes", public));
        assert!(nothing.starts_with("what does it answer?"), "{nothing}");
        let method = mistake(quote!(fetch "/notes", public));
        assert!(method.starts_with("expected a method and a URL"), "{method}");
        let word = mistake(quote!(get "/notes", scopes = NotesRead));
        assert!(word.starts_with("expected `scope = …`"), "{word}");
        let path = mistake(quote!(get "/notes", public, {id} = "Its id.", 200 = Page "A page."));
        assert_eq!(path, "the URL has no `{id}`");
        let page = mistake(quote!(get "/notes", public, 204 = "Nothing."));
        assert!(page.starts_with("a list needs its page"), "{page}");
        let form = mistake(quote!(post "/notes", public, 200 = Page "A page."));
        assert!(form.starts_with("what does the form hold?"), "{form}");
        let body = mistake(quote!(post "/notes", public, optional_body, 200 = Page "A page."));
        assert_eq!(body, "no argument of the handler is a `JsonBody<…>`");
    }
}
