//! What lies in each person's inbox, and whether they have read it.

use sea_orm_migration::prelude::*;

crate::sql! {"
CREATE TABLE inbox_entries (
    id {uuid} PRIMARY KEY NOT NULL,
    user_id {uuid} NOT NULL,
    owner_id {uuid} NOT NULL,
    kind TEXT NOT NULL,
    is_work BOOLEAN NOT NULL,
    thing_id {uuid} NOT NULL,
    contact_id {uuid} NOT NULL,
    priority SMALLINT NOT NULL,
    received_at BIGINT NOT NULL,
    unread BOOLEAN NOT NULL,
    read_at BIGINT,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    UNIQUE (user_id, thing_id)
);
CREATE INDEX inbox_entries_by_age ON inbox_entries (user_id, is_work, received_at, id);
CREATE INDEX inbox_entries_by_state ON inbox_entries (user_id, is_work, unread, received_at, id);
CREATE INDEX inbox_entries_by_priority ON inbox_entries (user_id, is_work, priority, received_at, id);
CREATE INDEX inbox_entries_by_priority_and_state ON inbox_entries (user_id, is_work, priority, unread, \
received_at, id);
CREATE INDEX inbox_entries_by_thing ON inbox_entries (thing_id);
CREATE INDEX inbox_entries_by_owner ON inbox_entries (owner_id, user_id);
"}
