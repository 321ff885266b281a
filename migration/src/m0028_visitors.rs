//! What strangers say with a form is kept apart from what the shop knows, and a receipt names it.

use sea_orm_migration::prelude::*;

crate::sql! {"
ALTER TABLE work_items ADD COLUMN receipt {text};
ALTER TABLE work_items ADD COLUMN claimed_id {text};
ALTER TABLE work_items ADD COLUMN claims {json};
ALTER TABLE work_items ADD COLUMN conflicts_with_id {uuid};
CREATE UNIQUE INDEX work_items_by_receipt ON work_items (receipt) WHERE receipt IS NOT NULL;
CREATE INDEX work_items_by_claimed_id ON work_items (source, claimed_id) WHERE claimed_id IS NOT NULL;
CREATE INDEX work_items_in_conflict ON work_items (created_at, id) WHERE conflicts_with_id IS NOT NULL;

ALTER TABLE form_submissions ADD COLUMN receipt {text};

ALTER TABLE contacts ADD COLUMN unconfirmed {json} NOT NULL DEFAULT '[]';
"}
