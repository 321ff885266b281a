//! Rows whose every change is journalled: what each says of itself.

use sea_orm::{EntityTrait, IntoActiveModel, ModelTrait};
use serde::Serialize;
use uuid::Uuid;

use super::{clock::Timestamp, searchable::Searchable};

/// What there is to say of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventInfo {
    /// Its name, which begins with the kind of thing: `note.created`.
    pub name: &'static str,
    /// When it happens.
    pub description: &'static str,
    /// The version that wrote it first.
    pub since: &'static str,
}

/// Who may see an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Everyone on staff.
    Staff,
    /// Administrators: set-up and access.
    Admins,
    /// Whoever did it, and those who see to everybody's work.
    Own,
}

impl Audience {
    /// As the table keeps it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Staff => "staff",
            Self::Admins => "admins",
            Self::Own => "own",
        }
    }
}

/// Where a thing belongs in the histories that people read.
#[derive(Clone, Debug)]
pub struct EventPlacement {
    /// What people call it.
    pub title: String,
    /// The cart object it is about: type and id.
    pub subject: Option<(String, String)>,
    /// The contact it is about.
    pub contact: Option<Uuid>,
    /// Who may see its events.
    pub audience: Audience,
}

impl EventPlacement {
    /// Something of the set-up, which only administrators see.
    #[must_use]
    pub fn set_up(title: &str) -> Self {
        Self { title: title.to_owned(), subject: None, contact: None, audience: Audience::Admins }
    }
}

/// A row whose every change is journalled. Its `Serialize` is its public form: no hash, no secret.
pub trait Record:
    ModelTrait + IntoActiveModel<<Self::Entity as EntityTrait>::ActiveModel> + Clone + Serialize + 'static
{
    /// The kind in event names: `note` in `note.created`.
    const KIND: &'static str;
    /// Everything that can happen to it, as [`events!`](crate::events) beside it declares.
    const EVENTS: &'static [EventInfo];

    /// Its id.
    fn id(&self) -> Uuid;
    /// Its version, which `ETag` carries.
    fn version(&self) -> i64;
    /// Marks it changed: one version up, at this time.
    fn touch(&mut self, now: Timestamp);
    /// Where it belongs.
    fn placement(&self) -> EventPlacement;

    /// What of it full text finds; nothing of most.
    fn searchable(&self) -> Option<Searchable<'_>> {
        None
    }
}

/// Makes a row a [`Record`]: its kind, where it belongs, and what of it full text finds, if anything; its
/// events stand beside it. The row has an `id`, a `version` and an `updated_at`, unless it is `undated`;
/// queries join by the columns they name, so it declares no relations.
#[macro_export]
macro_rules! record {
    ($model:ident, $kind:literal, undated, |$row:ident| $placement:expr) => {
        $crate::record!(@ $model, $kind, |$row| $placement, |_now| ());
    };
    ($model:ident, $kind:literal, |$row:ident| $placement:expr $(, searchable $searchable:expr)?) => {
        $crate::record!(@ $model, $kind, |$row| $placement,
            |now| $row.updated_at = now $(, searchable $searchable)?);
    };
    (@ $model:ident, $kind:literal, |$row:ident| $placement:expr,
        |$now:ident| $date:expr $(, searchable $searchable:expr)?) => {
        /// None: queries join by the columns they name.
        #[derive(Copy, Clone, Debug, sea_orm::EnumIter, sea_orm::DeriveRelation)]
        pub enum Relation {}

        impl sea_orm::ActiveModelBehavior for ActiveModel {}

        impl $crate::kernel::record::Record for $model {
            const KIND: &'static str = $kind;
            const EVENTS: &'static [$crate::kernel::record::EventInfo] = EVENTS;

            fn id(&self) -> uuid::Uuid {
                self.id
            }

            fn version(&self) -> i64 {
                self.version
            }

            fn touch(&mut self, $now: $crate::kernel::clock::Timestamp) {
                let $row = self;
                $row.version += 1;
                $date;
            }

            fn placement(&self) -> $crate::kernel::record::EventPlacement {
                let $row = self;
                $placement
            }

            $(fn searchable(&self) -> Option<$crate::kernel::searchable::Searchable<'_>> {
                let $row = self;
                $searchable
            })?
        }
    };
}
