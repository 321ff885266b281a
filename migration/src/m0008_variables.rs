//! Drop-downs of the shop's own on contacts and action items, and what items are found by.

use sea_orm_migration::prelude::*;

crate::sql! {"
CREATE TABLE variables (
    id {uuid} PRIMARY KEY NOT NULL,
    key {text} NOT NULL UNIQUE,
    label TEXT NOT NULL,
    labels {json} NOT NULL,
    picklist {text} NOT NULL REFERENCES picklists (name),
    required BOOLEAN NOT NULL,
    applies_to {json} NOT NULL,
    active BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX variables_by_key ON variables (active, key, id);

ALTER TABLE action_items ADD COLUMN contact_status {text};
ALTER TABLE action_items ADD COLUMN variables {json} NOT NULL DEFAULT '{}';
CREATE INDEX action_items_by_contact_status ON action_items (contact_status, due_at, id) WHERE \
contact_status IS NOT NULL;
CREATE INDEX action_items_open_by_contact_status ON action_items (contact_status, due_at, id) WHERE status = \
'open' AND contact_status IS NOT NULL;

CREATE TABLE action_item_variables (
    item_id {uuid} NOT NULL REFERENCES action_items (id),
    variable {text} NOT NULL,
    value {text} NOT NULL,
    due_at BIGINT NOT NULL,
    open BOOLEAN NOT NULL,
    PRIMARY KEY (item_id, variable)
) {rowless};
CREATE INDEX action_item_variables_by_due ON action_item_variables (variable, value, due_at, item_id);
CREATE INDEX action_item_variables_open_by_due ON action_item_variables (variable, value, due_at, item_id) \
WHERE open;
"}
