//! Interactions: every call, letter and visit, who recorded it, and what came of it (S1-1); and actions: the
//! part of an interaction that deals with an issue (S4-10).
//!
//! What a contact sent is somebody's to answer, from when it comes until it is answered or dismissed.

pub mod action;
pub mod action_info_used;
pub mod http;
pub mod interaction;
mod json;
mod reactions;
mod service;

pub use interaction::{CallResult, Direction, Originator, Response, awaits_response};
pub use json::{
    ActionFilter, ActionView, FollowUpState, InteractionFilter, InteractionPage, InteractionView,
    NewFollowUp, NewInteraction,
};
pub use reactions::follow_item;
pub use service::{
    Related, attach, filtered_actions_query, filtered_query, follow_work_item, held, narrow, orphaned, page,
    record, related, unanswered_by_owner,
};
