//! What other modules know of a contact: orders, deliveries, invoices, payments, journeys, equipment.

use sea_orm_migration::prelude::*;

crate::sql! {"
CREATE TABLE facts (
    id {uuid} PRIMARY KEY NOT NULL,
    contact_id {uuid} NOT NULL REFERENCES contacts (id),
    module {text} NOT NULL,
    external_id {text} NOT NULL,
    title TEXT NOT NULL,
    status TEXT,
    occurred_at BIGINT NOT NULL,
    amount TEXT,
    currency TEXT,
    url TEXT,
    data {json} NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE UNIQUE INDEX facts_of_contact ON facts (contact_id, module, external_id);
CREATE INDEX facts_by_age ON facts (contact_id, occurred_at, id);
CREATE INDEX facts_by_module ON facts (contact_id, module, occurred_at, id);
"}
