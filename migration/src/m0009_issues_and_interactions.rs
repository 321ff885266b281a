//! What customers bring up and when they did: issues, interactions, and where they meet: actions.

use sea_orm_migration::prelude::*;

crate::sql! {"
CREATE TABLE issues (
    id {uuid} PRIMARY KEY NOT NULL,
    number BIGINT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    types {json} NOT NULL,
    categorised BOOLEAN NOT NULL,
    status TEXT NOT NULL,
    origin TEXT NOT NULL,
    contact_id {uuid},
    subject_type {text},
    subject_id {text},
    assignee_type TEXT NOT NULL,
    assignee_id {uuid},
    origin_type TEXT,
    origin_id {uuid},
    opened_by_id {uuid} NOT NULL,
    opened_at BIGINT NOT NULL,
    closed_at BIGINT,
    closed_by_id {uuid},
    merged_into_id {uuid},
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX issues_open_by_age ON issues (opened_at, id) WHERE status = 'open';
CREATE INDEX issues_open_by_assignee ON issues (assignee_id, opened_at, id) WHERE status = 'open';
CREATE INDEX issues_open_public ON issues (opened_at, id) WHERE status = 'open' AND assignee_id IS NULL;
CREATE INDEX issues_open_uncategorised ON issues (opened_at, id) WHERE status = 'open' AND categorised = \
FALSE;
CREATE INDEX issues_closed_by_age ON issues (opened_at, id) WHERE status = 'closed' AND origin = 'manual';
CREATE INDEX issues_by_age ON issues (opened_at, id);
CREATE INDEX issues_by_contact ON issues (contact_id, opened_at, id) WHERE contact_id IS NOT NULL;
CREATE INDEX issues_by_subject ON issues (subject_type, subject_id, opened_at, id) WHERE subject_type IS NOT \
NULL;
CREATE INDEX issues_by_closing ON issues (closed_at, id) WHERE closed_at IS NOT NULL;
CREATE INDEX issues_merged ON issues (merged_into_id) WHERE merged_into_id IS NOT NULL;

CREATE TABLE issue_types (
    issue_id {uuid} NOT NULL REFERENCES issues (id),
    type {text} NOT NULL,
    PRIMARY KEY (issue_id, type)
) {rowless};
CREATE INDEX issue_types_by_type ON issue_types (type, issue_id);

CREATE TABLE interactions (
    id {uuid} PRIMARY KEY NOT NULL,
    contact_id {uuid} NOT NULL,
    operator_id {uuid} NOT NULL,
    originator TEXT NOT NULL,
    channel {text} NOT NULL,
    channel_other TEXT,
    direction TEXT NOT NULL,
    purpose {text},
    subject_line TEXT NOT NULL,
    subject_line_key {text} NOT NULL,
    detail TEXT NOT NULL,
    outcome {text},
    mood {text},
    call_result TEXT,
    occurred_at BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    duration_seconds BIGINT,
    complete BOOLEAN NOT NULL,
    follow_up_id {uuid},
    subject_type {text},
    subject_id {text},
    work_item_id {uuid},
    who {json},
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX interactions_by_time ON interactions (occurred_at, id);
CREATE INDEX interactions_by_record ON interactions (recorded_at, id);
CREATE INDEX interactions_by_contact ON interactions (contact_id, occurred_at, id);
CREATE INDEX interactions_by_operator ON interactions (operator_id, occurred_at, id);
CREATE INDEX interactions_by_purpose ON interactions (purpose, occurred_at, id);
CREATE INDEX interactions_by_subject ON interactions (subject_type, subject_id, occurred_at, id) WHERE \
subject_type IS NOT NULL;
CREATE INDEX interactions_by_follow_up ON interactions (follow_up_id) WHERE follow_up_id IS NOT NULL;

CREATE TABLE actions (
    id {uuid} PRIMARY KEY NOT NULL,
    interaction_id {uuid} NOT NULL,
    issue_id {uuid} NOT NULL,
    issue_number BIGINT NOT NULL,
    contact_id {uuid} NOT NULL,
    details TEXT NOT NULL,
    follow_up_required BOOLEAN NOT NULL,
    info_used {json} NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    UNIQUE (interaction_id, issue_id)
);
CREATE INDEX actions_by_issue ON actions (issue_id, created_at, id);
CREATE INDEX actions_by_contact ON actions (contact_id, created_at, id);
CREATE INDEX actions_by_age ON actions (created_at, id);

CREATE TABLE action_info_used (
    action_id {uuid} NOT NULL REFERENCES actions (id),
    info {text} NOT NULL,
    occurred_at BIGINT NOT NULL,
    operator_id {uuid} NOT NULL,
    PRIMARY KEY (action_id, info)
) {rowless};
CREATE INDEX action_info_used_by_info ON action_info_used (info, occurred_at);

ALTER TABLE picklist_items ADD COLUMN group_id {uuid};
CREATE INDEX action_items_by_interaction ON action_items (interaction_id) WHERE interaction_id IS NOT NULL;
CREATE INDEX action_items_by_issue ON action_items (issue_id) WHERE issue_id IS NOT NULL;
"}
