//! What is to be done, by whom, and by when.

pub mod action_items;
pub mod inbox;
pub mod interactions;
pub mod issues;
pub mod notes;
pub mod offboarding;
pub mod ownership;
pub mod queues;
pub mod routing_rules;
pub mod work_item_types;
pub mod work_items;
