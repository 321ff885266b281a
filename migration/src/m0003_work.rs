//! What people do: notes and action items. An assignee is a user, a group, or nobody in particular: the
//! public.

use sea_orm_migration::prelude::*;

crate::sql! {"
CREATE TABLE notes (
    id {uuid} PRIMARY KEY NOT NULL,
    subject_type {text} NOT NULL,
    subject_id {text} NOT NULL,
    contact_id {uuid},
    issue_id {uuid},
    work_item_id {uuid},
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    author_id {uuid} NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX notes_by_age ON notes (created_at, id);
CREATE INDEX notes_by_subject ON notes (subject_type, subject_id, created_at, id);
CREATE INDEX notes_by_author ON notes (author_id, created_at, id);

CREATE TABLE action_items (
    id {uuid} PRIMARY KEY NOT NULL,
    subject_type {text} NOT NULL,
    subject_id {text} NOT NULL,
    contact_id {uuid},
    note_id {uuid} REFERENCES notes (id),
    interaction_id {uuid},
    issue_id {uuid},
    work_item_id {uuid},
    title TEXT NOT NULL,
    details TEXT NOT NULL,
    action TEXT,
    priority SMALLINT NOT NULL,
    assignee_type TEXT NOT NULL,
    assignee_id {uuid},
    origin_type TEXT,
    origin_id {uuid},
    status TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    due_on TEXT,
    completed_at BIGINT,
    completed_by_id {uuid},
    cancel_reason TEXT,
    created_by_id {uuid} NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX action_items_open_by_due ON action_items (due_at, id) WHERE status = 'open';
CREATE INDEX action_items_open_by_assignee ON action_items (assignee_id, due_at, id) WHERE status = 'open';
CREATE INDEX action_items_public_by_due ON action_items (due_at, id) WHERE status = 'open' AND assignee_id \
IS NULL;
CREATE INDEX action_items_public_newest ON action_items (created_at, id) WHERE status = 'open' AND \
assignee_id IS NULL;
CREATE INDEX action_items_by_assignee_and_status ON action_items (assignee_id, status, due_at, id);
CREATE INDEX action_items_newest ON action_items (assignee_id, status, created_at, id);
CREATE INDEX action_items_by_assignee ON action_items (assignee_id, due_at, id);
CREATE INDEX action_items_by_due ON action_items (due_at, id);
CREATE INDEX action_items_by_age ON action_items (created_at, id);
CREATE INDEX action_items_by_subject ON action_items (subject_type, subject_id, due_at, id);
CREATE INDEX action_items_by_note ON action_items (note_id) WHERE note_id IS NOT NULL;
CREATE INDEX action_items_by_completion ON action_items (completed_at, completed_by_id) WHERE status = \
'completed';
"}
