//! What happened: the journal; what was answered: idempotency keys; what takes long: jobs.

use sea_orm_migration::prelude::*;

crate::sql! {"
CREATE TABLE journal (
    id {uuid} PRIMARY KEY NOT NULL,
    sequence BIGINT UNIQUE,
    written {counted},
    at BIGINT NOT NULL,
    event TEXT NOT NULL,
    kind TEXT NOT NULL,
    record_id {uuid} NOT NULL,
    title TEXT NOT NULL,
    subject_type {text},
    subject_id {text},
    audience TEXT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id {uuid} NOT NULL,
    actor_name TEXT NOT NULL,
    acting_for_id {uuid},
    acting_for_name TEXT,
    request_id TEXT NOT NULL,
    before {json},
    after {json}
);
CREATE INDEX journal_unnumbered ON journal (written) WHERE sequence IS NULL;
CREATE INDEX journal_by_subject ON journal (subject_type, subject_id, at, id) WHERE subject_type IS NOT NULL;
CREATE INDEX journal_by_record ON journal (record_id, at, id);

CREATE TABLE idempotency_keys (
    principal_id {uuid} NOT NULL,
    operation TEXT NOT NULL,
    retry_key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    status INTEGER NOT NULL,
    location TEXT,
    version BIGINT,
    body TEXT NOT NULL,
    PRIMARY KEY (principal_id, operation, retry_key)
) {rowless};
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

CREATE TABLE jobs (
    id {uuid} PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL,
    title TEXT NOT NULL,
    payload {json} NOT NULL,
    status TEXT NOT NULL,
    done BIGINT NOT NULL,
    total BIGINT NOT NULL,
    result {json},
    problem {json},
    created_by_id {uuid} NOT NULL,
    asked {json} NOT NULL,
    attempts BIGINT NOT NULL,
    lease_until BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    finished_at BIGINT,
    version BIGINT NOT NULL
);
CREATE INDEX jobs_by_age ON jobs (created_at, id);
CREATE INDEX jobs_waiting ON jobs (created_at, id) WHERE finished_at IS NULL;
"}
