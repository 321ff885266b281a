//! What later folders do, or refuse, when something earlier changes; in the same transaction.

use crate::{
    access::{api_keys, groups::group, sessions, users::user},
    customers::contacts::contact,
    intake::{
        connectors::Connector,
        forms::form,
        scheduled,
        sources::{self, Source},
    },
    kernel::{
        jobs::job,
        tx::{Reactions, on},
    },
    work::{
        action_items, inbox,
        interactions::interaction,
        issues, notes, offboarding,
        work_item_types::work_item_type,
        work_items::{self, work_item},
    },
};

/// Every reaction, by the event it waits for.
#[must_use]
pub fn reactions() -> Reactions {
    vec![
        on(user::DEACTIVATED, sessions::end_others),
        on(user::PASSWORD_CHANGED, sessions::end_others),
        on(user::DEACTIVATED, api_keys::follow_owner),
        on(user::ACTIVATED, api_keys::follow_owner),
        on(user::UPDATED, api_keys::follow_owner),
        on(user::DEACTIVATED, offboarding::refuse_open_work),
        on(contact::CREATED, notes::find_contact),
        on(contact::UPDATED, notes::find_contact),
        on(contact::CREATED, action_items::find_contact),
        on(contact::UPDATED, action_items::find_contact),
        on(contact::CREATED, issues::find_contact),
        on(contact::UPDATED, issues::find_contact),
        on(work_item_type::UPDATED, work_items::refuse_lost_status),
        on(work_item_type::RETIRED, work_items::refuse_lost_status),
        on(work_item_type::RESTORED, work_items::refuse_lost_status),
        on(form::CREATED, sources::refuse_form),
        on(job::SUCCEEDED, sources::close_run),
        on(job::FAILED, sources::close_run),
        on(job::CANCELLED, sources::close_run),
        on(job::SUCCEEDED, scheduled::job_ended::<Source>),
        on(job::FAILED, scheduled::job_ended::<Source>),
        on(job::CANCELLED, scheduled::job_ended::<Source>),
        on(job::SUCCEEDED, scheduled::job_ended::<Connector>),
        on(job::FAILED, scheduled::job_ended::<Connector>),
        on(job::CANCELLED, scheduled::job_ended::<Connector>),
        on(group::MEMBER_REMOVED, offboarding::refuse_empty_group),
        // After what may be refused, so that it is seen whole.
        on(interaction::CREATED, inbox::receive),
        on(interaction::ATTACHED, inbox::take_out),
        on(work_item::CREATED, inbox::follow_work_item),
        on(work_item::REASSIGNED, inbox::follow_work_item),
        on(work_item::CLAIMED, inbox::follow_work_item),
        on(work_item::RELEASED, inbox::follow_work_item),
        on(work_item::STATUS_CHANGED, inbox::follow_work_item),
        on(group::MEMBER_ADDED, inbox::join_group),
        on(group::MEMBER_REMOVED, inbox::leave_group),
        on(user::DEACTIVATED, inbox::stop_work),
        on(user::ACTIVATED, inbox::return_to_work),
    ]
}
