//! Who may come in: users, groups, sessions, keys.

use sea_orm_migration::prelude::*;

crate::sql! {"
CREATE TABLE users (
    id {uuid} PRIMARY KEY NOT NULL,
    email TEXT NOT NULL,
    email_key {text} NOT NULL UNIQUE,
    name {text} NOT NULL,
    role TEXT NOT NULL,
    active BOOLEAN NOT NULL,
    time_zone TEXT NOT NULL,
    language TEXT,
    password_hash TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX users_by_name ON users (name, id);
CREATE INDEX users_by_age ON users (created_at, id);

CREATE TABLE groups (
    id {uuid} PRIMARY KEY NOT NULL,
    key {text} NOT NULL UNIQUE,
    name {text} NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX groups_by_name ON groups (name, id);

CREATE TABLE group_members (
    group_id {uuid} NOT NULL REFERENCES groups (id),
    user_id {uuid} NOT NULL REFERENCES users (id),
    joined_at BIGINT NOT NULL,
    PRIMARY KEY (group_id, user_id)
) {rowless};
CREATE INDEX group_members_by_user ON group_members (user_id);

CREATE TABLE sessions (
    id {uuid} PRIMARY KEY NOT NULL,
    user_id {uuid} NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT,
    version BIGINT NOT NULL
);
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE refresh_tokens (
    hash {text} PRIMARY KEY NOT NULL,
    session_id {uuid} NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session_id);
CREATE INDEX refresh_tokens_by_use ON refresh_tokens (used_at) WHERE used_at IS NOT NULL;

CREATE TABLE signing_keys (
    id {text} PRIMARY KEY NOT NULL,
    private_key {bytes} NOT NULL,
    public_key {text} NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE sign_in_failures (
    failed_key {text} PRIMARY KEY NOT NULL,
    failures BIGINT NOT NULL,
    first_at BIGINT NOT NULL
);
CREATE INDEX sign_in_failures_by_age ON sign_in_failures (first_at);

CREATE TABLE api_keys (
    id {uuid} PRIMARY KEY NOT NULL,
    name {text} NOT NULL,
    secret_hash {text} NOT NULL UNIQUE,
    hint TEXT NOT NULL,
    scopes {json} NOT NULL,
    user_id {uuid} REFERENCES users (id),
    created_by_id {uuid} NOT NULL,
    expires_at BIGINT,
    last_used_at BIGINT,
    revoked_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX api_keys_by_name ON api_keys (name, id);
CREATE INDEX api_keys_by_user ON api_keys (user_id);
CREATE INDEX api_keys_by_age ON api_keys (created_at, id);
"}
