//! The catalogue of events: everything that can happen to anything.

use crate::{
    access::{api_keys::api_key, groups::group, identities::identity, sessions::session, users::user},
    catalog::{
        picklists::{item, picklist},
        variables::variable,
    },
    customers::{contacts::contact, facts::fact},
    intake::{
        connectors::connector,
        forms::form,
        sources::{quarantined_row, source},
    },
    kernel::{jobs::job, record::EventInfo},
    work::{
        action_items::action_item,
        inbox::inbox_entry,
        interactions::{action, interaction},
        issues::issue,
        notes::note,
        routing_rules::routing_rule,
        work_item_types::work_item_type,
        work_items::work_item,
    },
};

/// What each row declares.
const DECLARED: &[&[EventInfo]] = &[
    user::EVENTS,
    identity::EVENTS,
    group::EVENTS,
    session::EVENTS,
    api_key::EVENTS,
    picklist::EVENTS,
    item::EVENTS,
    variable::EVENTS,
    contact::EVENTS,
    fact::EVENTS,
    action_item::EVENTS,
    note::EVENTS,
    issue::EVENTS,
    interaction::EVENTS,
    action::EVENTS,
    work_item_type::EVENTS,
    routing_rule::EVENTS,
    work_item::EVENTS,
    inbox_entry::EVENTS,
    form::EVENTS,
    source::EVENTS,
    quarantined_row::EVENTS,
    connector::EVENTS,
    job::EVENTS,
];

/// Every event, by name.
#[must_use]
pub fn catalogue() -> Vec<EventInfo> {
    let mut events = DECLARED.concat();
    events.sort_unstable();
    events
}
