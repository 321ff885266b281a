//! Rules by which work finds its people, in their order.

use sea_orm_migration::prelude::*;

crate::sql! {"
CREATE TABLE routing_rules (
    id {uuid} PRIMARY KEY NOT NULL,
    name {text} NOT NULL,
    active BOOLEAN NOT NULL,
    position BIGINT NOT NULL,
    conditions {json} NOT NULL,
    target {json} NOT NULL,
    last_user_id {uuid},
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX routing_rules_in_order ON routing_rules (position, id);
"}
