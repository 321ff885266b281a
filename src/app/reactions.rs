//! What later folders do, or refuse, when something earlier changes; in the same transaction.

use crate::{
    access::sessions,
    kernel::journal::Reactions,
    work::{action_items, issues, notes, offboarding, work_items},
};

/// Every reaction, by the event it waits for.
#[must_use]
pub fn reactions() -> Reactions {
    vec![
        ("user.deactivated", sessions::end_others),
        ("user.password_changed", sessions::end_others),
        ("user.deactivated", offboarding::refuse_open_work),
        ("contact.created", notes::find_contact),
        ("contact.updated", notes::find_contact),
        ("contact.created", action_items::find_contact),
        ("contact.updated", action_items::find_contact),
        ("contact.created", issues::find_contact),
        ("contact.updated", issues::find_contact),
        ("work_item_type.updated", work_items::refuse_lost_status),
        ("group.member_removed", offboarding::refuse_empty_group),
    ]
}
