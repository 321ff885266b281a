//! What filters are made of: alternatives, people, and their conditions.

use std::{borrow::Cow, fmt, marker::PhantomData, str::FromStr};

use sea_orm::{
    DbBackend,
    sea_query::{Cond, Expr, ExprTrait, LikeExpr, SelectStatement},
};
use serde::{Deserialize, Deserializer, de};
use utoipa::{PartialSchema, ToSchema, openapi};
use uuid::Uuid;

use super::{
    record::Record,
    search::{self, Terms},
    text::TOO_LONG,
};

/// Characters of a filter at the most: no query has more values than a database takes.
pub const MAX_LENGTH: usize = 10_000;
/// What can stand beside others in one query parameter.
pub trait Alternative {
    /// How it is written, as a regular expression; nothing when any text will do.
    fn pattern() -> Option<String>;
}

impl Alternative for String {
    fn pattern() -> Option<String> {
        None
    }
}

impl Alternative for Uuid {
    fn pattern() -> Option<String> {
        const HEX: &str = "[0-9A-Fa-f]";
        Some(format!("{HEX}{{8}}(-{HEX}{{4}}){{3}}-{HEX}{{12}}"))
    }
}

/// The regular expression of one or more, joined by commas.
#[must_use]
pub fn joined(one: &str) -> String {
    format!("^({one})(,({one}))*$")
}

/// Alternatives of one parameter at the most.
pub const MAX_ALTERNATIVES: usize = 200;

/// Alternatives in one query parameter: `status=open,completed` means either.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnyOf<T>(pub Vec<T>);

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for AnyOf<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<T>(PhantomData<T>);
        impl<T: FromStr<Err: fmt::Display>> de::Visitor<'_> for Visitor<T> {
            type Value = AnyOf<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("values joined by commas")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<AnyOf<T>, E> {
                if text.chars().count() > MAX_LENGTH {
                    return Err(E::custom(format_args!("{TOO_LONG} {MAX_LENGTH} characters")));
                }
                if text.split(',').nth(MAX_ALTERNATIVES).is_some() {
                    return Err(E::custom(format_args!(
                        "expected {MAX_ALTERNATIVES} alternatives at the most"
                    )));
                }
                text.split(',')
                    .map(|part| part.parse().map_err(|error| E::custom(format_args!("{part:?}: {error}"))))
                    .collect::<Result<_, E>>()
                    .map(AnyOf)
            }
        }
        deserializer.deserialize_str(Visitor(PhantomData))
    }
}

impl<T: Alternative> PartialSchema for AnyOf<T> {
    fn schema() -> openapi::RefOr<openapi::Schema> {
        let pattern = T::pattern().map(|one| joined(&one));
        openapi::ObjectBuilder::new()
            .schema_type(openapi::schema::Type::String)
            .description(Some("One or more, joined by commas, 200 at the most; any of them will do."))
            .pattern(pattern)
            .into()
    }
}

impl<T: Alternative> ToSchema for AnyOf<T> {
    fn name() -> Cow<'static, str> {
        let one = std::any::type_name::<T>();
        format!("AnyOf{}", one.rsplit("::").next().unwrap_or(one)).into()
    }
}

