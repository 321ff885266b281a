//! Contacts: the people and companies that the work is about, matched to who they are, and never merged
//! wrongly for good.
//!
//! A merged contact stays where it is and points at its survivor; what was written about it keeps its
//! id, and whoever asks for the survivor's is shown that of the whole cluster. So merging and
//! unmerging are exact inverses, however much there is (B-8).

pub mod contact;
mod criteria;
pub mod http;
mod identity;
mod json;
pub mod key;
mod merging;
mod service;

pub use contact::Kind;
pub use criteria::{Criteria, narrow_by};
pub use identity::{
    Identified, NewContactDefaults, Trust, by_external_id, by_shop_id, identify, recognise, shop_id,
};
pub use json::{
    AccountReps, ContactKinds, ContactPatch, ContactRef, ContactView, ExternalId, ExternalIdText, MatchView,
    NewContact, Who,
};
pub use merging::{cluster, clusters, known_cluster, lock_for_update, resolve, survivor};
pub use service::{
    Lookup, create, find, hand_over, lock, named, owner_of, set_status, target, update, upsert, variables_of,
    zone_of,
};
