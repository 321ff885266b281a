//! Addresses of feeds whole and sealed, beside what of them is shown; and where a run is, which is nobody's
//! to read.

use sea_orm_migration::prelude::*;

crate::sql! {"
ALTER TABLE sources ADD COLUMN address TEXT;
ALTER TABLE source_runs ADD COLUMN page TEXT;
"}
