//! What later folders do, or refuse, when something earlier changes; in the same transaction.

use crate::{
    access::sessions,
    intake::{connectors, sources},
    kernel::journal::Reactions,
    work::{action_items, inbox, issues, notes, offboarding, work_items},
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
        ("work_item_type.retired", work_items::refuse_lost_status),
        ("work_item_type.restored", work_items::refuse_lost_status),
        ("job.succeeded", sources::job_ended),
        ("job.failed", sources::job_ended),
        ("job.cancelled", sources::job_ended),
        ("job.succeeded", connectors::job_ended),
        ("job.failed", connectors::job_ended),
        ("job.cancelled", connectors::job_ended),
        ("group.member_removed", offboarding::refuse_empty_group),
        // After what may be refused, so that it is seen whole.
        ("interaction.created", inbox::receive),
        ("interaction.attached", inbox::take_out),
        ("work_item.created", inbox::follow_work_item),
        ("work_item.reassigned", inbox::follow_work_item),
        ("work_item.claimed", inbox::follow_work_item),
        ("work_item.released", inbox::follow_work_item),
        ("work_item.status_changed", inbox::follow_work_item),
        ("group.member_added", inbox::join_group),
        ("group.member_removed", inbox::leave_group),
        ("user.deactivated", inbox::stop_work),
        ("user.activated", inbox::return_to_work),
    ]
}
