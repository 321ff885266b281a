//! What later folders do, or refuse, when something earlier changes; in the same transaction.

use crate::{
    access::{api_keys, sessions},
    intake::{
        connectors::Connector,
        scheduled,
        sources::{self, Source},
    },
    kernel::journal::Reactions,
    work::{action_items, inbox, issues, notes, offboarding, work_items},
};

/// Every reaction, by the event it waits for.
#[must_use]
pub fn reactions() -> Reactions {
    vec![
        ("user.deactivated", sessions::end_others),
        ("user.password_changed", sessions::end_others),
        ("user.deactivated", api_keys::follow_owner),
        ("user.activated", api_keys::follow_owner),
        ("user.updated", api_keys::follow_owner),
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
        ("form.created", sources::refuse_form),
        ("job.succeeded", sources::close_run),
        ("job.failed", sources::close_run),
        ("job.cancelled", sources::close_run),
        ("job.succeeded", scheduled::job_ended::<Source>),
        ("job.failed", scheduled::job_ended::<Source>),
        ("job.cancelled", scheduled::job_ended::<Source>),
        ("job.succeeded", scheduled::job_ended::<Connector>),
        ("job.failed", scheduled::job_ended::<Connector>),
        ("job.cancelled", scheduled::job_ended::<Connector>),
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
