//! The row of a routing rule, and how it sorts.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use super::{conditions::RoutingConditions, target::RoutingTarget};
use crate::kernel::{clock::Timestamp, list::Key, record::EventPlacement};

/// A rule by which work finds its people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, DeriveEntityModel)]
#[sea_orm(table_name = "routing_rules")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// What people call it.
    pub name: String,
    /// Whether it is tried.
    pub active: bool,
    /// Its place in the order.
    pub position: i64,
    /// When it applies.
    pub conditions: RoutingConditions,
    /// Whom it gives work to.
    pub target: RoutingTarget,
    /// Whose turn it was last; whoever gives a turn holds the row.
    #[serde(skip)]
    pub last_user_id: Option<Uuid>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How often it changed.
    pub version: i64,
}

crate::record!(Model, "routing_rule", |row| EventPlacement::set_up(&row.name));

crate::events!(Model {
    since "0.1.0" {
        /// A routing rule was added.
        CREATED = "routing_rule.created",
        /// A routing rule was changed.
        UPDATED = "routing_rule.updated",
        /// A routing rule was switched off.
        SWITCHED_OFF = "routing_rule.switched_off",
        /// A routing rule was switched on.
        SWITCHED_ON = "routing_rule.switched_on",
        /// A routing rule was put in another place of their order.
        MOVED = "routing_rule.moved",
    }
});

crate::listed!(Model, |row| row.id, default "position", sorts {
    "position" => Column::Position, Key::Int(row.position);
});
