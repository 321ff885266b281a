//! Failures of an account count for the address that they come from, and the wait grows with them.

use sea_orm_migration::prelude::*;

crate::sql! {"
DROP TABLE sign_in_failures;
CREATE TABLE sign_in_failures (
    failed_key {text} PRIMARY KEY NOT NULL,
    failures BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL
);
CREATE INDEX sign_in_failures_by_age ON sign_in_failures (last_at);
"}