/// A yes or no in a query string.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flag(pub bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Flag;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true or false")
            }
            fn visit_bool<E>(self, value: bool) -> Result<Flag, E> {
                Ok(Flag(value))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Flag, E> {
                // As programs write them: Python says True, forms say on, many say 1.
                match text.to_ascii_lowercase().as_str() {
                    "true" | "1" | "yes" | "on" => Ok(Flag(true)),
                    "false" | "0" | "no" | "off" => Ok(Flag(false)),
                    _ => Err(E::custom("expected true or false")),
                }
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// A whole number in a query string, within its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number<const MIN: i64, const MAX: i64>(pub i64);

impl<'de, const MIN: i64, const MAX: i64> Deserialize<'de> for Number<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<const MIN: i64, const MAX: i64>;
        impl<const MIN: i64, const MAX: i64> de::Visitor<'_> for Visitor<MIN, MAX> {
            type Value = Number<MIN, MAX>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a number from {MIN} to {MAX}")
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
                if (MIN..=MAX).contains(&number) {
                    Ok(Number(number))
                } else {
                    Err(E::custom(format_args!("expected a number from {MIN} to {MAX}")))
                }
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
                self.visit_i64(i64::try_from(number).unwrap_or(i64::MAX))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                let number = text
                    .parse()
                    .map_err(|_| E::custom(format_args!("expected a number from {MIN} to {MAX}")))?;
                self.visit_i64(number)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// A filter struct, as the list mechanism uses it.
pub trait Filter: de::DeserializeOwned + Default + utoipa::IntoParams + 'static {}

impl<F: de::DeserializeOwned + Default + utoipa::IntoParams + 'static> Filter for F {}

/// Adds conditions to a list without repeating its `if let`s.
pub trait FilterExt {
    /// The column is one of the alternatives, when there are any.
    fn any_of<T: Clone + Into<sea_orm::Value>>(
        &mut self,
        column: Expr,
        alternatives: Option<&AnyOf<T>>,
    ) -> &mut Self;
    /// The column is something, and none of these, when there are any.
    fn none_of<T: Clone + Into<sea_orm::Value>>(
        &mut self,
        column: Expr,
        these: Option<&AnyOf<T>>,
    ) -> &mut Self;
    /// The column is something, or nothing, when either is asked for.
    fn is_present(&mut self, column: Expr, wanted: Option<Flag>) -> &mut Self;
    /// The column is this value, when it is given.
    fn equals<T: Into<sea_orm::Value>>(&mut self, column: Expr, value: Option<T>) -> &mut Self;
    /// The column has the text in it somewhere, when it is given.
    fn contains(&mut self, column: Expr, text: Option<&str>) -> &mut Self;
    /// The column is in a half-open range.
    fn between<T: Into<sea_orm::Value>>(
        &mut self,
        column: Expr,
        from: Option<T>,
        before: Option<T>,
    ) -> &mut Self;
    /// The row of this id has the words, when there are any.
    fn matching<M: Record>(&mut self, id: Expr, words: Option<&Terms>, backend: DbBackend) -> &mut Self;
}

impl FilterExt for SelectStatement {
    fn any_of<T: Clone + Into<sea_orm::Value>>(
        &mut self,
        column: Expr,
        alternatives: Option<&AnyOf<T>>,
    ) -> &mut Self {
        match alternatives {
            Some(AnyOf(values)) => match values.as_slice() {
                [one] => self.and_where(column.eq(one.clone().into())),
                many => self.and_where(column.is_in(many.iter().cloned().map(Into::<sea_orm::Value>::into))),
            },
            None => self,
        }
    }

    fn none_of<T: Clone + Into<sea_orm::Value>>(
        &mut self,
        column: Expr,
        these: Option<&AnyOf<T>>,
    ) -> &mut Self {
        match these {
            Some(AnyOf(values)) => {
                self.and_where(column.is_not_in(values.iter().cloned().map(Into::<sea_orm::Value>::into)))
            }
            None => self,
        }
    }

    fn is_present(&mut self, column: Expr, wanted: Option<Flag>) -> &mut Self {
        match wanted {
            Some(Flag(true)) => self.and_where(column.is_not_null()),
            Some(Flag(false)) => self.and_where(column.is_null()),
            None => self,
        }
    }

    fn equals<T: Into<sea_orm::Value>>(&mut self, column: Expr, value: Option<T>) -> &mut Self {
        match value {
            Some(value) => self.and_where(column.eq(value.into())),
            None => self,
        }
    }

    fn contains(&mut self, column: Expr, text: Option<&str>) -> &mut Self {
        let Some(text) = text else { return self };
        let literal: String = text
            .chars()
            .flat_map(|c| ['\\'].into_iter().filter(move |_| matches!(c, '%' | '_' | '\\')).chain([c]))
            .collect();
        self.and_where(column.like(LikeExpr::new(format!("%{literal}%")).escape('\\')))
    }

    fn between<T: Into<sea_orm::Value>>(
        &mut self,
        column: Expr,
        from: Option<T>,
        before: Option<T>,
    ) -> &mut Self {
        if let Some(from) = from {
            self.and_where(column.clone().gte(from.into()));
        }
        if let Some(before) = before {
            self.and_where(column.lt(before.into()));
        }
        self
    }

    fn matching<M: Record>(&mut self, id: Expr, words: Option<&Terms>, backend: DbBackend) -> &mut Self {
        match words {
            Some(words) => self.and_where(search::has::<M>(id, words, backend)),
            None => self,
        }
    }
}

/// Whom a filter means: `me`, `public`, `user:<id>`, `group:<id>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnerFilter {
    /// The caller.
    Me,
    /// The public queue.
    Public,
    /// Nobody; nothing is ever nobody's, so this finds nothing.
    Nobody,
    /// One person.
    User(Uuid),
    /// One group.
    Group(Uuid),
}

impl FromStr for OwnerFilter {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WANTED: &str = "expected me, public, none, user:<id> or group:<id>";
        match text.split_once(':') {
            None => match text {
                "me" => Ok(Self::Me),
                "public" => Ok(Self::Public),
                "none" => Ok(Self::Nobody),
                _ => Err(WANTED),
            },
            Some(("user", id)) => id.parse().map(Self::User).map_err(|_| WANTED),
            Some(("group", id)) => id.parse().map(Self::Group).map_err(|_| WANTED),
            Some(_) => Err(WANTED),
        }
    }
}

