//! What every number of a report is split by.

use sea_orm::sea_query::Expr;

use super::super::{
    calendar::{self, Period, Unit},
    lists::{Counted, Dimension},
};
use super::{
    query::{ReportQuery, keyed, within},
    span::Span,
};
use crate::kernel::error::{Error, Result};

/// What every number is split by.
pub enum Split {
    Whole,
    Periods(Vec<Period>),
    By(&'static Dimension),
}

impl Split {
    pub fn of<L: Counted>(name: Option<&str>, main: &Dimension, span: &Span) -> Result<Self> {
        let Some(name) = name else { return Ok(Self::Whole) };
        if let Some(unit) = Unit::named(name) {
            let needed = || {
                Error::parameter(
                    "from",
                    "required",
                    "from is required with periods: this report is about all time.",
                )
            };
            return calendar::periods(unit, span.from.ok_or_else(needed)?, span.to, span.zone)
                .map(Self::Periods);
        }
        let known = groups::<L>(main.name);
        let dimension =
            L::DIMENSIONS.iter().find(|dimension| dimension.name == name && known.contains(&name));
        dimension.map(Self::By).ok_or_else(|| {
            Error::parameter(
                "group_by",
                "unknown_value",
                format!("This report is split by {}; not by {name:?}.", known.join(", ")),
            )
        })
    }

    pub fn column<L: Counted>(&self) -> Option<Expr> {
        match self {
            Self::Whole => None,
            Self::Periods(periods) => Some(calendar::number_of(&L::time(), periods)),
            Self::By(dimension) => Some((dimension.column)()),
        }
    }

    /// What the list is asked for the rows of a part.
    pub fn narrow<L: Counted>(&self, asked: &ReportQuery, part: Option<&str>) -> ReportQuery {
        match self {
            Self::Whole => asked.clone(),
            Self::Periods(periods) => match part.and_then(|part| periods.get(part.parse::<usize>().ok()?)) {
                Some(period) => within::<L>(asked, Some(period.from), period.to),
                None => asked.clone(),
            },
            Self::By(dimension) => keyed(asked, dimension, part),
        }
    }

    /// What a part is called.
    pub fn name(&self, part: Option<&str>) -> Option<String> {
        match self {
            Self::Periods(periods) => Some(periods.get(part?.parse::<usize>().ok()?)?.name.clone()),
            Self::Whole | Self::By(_) => part.map(str::to_owned),
        }
    }

    /// Where a part is among the others.
    pub fn place(&self, part: Option<&str>) -> (usize, Option<String>) {
        match self {
            Self::Periods(_) => (part.and_then(|part| part.parse().ok()).unwrap_or_default(), None),
            Self::Whole | Self::By(_) => (usize::from(part.is_none()), part.map(str::to_owned)),
        }
    }
}

/// What a report can be split by.
#[must_use]
pub fn groups<L: Counted>(main: &str) -> Vec<&'static str> {
    let fields = L::DIMENSIONS
        .iter()
        .filter(|dimension| dimension.splits() && dimension.name != main)
        .map(|dimension| dimension.name);
    Unit::WORDS.iter().map(|(word, _)| *word).chain(fields).collect()
}
