//! Notes: who said what to whom. A note has a title and a text into which whole e-mails can be pasted.

pub mod http;
mod json;
pub mod note;
mod reactions;
mod service;

pub use json::{CreatedNoteView, NewNote, NoteView};
pub use reactions::find_contact;
pub use service::{create, create_on, find};
