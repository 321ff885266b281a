//! Connectors: the shops whose customers and orders are fetched.

use sea_orm_migration::prelude::*;

crate::sql! {"
CREATE TABLE connectors (
    id {uuid} PRIMARY KEY NOT NULL,
    name {text} NOT NULL,
    kind TEXT NOT NULL,
    source {text} NOT NULL UNIQUE,
    base_url TEXT NOT NULL,
    api_version TEXT,
    map {json},
    credentials TEXT,
    credentials_hint TEXT,
    schedule TEXT,
    time_zone TEXT NOT NULL,
    active BOOLEAN NOT NULL,
    next_run_at BIGINT,
    failures BIGINT NOT NULL,
    job_id {uuid},
    synced_until BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX connectors_by_name ON connectors (name, id);
CREATE INDEX connectors_by_age ON connectors (created_at, id);
CREATE INDEX connectors_due ON connectors (next_run_at, id) WHERE next_run_at IS NOT NULL
"}
