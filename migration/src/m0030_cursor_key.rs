//! The key that makes cursors ours: nobody else can write one.

use sea_orm_migration::prelude::*;

crate::sql! {"
CREATE TABLE cursor_key (
    cursor_key TEXT PRIMARY KEY NOT NULL
);
INSERT INTO cursor_key (cursor_key) VALUES ({random});
"}
