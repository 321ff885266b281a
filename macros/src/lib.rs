//! `#[operation(…)]` declares an operation of the API once: its route, who may call it, and what the OpenAPI
//! document says of it. Access is enforced from that document, so an operation that does not say who may call
//! it does not compile.
//!
//! ```ignore
//! /// Correct a note
//! ///
//! /// A merge patch (RFC 7396), by its author or a manager. The history keeps what it said before.
//! #[operation(
//!     patch "/notes/{id}",
//!     scope = NotesWrite,
//!     {id} = "The id of the note." example "019b0a35-2c00-7000-8000-000000000001",
//!     200 = NoteView "The note as it is now.",
//!     409 = "It was corrected by somebody else.",
//! )]
//! async fn update_note(db: Data<Db>, Path(id): Path<Uuid>, body: JsonBody<NotePatch>) -> Result<Reply> {
//!     body.write(&db, async move |tx, patch| Reply::ok(&service::update(tx, id, patch).await?)).await
//! }
//! ```
//!
//! The method and the URL come first; everything after them may stand in any order.
//!
//! | written | meaning |
//! |---|---|
//! | `scope = NotesRead` | takes a credential with this `Scope` |
//! | `scope = QueuesRead + ActionItemsRead` | with all of these; the first is what the operation is for |
//! | `any_credential` | takes any valid credential |
//! | `public` | takes none |
//! | `200 = NoteView "The note."` | an answer: status, body, description |
//! | `204 = "It is gone."` | an answer without a body, or a refusal in words of its own |
//! | `{id} = "Its id." example "7"` | what a parameter of the path is; the example may be left out |
//! | `optional_body` | the body may be left out |
//! | `body = IntakeSubmission` | what a `FormBody` holds |
//! | `params = ReportOf<Issues>` | further parameters of the query, an `IntoParams` |
//! | `tag = "service"` | the tag, where it is not the first segment of the URL |
//!
//! The rest is read from the handler:
//!
//! - its name is the operation id, its doc comment the summary and the description;
//! - `Path<…>` has the types of the parameters of the path;
//! - `List<F>` takes the parameters of the page that is the answer 200, and those of the filter `F`;
//! - `Query<F>` and `Report<F>` take those of `F`;
//! - `JsonBody<T>` and `PublicJsonBody<T>` take a `T` as JSON; `FormBody` takes what `body` names, as JSON or
//!   as a browser's form.

mod declaration;
mod expansion;
mod handler;
mod shape;

use proc_macro::TokenStream;

/// Declares an operation; the crate's own documentation says how.
#[proc_macro_attribute]
pub fn operation(attribute: TokenStream, item: TokenStream) -> TokenStream {
    expansion::expand(attribute.into(), item.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Stands before the derives of a body. Of each field
///
/// - whose type is a value of `kernel::value`, or an `Option`, list or patch of one, it tells validator to
///   check it and utoipa to describe it by that type; `example`, `default`, `nullable` and `required` of
///   `#[schema]` still count;
/// - that is a `Patch` or a `Replace` it tells serde that it may be left out, utoipa what stands in it, and
///   validator that a `Replace` is not null.
#[proc_macro_attribute]
pub fn shape(_: TokenStream, item: TokenStream) -> TokenStream {
    shape::expand(item.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}
