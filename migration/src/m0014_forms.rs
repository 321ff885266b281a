//! Forms of web sites, what they sent, the keys with which their pages send it, and what decided who got the
//! work.

use sea_orm_migration::prelude::*;

crate::sql! {"
ALTER TABLE api_keys ADD COLUMN bounds {json};
CREATE INDEX api_keys_bound ON api_keys (id) WHERE bounds IS NOT NULL;

ALTER TABLE work_items ADD COLUMN routed_by {json};

CREATE TABLE forms (
    id {uuid} PRIMARY KEY NOT NULL,
    key {text} NOT NULL UNIQUE,
    title TEXT NOT NULL,
    work_item_type {text} NOT NULL REFERENCES work_item_types (key),
    mapping {json} NOT NULL,
    active BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX forms_by_key ON forms (active, key, id);

CREATE TABLE form_submissions (
    form_id {uuid} NOT NULL REFERENCES forms (id),
    fingerprint {text} NOT NULL,
    work_item_id {uuid} NOT NULL,
    posted_at BIGINT NOT NULL,
    PRIMARY KEY (form_id, fingerprint)
) {rowless};
CREATE INDEX form_submissions_by_age ON form_submissions (posted_at);
"}
