//! Picklists: the lists that people choose from, all of them the shop's own to change (S1-16, S4-26).
//!
//! A value is known by its key, which never changes and is never translated; what people read is its
//! label, in their language (S2-26). A value that is no longer wanted is retired, not deleted:
//! nobody can choose it any more, and what was said with it stays readable.

pub mod http;
pub mod item;
mod json;
pub mod picklist;
mod service;

pub use json::{
    LabelView, NewPicklistItem, PicklistItemView, PicklistView, TranslationChanges, Translations,
    labels as check_labels,
};
pub use service::{
    DUE_PRESETS, ISSUE_TYPES, active, check, check_all, duration, exists, group_of, labels,
    merge as merge_labels, preload,
};
