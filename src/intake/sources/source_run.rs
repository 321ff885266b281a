//! The row of one run of a source. Its job is in the journal; this is how far it came.

use sea_orm::entity::prelude::*;

use crate::kernel::{clock::Timestamp, jobs::JobStatus};

crate::choice! {
    /// What had a source pulled from.
    StartedBy {
        /// Its schedule.
        Schedule = "schedule",
        /// Somebody.
        Request = "request",
    }
}

/// A run.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "source_runs")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Of which source.
    pub source_id: Uuid,
    /// The job that does it.
    pub job_id: Uuid,
    /// What began it.
    pub started_by: StartedBy,
    /// How far it is.
    pub status: JobStatus,
    /// Rows that were read.
    pub rows_read: i64,
    /// Work items that came of them.
    pub rows_created: i64,
    /// Work items that they changed.
    pub rows_updated: i64,
    /// Rows that said nothing new.
    pub rows_skipped: i64,
    /// Rows that broke a rule.
    pub rows_quarantined: i64,
    /// The page that it is at, while it goes on: an address of the feed's own may say more than anybody
    /// should read.
    pub page: Option<String>,
    /// Why it failed.
    pub problem: Option<Json>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// None: queries join by the columns they name.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

crate::listed!(Model, |row| row.id, default "-created_at", sorts {
    "created_at" => Column::CreatedAt, row.created_at.into();
});
