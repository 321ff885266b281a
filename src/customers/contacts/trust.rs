//! Whose word it is what a contact is said to be.

/// Whose word a description is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The shop's: its staff's, its servers', its feeds'.
    Own,
    /// That of whoever filled in a form, passed on by a server of the shop.
    PassedOn,
    /// That of a stranger, who must learn nothing of anybody.
    Strangers,
}
