//! Long texts of the journal: each is kept once for the thing that it is of, however many entries it is in.

use sea_orm_migration::prelude::*;

crate::sql! {"
ALTER TABLE journal ADD COLUMN texts {json};

CREATE TABLE journal_texts (
    record_id {uuid} NOT NULL,
    digest TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (record_id, digest)
);
"}
