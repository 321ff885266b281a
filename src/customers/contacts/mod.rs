//! Contacts: the people and companies that the work is about, matched to who they are, and never merged
//! wrongly for good.
//!
//! A merged contact stays where it is and points at its survivor; what was written about it keeps its
//! id, and whoever asks for the survivor's is shown that of the whole cluster. So merging and
//! unmerging are exact inverses, however much there is (B-8).

mod candidates;
pub mod contact;
mod criteria;
pub mod http;
mod identity;
mod json;
pub mod key;
mod locks;
mod lookup;
mod merging;
mod service;
mod trust;

pub use contact::Kind;
pub use criteria::{Criteria, narrow_by};
pub use identity::{Identified, NewContactDefaults, identify, recognise};
pub use json::{
    AccountReps, ContactKinds, ContactPatch, ContactRef, ContactView, ExternalId, ExternalIdText, MatchView,
    NewContact, Who,
};
pub use locks::{lock, target};
pub use lookup::{by_external_id, by_shop_id, shop_id};
pub use merging::{cluster, cluster_filter, clusters, known_cluster, lock_for_update, resolve, survivor};
pub use service::{
    Lookup, create, find, hand_over, named, owner_of, set_status, update, upsert, variables_of, zone_of,
};
pub use trust::Trust;

/// Has a filter say by its members what it asks of contacts.
#[macro_export]
macro_rules! contact_criteria {
    ($($filter:ident),+) => {
        $(impl $filter {
            /// What it asks of contacts.
            pub(super) fn contact(&self) -> $crate::customers::contacts::Criteria<'_> {
                $crate::customers::contacts::Criteria {
                    kind: self.contact_kind.as_ref(),
                    country: self.contact_country.as_ref(),
                    postal_code_prefix: self.contact_postal_code_prefix.as_ref(),
                    owner: self.contact_owner.as_ref(),
                    own_company: self.own_company,
                }
            }
        })+
    };
}
