//! What each kind of thing is read and written by: the one table that everything which shows things of
//! several kinds, or makes them, goes by. So the feed, timelines, search and `expand` show nobody what a
//! `GET` of the thing would not.

use super::actor::{Actor, Role, Scope};

/// A kind of thing as the journal calls it, and the scopes that it needs.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Its name: `note` in `note.created`.
    pub name: &'static str,
    /// Whoever has this may read it.
    pub read: Scope,
    /// Whoever has this may make and change it; without one it comes of other work, and goes by the rules of
    /// that.
    pub write: Option<Scope>,
}

const fn kind(name: &'static str, read: Scope, write: Scope) -> Kind {
    Kind { name, read, write: Some(write) }
}

/// Every kind. What is not here is shown to nobody.
pub const KINDS: &[Kind] = &[
    kind("user", Scope::UsersRead, Scope::UsersWrite),
    kind("group", Scope::GroupsRead, Scope::GroupsWrite),
    kind("identity", Scope::UsersRead, Scope::UsersWrite),
    Kind { name: "session", read: Scope::UsersRead, write: None },
    kind("api_key", Scope::ApiKeysRead, Scope::ApiKeysWrite),
    kind("picklist", Scope::PicklistsRead, Scope::PicklistsWrite),
    kind("picklist_item", Scope::PicklistsRead, Scope::PicklistsWrite),
    kind("variable", Scope::VariablesRead, Scope::VariablesWrite),
    kind("contact", Scope::ContactsRead, Scope::ContactsWrite),
    kind("fact", Scope::ContactsRead, Scope::ContactsWrite),
    kind("note", Scope::NotesRead, Scope::NotesWrite),
    kind("action_item", Scope::ActionItemsRead, Scope::ActionItemsWrite),
    kind("issue", Scope::IssuesRead, Scope::IssuesWrite),
    kind("interaction", Scope::InteractionsRead, Scope::InteractionsWrite),
    kind("action", Scope::InteractionsRead, Scope::InteractionsWrite),
    kind("work_item_type", Scope::WorkItemTypesRead, Scope::WorkItemTypesWrite),
    kind("routing_rule", Scope::RoutingRulesRead, Scope::RoutingRulesWrite),
    kind("work_item", Scope::WorkItemsRead, Scope::WorkItemsWrite),
    kind("inbox_entry", Scope::InboxRead, Scope::InboxWrite),
    kind("form", Scope::FormsRead, Scope::FormsWrite),
    kind("source", Scope::SourcesRead, Scope::SourcesWrite),
    kind("quarantined_row", Scope::SourcesRead, Scope::SourcesWrite),
    kind("connector", Scope::ConnectorsRead, Scope::ConnectorsWrite),
    Kind { name: "job", read: Scope::JobsRead, write: None },
];

/// What `expand` adds to the rows of lists: its word, and the kind of thing that it shows.
pub const EXPANSIONS: &[(&str, &str)] =
    &[("labels", "picklist_item"), ("contact", "contact"), ("follow_up", "action_item")];

/// What filters of lists ask of things of another kind: whoever may not read those learns nothing of them by
/// asking.
const ASKS_OF_OTHERS: &[(&str, &str)] = &[
    ("contact_kind", "contact"),
    ("contact_country", "contact"),
    ("contact_postal_code_prefix", "contact"),
    ("contact_owner", "contact"),
    ("own_company", "contact"),
    ("follow_up", "action_item"),
    ("follow_up_assignee", "action_item"),
    ("follow_up_due_at_gte", "action_item"),
    ("follow_up_due_at_lt", "action_item"),
    ("follow_up_instructions", "action_item"),
];

/// What is known of a kind.
#[must_use]
pub fn named(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}

/// What reading takes that a word of `expand` adds.
#[must_use]
pub fn expansion(word: &str) -> Option<Scope> {
    read_of(EXPANSIONS, word)
}

/// What reading takes that a parameter of a filter asks of things of another kind.
#[must_use]
pub fn asked_of_others(parameter: &str) -> Option<Scope> {
    read_of(ASKS_OF_OTHERS, parameter)
}

fn read_of(table: &[(&str, &str)], word: &str) -> Option<Scope> {
    table.iter().find(|(known, _)| *known == word).and_then(|(_, kind)| named(kind)).map(|kind| kind.read)
}

impl Actor {
    /// Whether things of this kind are shown to them.
    #[must_use]
    pub fn may_read(&self, name: &str) -> bool {
        named(name).is_some_and(|kind| self.scopes.contains(&kind.read))
    }

    /// The kinds of things that are shown to them; none when nothing need be said of kinds. What only
    /// administrators may read is set-up, of which nothing is said where set-up is not shown anyway.
    #[must_use]
    pub fn readable(&self, sees_set_up: bool) -> Option<Vec<&'static str>> {
        let (shown, hidden): (Vec<&Kind>, Vec<&Kind>) =
            KINDS.iter().partition(|kind| self.scopes.contains(&kind.read));
        let matters = hidden.iter().any(|kind| sees_set_up || kind.read.least_role() < Role::Admin);
        matters.then(|| shown.into_iter().map(|kind| kind.name).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn kinds_are_told_apart_and_what_shows_them_is_known() {
        let names: BTreeSet<&str> = KINDS.iter().map(|kind| kind.name).collect();
        assert_eq!(names.len(), KINDS.len());
        for (word, kind) in EXPANSIONS.iter().chain(ASKS_OF_OTHERS) {
            assert!(names.contains(kind), "{word} shows {kind}");
        }
        for kind in KINDS {
            assert!(kind.read.as_str().ends_with(":read"), "{} is read by {}", kind.name, kind.read);
        }
    }
}
