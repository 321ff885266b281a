//! The rules of sessions, by what is done.
//!
//! Somebody signs in with a password, stays signed in with refresh tokens, each of which is good for once,
//! and signs out. Whoever says a password, to sign in or to change it, proves it in one place, where
//! failures are counted.

mod change_password;
mod end;
mod open;
mod prove;
mod refresh;
mod sign_in;
mod verify;

pub use change_password::change_password;
pub use end::{end_others, forget, sign_out};
pub use refresh::refresh;
pub use sign_in::{sign_in, start};
pub use verify::{find_live, jwks};
