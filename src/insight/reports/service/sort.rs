//! The order of the rows of a report.

use std::{cmp::Ordering, collections::HashMap};

use super::super::{lists::Counted, tally::Cell};
use super::name::Name;
use crate::kernel::error::{Error, Result};

/// The names that reports sort by.
pub const SORTS: [&str; 3] = ["count", "label", "key"];
/// Further ones, of reports about how long things took.
pub const DURATION_SORTS: [&str; 6] =
    ["count", "label", "key", "average_seconds", "median_seconds", "p90_seconds"];

/// The order of the keys.
pub struct Sorting<'a> {
    name: &'a str,
    descending: bool,
}

impl<'a> Sorting<'a> {
    pub fn of<L: Counted>(sort: Option<&'a str>) -> Result<Self> {
        let sort = sort.unwrap_or("-count");
        let (name, descending) = sort.strip_prefix('-').map_or((sort, false), |name| (name, true));
        let known = if L::seconds().is_some() { DURATION_SORTS.as_slice() } else { SORTS.as_slice() };
        if known.contains(&name) {
            return Ok(Self { name, descending });
        }
        let known = known.join(", ");
        Err(Error::parameter(
            "sort",
            "unknown",
            format!("This report sorts by {known}, each with - for descending; not by {name:?}."),
        ))
    }

    pub fn sort(&self, keys: &mut [Cell], names: &HashMap<String, Name>) {
        let name = |cell: &Cell| cell.key.as_ref().and_then(|key| names.get(key));
        let label = |cell: &Cell| name(cell).map(|name| crate::kernel::text::fold(&name.label));
        let key = |cell: &Cell| name(cell).map(|name| name.key.clone());
        let by = |a: &Cell, b: &Cell| match self.name {
            "label" => label(a).cmp(&label(b)),
            "key" => key(a).cmp(&key(b)),
            "average_seconds" => a.average.cmp(&b.average),
            "median_seconds" => a.median.cmp(&b.median),
            "p90_seconds" => a.p90.cmp(&b.p90),
            _ => a.count.cmp(&b.count),
        };
        let turned = |order: Ordering| if self.descending { order.reverse() } else { order };
        keys.sort_by(|a, b| {
            turned(by(a, b)).then_with(|| label(a).cmp(&label(b))).then_with(|| key(a).cmp(&key(b)))
        });
    }
}
