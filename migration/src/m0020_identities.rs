//! Who people are to an outside OpenID provider; and signing keys that are kept encrypted.

use sea_orm_migration::prelude::*;

crate::sql! {"
CREATE TABLE identities (
    id {uuid} PRIMARY KEY NOT NULL,
    user_id {uuid} NOT NULL REFERENCES users (id),
    issuer {text} NOT NULL,
    subject {text} NOT NULL,
    email TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE UNIQUE INDEX identities_by_subject ON identities (issuer, subject);
CREATE UNIQUE INDEX identities_by_user ON identities (user_id, issuer);
CREATE INDEX identities_by_age ON identities (user_id, created_at, id);

ALTER TABLE signing_keys ADD COLUMN sealed BOOLEAN NOT NULL DEFAULT FALSE;
"}
