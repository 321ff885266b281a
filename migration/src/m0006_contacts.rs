//! Whom the work is about: contacts, the keys they are known by, and their place in the journal.

use sea_orm_migration::prelude::*;

crate::sql! {"
CREATE TABLE contacts (
    id {uuid} PRIMARY KEY NOT NULL,
    root_id {uuid} NOT NULL,
    merged_into_id {uuid},
    absorbed BIGINT NOT NULL,
    kind TEXT NOT NULL,
    registered BOOLEAN NOT NULL,
    first_names TEXT NOT NULL,
    last_name TEXT NOT NULL,
    company TEXT NOT NULL,
    name TEXT NOT NULL,
    sort_name {text} NOT NULL,
    emails {json} NOT NULL,
    phones {json} NOT NULL,
    postal_code TEXT,
    postal_key {text} NOT NULL,
    country {text},
    time_zone TEXT,
    language TEXT,
    other TEXT NOT NULL,
    external_ids {json} NOT NULL,
    status {text} NOT NULL,
    status_since BIGINT,
    status_by_id {uuid},
    owner_id {uuid},
    variables {json} NOT NULL,
    marketing {json} NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX contacts_by_name ON contacts (sort_name, id) WHERE merged_into_id IS NULL;
CREATE INDEX contacts_by_age ON contacts (created_at, id) WHERE merged_into_id IS NULL;
CREATE INDEX contacts_by_change ON contacts (updated_at, id) WHERE merged_into_id IS NULL;
CREATE INDEX contacts_by_state ON contacts (status, id) WHERE merged_into_id IS NULL;
CREATE INDEX contacts_by_status ON contacts (status, sort_name, id) WHERE merged_into_id IS NULL;
CREATE INDEX contacts_by_kind ON contacts (kind, sort_name, id) WHERE merged_into_id IS NULL;
CREATE INDEX contacts_by_place ON contacts (country, postal_key, id) WHERE merged_into_id IS NULL;
CREATE INDEX contacts_by_postal_code ON contacts (postal_key, id) WHERE merged_into_id IS NULL;
CREATE INDEX contacts_by_owner ON contacts (owner_id, sort_name, id) WHERE merged_into_id IS NULL AND \
owner_id IS NOT NULL;
CREATE INDEX contacts_by_root ON contacts (root_id) WHERE merged_into_id IS NOT NULL;

CREATE TABLE contact_keys (
    kind TEXT NOT NULL,
    key {text} NOT NULL,
    contact_id {uuid} NOT NULL REFERENCES contacts (id),
    PRIMARY KEY (kind, key, contact_id)
) {rowless};
CREATE INDEX contact_keys_by_contact ON contact_keys (contact_id);
CREATE UNIQUE INDEX contact_keys_external ON contact_keys (key) WHERE kind = 'external';

ALTER TABLE journal ADD COLUMN contact_id {uuid};
CREATE INDEX journal_by_contact ON journal (contact_id, at, id) WHERE contact_id IS NOT NULL;
CREATE INDEX notes_by_contact ON notes (contact_id, created_at, id) WHERE contact_id IS NOT NULL;
CREATE INDEX action_items_by_contact ON action_items (contact_id, due_at, id) WHERE contact_id IS NOT NULL;
CREATE INDEX action_items_open_by_contact ON action_items (contact_id, due_at, id) WHERE status = 'open' AND \
contact_id IS NOT NULL;

INSERT INTO picklist_items (id, picklist_id, key, label, labels, color, polarity, duration, position, \
active, created_at, updated_at, version)
    SELECT {contact_word}, id, 'contact', 'Contact', '{\"fr\":\"Contact\"}', NULL, NULL, NULL, 5, TRUE, \
    1767225600000000, 1767225600000000, 1
    FROM picklists WHERE name = 'subject_types'
    AND NOT EXISTS (SELECT 1 FROM picklist_items AS taken WHERE taken.picklist_id = picklists.id AND \
    taken.key = 'contact');
"}
