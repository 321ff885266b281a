//! What stands in the brackets of `#[operation(…)]`.

use proc_macro2::Span;
use syn::{
    Error, Ident, LitInt, LitStr, Result, Token, Type, braced,
    ext::IdentExt,
    parse::{Parse, ParseStream},
    punctuated::Punctuated,
    token::Brace,
};

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

const ITEMS: &str = "expected `scope = …`, `any_credential`, `public`, `tag = …`, `params = …`, `body = …`, \
     `optional_body`, `{parameter} = …` or an answer such as `200 = NoteView \"The note.\"`";

/// An operation as it is declared.
pub(crate) struct Declaration {
    pub(crate) method: Ident,
    pub(crate) url: LitStr,
    pub(crate) access: Access,
    pub(crate) answers: Vec<Answer>,
    pub(crate) path_params: Vec<PathParam>,
    pub(crate) params: Option<Type>,
    pub(crate) body: Option<Type>,
    pub(crate) optional_body: Option<Ident>,
    pub(crate) tag: Option<LitStr>,
}

/// What an operation asks of its caller.
pub(crate) enum Access {
    Public,
    AnyCredential,
    /// Variants of `Scope`.
    Scopes(Vec<Ident>),
}

/// One of its answers.
pub(crate) struct Answer {
    pub(crate) status: LitInt,
    pub(crate) body: Option<Type>,
    pub(crate) description: LitStr,
}

/// What a parameter of the path is.
pub(crate) struct PathParam {
    pub(crate) name: LitStr,
    pub(crate) description: LitStr,
    pub(crate) example: Option<LitStr>,
}

impl Declaration {
    /// What it answers when all went well: of a list, its page.
    pub(crate) fn ok_body(&self) -> Option<&Type> {
        self.answers.iter().find(|answer| answer.status.base10_digits() == "200")?.body.as_ref()
    }

    /// The tag that is named, or else the first segment of the URL.
    pub(crate) fn tag(&self) -> String {
        self.tag.as_ref().map_or_else(
            || self.url.value().split('/').nth(1).unwrap_or_default().replace('-', "_"),
            LitStr::value,
        )
    }
}

impl Parse for Declaration {
    fn parse(input: ParseStream) -> Result<Self> {
        let (method, url) = parse_route(input)?;
        let mut access = None;
        let (mut answers, mut path_params) = (Vec::new(), Vec::new());
        let (mut params, mut body, mut optional_body, mut tag) = (None, None, None, None);
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if input.is_empty() {
                break;
            }
            if input.peek(LitInt) {
                add_answer(&mut answers, input.parse()?)?;
            } else if input.peek(Brace) {
                path_params.push(parse_path_param(input, &url)?);
            } else {
                let word = input.call(Ident::parse_any).map_err(|error| Error::new(error.span(), ITEMS))?;
                match word.to_string().as_str() {
                    "public" => set(&mut access, Access::Public, &word)?,
                    "any_credential" => set(&mut access, Access::AnyCredential, &word)?,
                    "scope" => set(&mut access, parse_scopes(input)?, &word)?,
                    "tag" => set(&mut tag, parse_value(input)?, &word)?,
                    "params" => set(&mut params, parse_value(input)?, &word)?,
                    "body" => set(&mut body, parse_value(input)?, &word)?,
                    "optional_body" => set(&mut optional_body, word.clone(), &word)?,
                    _ => return Err(Error::new(word.span(), ITEMS)),
                }
            }
        }
        let access = access.ok_or_else(|| {
            let message =
                "who may call it? Say `scope = …` with a variant of `Scope`, `any_credential` or `public`";
            Error::new(Span::call_site(), message)
        })?;
        if answers.is_empty() {
            let message = "what does it answer? Say for example `200 = NoteView \"The note.\"`";
            return Err(Error::new(Span::call_site(), message));
        }
        Ok(Self { method, url, access, answers, path_params, params, body, optional_body, tag })
    }
}

/// `get "/notes"`
fn parse_route(input: ParseStream) -> Result<(Ident, LitStr)> {
    let message = "expected a method and a URL, such as `get \"/notes\"`: the methods are get, post, put, \
         patch and delete";
    let method: Ident = input.parse().map_err(|error| Error::new(error.span(), message))?;
    if !METHODS.iter().any(|known| method == known) {
        return Err(Error::new(method.span(), message));
    }
    let url: LitStr = input.parse()?;
    if !url.value().starts_with('/') {
        return Err(Error::new(url.span(), "a URL begins with `/`"));
    }
    Ok((method, url))
}

/// `= NotesRead`, or several that are joined by `+`.
fn parse_scopes(input: ParseStream) -> Result<Access> {
    input.parse::<Token![=]>()?;
    let scopes = Punctuated::<Ident, Token![+]>::parse_separated_nonempty(input)?;
    Ok(Access::Scopes(scopes.into_iter().collect()))
}

/// `= value`
fn parse_value<T: Parse>(input: ParseStream) -> Result<T> {
    input.parse::<Token![=]>()?;
    input.parse()
}

/// `{id} = "Its id." example "7"`
fn parse_path_param(input: ParseStream, url: &LitStr) -> Result<PathParam> {
    let braces;
    braced!(braces in input);
    let name = braces.call(Ident::parse_any)?;
    if !url.value().contains(&format!("{{{name}}}")) {
        return Err(Error::new(name.span(), format!("the URL has no `{{{name}}}`")));
    }
    let description = parse_value(input)?;
    let example = match input.parse::<Option<Ident>>()? {
        Some(word) if word == "example" => Some(input.parse()?),
        Some(word) => return Err(Error::new(word.span(), "expected `example` or `,`")),
        None => None,
    };
    Ok(PathParam { name: LitStr::new(&name.to_string(), name.span()), description, example })
}

impl Parse for Answer {
    /// `200 = NoteView "The note."`, `204 = "It is gone."`
    fn parse(input: ParseStream) -> Result<Self> {
        let status = input.parse()?;
        input.parse::<Token![=]>()?;
        let body = if input.peek(LitStr) { None } else { Some(input.parse()?) };
        let undescribed =
            |error: Error| Error::new(error.span(), "expected the answer's description in quotes");
        Ok(Self { status, body, description: input.parse().map_err(undescribed)? })
    }
}

fn add_answer(answers: &mut Vec<Answer>, answer: Answer) -> Result<()> {
    if answers.iter().any(|known| known.status.base10_digits() == answer.status.base10_digits()) {
        return Err(Error::new(answer.status.span(), "this answer is there already"));
    }
    answers.push(answer);
    Ok(())
}

fn set<T>(place: &mut Option<T>, value: T, word: &Ident) -> Result<()> {
    if place.replace(value).is_some() {
        return Err(Error::new(word.span(), "this is said already"));
    }
    Ok(())
}
