//! What the administrator sets up: picklists and their items.

use sea_orm_migration::prelude::*;

crate::sql! {"
CREATE TABLE picklists (
    id {uuid} PRIMARY KEY NOT NULL,
    name {text} NOT NULL UNIQUE,
    description TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);

CREATE TABLE picklist_items (
    id {uuid} PRIMARY KEY NOT NULL,
    picklist_id {uuid} NOT NULL REFERENCES picklists (id),
    key {text} NOT NULL,
    label TEXT NOT NULL,
    labels {json} NOT NULL,
    color TEXT,
    polarity TEXT,
    duration TEXT,
    position BIGINT NOT NULL,
    active BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    UNIQUE (picklist_id, key)
);
CREATE INDEX picklist_items_in_order ON picklist_items (picklist_id, position, id);
"}
