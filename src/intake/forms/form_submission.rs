//! The row of a submission that came: what it was by its fingerprint, and what became of it.

use sea_orm::entity::prelude::*;

use crate::kernel::clock::Timestamp;

/// A submission, remembered for a day.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "form_submissions")]
pub struct Model {
    /// The form.
    #[sea_orm(primary_key, auto_increment = false)]
    pub form_id: Uuid,
    /// A digest of what was sent.
    #[sea_orm(primary_key, auto_increment = false)]
    pub fingerprint: String,
    /// The work item that came of it; of what was thrown away, an id that nothing has.
    pub work_item_id: Uuid,
    /// What a visitor was told to name it by.
    pub receipt: Option<String>,
    /// When it came.
    pub posted_at: Timestamp,
}

/// None: queries join by the columns they name.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
