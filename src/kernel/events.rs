//! What can happen to things: each row declares its events beside it, whoever writes one names the constant,
//! and whoever waits for one is given the very rows.

use std::{any::Any, marker::PhantomData};

use serde::Serialize;

use super::record::{EventInfo, Record};

/// What an event shows before and after a change: a row, or a row with what the event says beside it.
pub trait Shown: Serialize + 'static {
    /// The row that changes.
    type Row: Record;

    /// The row.
    fn row(&self) -> &Self::Row;
}

impl<M: Record> Shown for M {
    type Row = M;

    fn row(&self) -> &M {
        self
    }
}

/// An event that a row declares. There are no others: what is not among those of its row does not compile.
#[derive(Debug)]
pub struct Event<T> {
    info: &'static EventInfo,
    shows: PhantomData<fn(&T)>,
}

impl<T> Clone for Event<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Event<T> {}

impl<T: Shown> Event<T> {
    /// The event of this name among those of the row.
    #[must_use]
    pub const fn declared(name: &str) -> Self {
        let (kind, events) = (<T::Row as Record>::KIND, <T::Row as Record>::EVENTS);
        assert!(
            begins_with(name, kind) && name.len() > kind.len() && name.as_bytes()[kind.len()] == b'.',
            "the name of an event begins with the kind of its row"
        );
        let mut at = 0;
        while at < events.len() {
            if events[at].name.len() == name.len() && begins_with(events[at].name, name) {
                return Self { info: &events[at], shows: PhantomData };
            }
            at += 1;
        }
        panic!("the row does not declare this event")
    }

    /// What there is to say of it.
    #[must_use]
    pub const fn info(self) -> &'static EventInfo {
        self.info
    }
}

/// Whether a name begins with a word, found out while it is compiled.
const fn begins_with(name: &str, word: &str) -> bool {
    let (name, word) = (name.as_bytes(), word.as_bytes());
    let mut at = 0;
    while at < word.len() {
        if at == name.len() || name[at] != word[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// Declares what can happen to a row, by the version that brought it: the constants by which events are
/// written and awaited, and `EVENTS`, all of them. What is said of one is its description.
#[macro_export]
macro_rules! events {
    (@shown $row:ty) => { $row };
    (@shown $row:ty, $shown:ty) => { $shown };
    ($row:ident { $(since $since:literal {
        $($(#[doc = $description:literal])+ $event:ident $(: $shown:ty)? = $name:literal,)+
    })+ }) => {
        /// Everything that can happen to it.
        pub const EVENTS: &[$crate::kernel::record::EventInfo] = &[$($(
            $crate::kernel::record::EventInfo {
                name: $name,
                description: concat!($($description),+).trim_ascii(),
                since: $since,
            },
        )+)+];

        $($(
            $(#[doc = $description])+
            pub const $event: $crate::kernel::events::Event<$crate::events!(@shown $row $(, $shown)?)> =
                $crate::kernel::events::Event::declared($name);
        )+)+
    };
}

/// A change on its way into the journal, as reactions see it.
#[derive(Debug)]
pub enum Change<'a, T: ?Sized> {
    /// It is new.
    Created(&'a T),
    /// It was there, and is there.
    Changed {
        /// As it was.
        before: &'a T,
        /// As it is.
        after: &'a T,
    },
    /// It is gone.
    Removed(&'a T),
}

impl<T: ?Sized> Clone for Change<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for Change<'_, T> {}

impl<'a, T: ?Sized> Change<'a, T> {
    /// It as it was; none of what is new.
    #[must_use]
    pub const fn before(self) -> Option<&'a T> {
        match self {
            Self::Created(_) => None,
            Self::Changed { before, .. } | Self::Removed(before) => Some(before),
        }
    }

    /// It as it is; none of what is gone.
    #[must_use]
    pub const fn after(self) -> Option<&'a T> {
        match self {
            Self::Created(after) | Self::Changed { after, .. } => Some(after),
            Self::Removed(_) => None,
        }
    }

    /// It as it is, or was last.
    #[must_use]
    pub const fn latest(self) -> &'a T {
        match self {
            Self::Created(row) | Self::Changed { after: row, .. } | Self::Removed(row) => row,
        }
    }

    fn map<U: ?Sized>(self, of: impl Fn(&'a T) -> &'a U) -> Change<'a, U> {
        match self {
            Self::Created(row) => Change::Created(of(row)),
            Self::Changed { before, after } => Change::Changed { before: of(before), after: of(after) },
            Self::Removed(row) => Change::Removed(of(row)),
        }
    }
}

impl<'a, T: 'static> Change<'a, T> {
    /// The same change, whatever it is of.
    pub(super) fn erased(self) -> Change<'a, dyn Any> {
        self.map(|row| row as &dyn Any)
    }
}

impl<'a> Change<'a, dyn Any> {
    /// The change of what it is known to be of.
    pub(super) fn of<T: 'static>(self) -> Change<'a, T> {
        self.map(|row| row.downcast_ref().unwrap_or_else(|| unreachable!("an event always shows the same")))
    }
}