impl Alternative for OwnerFilter {
    fn pattern() -> Option<String> {
        Uuid::pattern().map(|id| format!("me|public|none|(user|group):{id}"))
    }
}

/// The people and groups among owners; an id alone tells one from the other.
fn ids_of(owners: &[OwnerFilter], me: Option<Uuid>) -> Vec<Uuid> {
    let id = |owner: &OwnerFilter| match owner {
        OwnerFilter::Me => me,
        OwnerFilter::User(id) | OwnerFilter::Group(id) => Some(*id),
        OwnerFilter::Public | OwnerFilter::Nobody => None,
    };
    owners.iter().filter_map(id).collect()
}

/// Work of a person or group that is none of these.
#[must_use]
pub fn owned_by_another(column: Expr, owners: &[OwnerFilter], me: Option<Uuid>) -> Cond {
    Cond::all().add(column.clone().is_not_null()).add(column.is_not_in(ids_of(owners, me)))
}

/// Work of one of these owners.
#[must_use]
pub fn owned_by(column: Expr, owners: &[OwnerFilter], me: Option<Uuid>) -> Cond {
    let any = owned_by_users_or_groups(column.clone(), owners, me);
    if owners.contains(&OwnerFilter::Public) { any.add(column.is_null()) } else { any }
}

/// Work of one of the people and groups among these owners; whoever wants the public's adds that.
#[must_use]
pub fn owned_by_users_or_groups(column: Expr, owners: &[OwnerFilter], me: Option<Uuid>) -> Cond {
    match ids_of(owners, me).as_slice() {
        // Beside the public queue it would keep the planner from that one's index.
        [] if owners.contains(&OwnerFilter::Public) => Cond::any(),
        [] => Cond::any().add(Expr::cust("1 = 0")),
        [one] => Cond::any().add(column.eq(*one)),
        many => Cond::any().add(column.is_in(many.iter().copied())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::de::{IntoDeserializer, value::Error};

    use super::*;

    fn read<T: FromStr<Err: fmt::Display>>(text: &str) -> Result<AnyOf<T>, Error> {
        AnyOf::deserialize(IntoDeserializer::<Error>::into_deserializer(text))
    }

    fn any_owner() -> impl Strategy<Value = (OwnerFilter, String)> {
        let id = || any::<u128>().prop_map(Uuid::from_u128);
        prop_oneof![
            Just((OwnerFilter::Me, "me".to_owned())),
            Just((OwnerFilter::Public, "public".to_owned())),
            Just((OwnerFilter::Nobody, "none".to_owned())),
            id().prop_map(|id| (OwnerFilter::User(id), format!("user:{id}"))),
            id().prop_map(|id| (OwnerFilter::Group(id), format!("group:{id}"))),
        ]
    }

    proptest! {
        #[test]
        fn alternatives_are_read_in_their_order(owners in proptest::collection::vec(any_owner(), 1..6)) {
            let (wanted, words): (Vec<OwnerFilter>, Vec<String>) = owners.into_iter().unzip();
            prop_assert_eq!(read::<OwnerFilter>(&words.join(",")), Ok(AnyOf(wanted)));
        }

        #[test]
        fn any_text_is_an_alternative_for_each_comma(text in any::<String>()) {
            let AnyOf(parts) = read::<String>(&text).expect("any text is text");
            prop_assert_eq!(parts.join(","), text);
        }

        #[test]
        fn no_text_is_too_odd_to_be_refused(text in any::<String>(), start in "(me|public|user:|group:|,)?") {
            let text = start + &text;
            drop(read::<OwnerFilter>(&text));
            drop(read::<Uuid>(&text));
            drop(Flag::deserialize(IntoDeserializer::<Error>::into_deserializer(text.as_str())));
        }
    }
}
