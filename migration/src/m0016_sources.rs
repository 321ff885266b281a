//! Sources: the feeds of other sites, each run of them, what came of each row, and the rows that could not be
//! read.

use sea_orm_migration::prelude::*;

crate::sql! {"
CREATE TABLE sources (
    id {uuid} PRIMARY KEY NOT NULL,
    key {text} NOT NULL UNIQUE,
    name {text} NOT NULL,
    url TEXT NOT NULL,
    format TEXT NOT NULL,
    rows TEXT NOT NULL,
    work_item_type {text} NOT NULL REFERENCES work_item_types (key),
    mapping {json} NOT NULL,
    next TEXT,
    cursor_parameter TEXT,
    since_parameter TEXT,
    credentials TEXT,
    credentials_hint TEXT,
    schedule TEXT,
    time_zone TEXT NOT NULL,
    active BOOLEAN NOT NULL,
    cursor TEXT,
    since BIGINT,
    next_run_at BIGINT,
    failures BIGINT NOT NULL,
    job_id {uuid},
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX sources_by_name ON sources (name, id);
CREATE INDEX sources_by_age ON sources (created_at, id);
CREATE INDEX sources_due ON sources (next_run_at, id) WHERE next_run_at IS NOT NULL;

CREATE TABLE source_runs (
    id {uuid} PRIMARY KEY NOT NULL,
    source_id {uuid} NOT NULL REFERENCES sources (id),
    job_id {uuid} NOT NULL,
    started_by TEXT NOT NULL,
    status TEXT NOT NULL,
    rows_read BIGINT NOT NULL,
    rows_created BIGINT NOT NULL,
    rows_updated BIGINT NOT NULL,
    rows_skipped BIGINT NOT NULL,
    rows_quarantined BIGINT NOT NULL,
    problem {json},
    created_at BIGINT NOT NULL,
    finished_at BIGINT
);
CREATE INDEX source_runs_by_age ON source_runs (source_id, created_at, id);
CREATE INDEX source_runs_by_job ON source_runs (job_id);
CREATE INDEX source_runs_finished ON source_runs (finished_at) WHERE finished_at IS NOT NULL;

CREATE TABLE source_items (
    source_id {uuid} NOT NULL REFERENCES sources (id),
    external_id {text} NOT NULL,
    said TEXT NOT NULL,
    work_item_id {uuid} NOT NULL,
    PRIMARY KEY (source_id, external_id)
) {rowless};

CREATE TABLE quarantined_rows (
    id {uuid} PRIMARY KEY NOT NULL,
    source_id {uuid} NOT NULL REFERENCES sources (id),
    external_id {text} NOT NULL,
    problem {json} NOT NULL,
    content {json} NOT NULL,
    whole BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE UNIQUE INDEX quarantined_rows_of_source ON quarantined_rows (source_id, external_id);
CREATE INDEX quarantined_rows_by_age ON quarantined_rows (source_id, created_at, id);
"}
