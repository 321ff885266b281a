//! Interactions: every call, letter and visit, who recorded it, and what came of it (S1-1); and actions: the
//! part of an interaction that deals with an issue (S4-10).

pub mod action;
pub mod action_info_used;
pub mod http;
pub mod interaction;
mod json;
mod service;

pub use interaction::{CallResult, Direction, Originator};
pub use json::{
    ActionFilter, ActionView, FollowUpState, InteractionFilter, InteractionPage, InteractionView,
    NewFollowUp, NewInteraction,
};
pub use service::{
    Related, attach, filtered_actions_query, filtered_query, held, narrow, page, record, record_on, related,
};
