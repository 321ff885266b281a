//! What a report asks the database, and what it makes of the answers.

use std::{cmp::Ordering, collections::HashMap};

use chrono::{Days, NaiveDate};
use chrono_tz::Tz;
use sea_orm::{
    EntityTrait, QueryFilter,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait},
};
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::{
    calendar::{self, Period, Unit},
    json::{
        ConversionRow, ConversionView, DurationRow, DurationView, ReportDefaults, ReportRow, ReportView,
        RowKind,
    },
    lists::{Absent, Counted, Dimension, KeyLabels},
    tally::{Cell, Tally},
    wording::Wording,
};
use crate::{
    access::{groups::group, users},
    catalog::picklists,
    customers::contacts,
    kernel::{
        actor::Scope,
        clock::{Timestamp, named_zone, start_of_day},
        context::Context,
        error::{Error, Result},
        filter::MAX_ALTERNATIVES,
        http::report::ReportParams,
        reader::Reader,
    },
    work::work_item_types,
};

/// The names that reports sort by.
pub const SORTS: [&str; 3] = ["count", "label", "key"];
/// Further ones, of reports about how long things took.
pub const DURATION_SORTS: [&str; 6] =
    ["count", "label", "key", "average_seconds", "median_seconds", "p90_seconds"];
const DEFAULT_TOP: i64 = 50;
const OWN_COMPANY: &str = "own_company";

/// The parameters of a list, from which come both the rows that count and the links to them.
#[derive(Clone, Debug)]
struct ReportQuery(Map<String, Value>);

impl ReportQuery {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    fn with(&self, name: &str, value: impl Into<String>) -> Self {
        let mut other = self.clone();
        other.0.insert(name.to_owned(), Value::String(value.into()));
        other
    }

    fn without(&self, name: &str) -> Self {
        let mut other = self.clone();
        other.0.shift_remove(name);
        other
    }

    fn link<L: Counted>(&self) -> String {
        let pairs = self.0.iter().filter_map(|(name, value)| Some((name, value.as_str()?)));
        format!(
            "{}?{}",
            L::PATH,
            form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
        )
    }

    fn filter<L: Counted>(&self) -> Result<L::Filter> {
        serde_json::from_value(Value::Object(self.0.clone())).map_err(Error::internal)
    }

    /// The alternatives of a parameter.
    fn alternatives(&self, name: &str) -> Option<Vec<&str>> {
        self.get(name).map(|words| words.split(',').collect())
    }
}

/// From when until before when a report is, and whose days these are.
struct Span {
    from: Option<Timestamp>,
    to: Timestamp,
    zone: Tz,
}

impl Span {
    fn of<L: Counted>(context: &Context, params: &ReportParams, filter: &Map<String, Value>) -> Result<Self> {
        let zone = named_zone(params.time_zone.as_deref(), context.actor.zone)?;
        let given = |end: &str| {
            let instant = filter.get(&format!("{}_{end}", L::TIME)).and_then(Value::as_str);
            instant.map(|instant| instant.parse::<Timestamp>().map_err(Error::internal)).transpose()
        };
        let ambiguous = |day: &str, end: &str| {
            let detail = format!("Only one of {day} and {}_{end} may be given.", L::TIME);
            Err(Error::parameter(day, "ambiguous", detail))
        };
        let day_after =
            |day: NaiveDate| start_of_day(day.checked_add_days(Days::new(1)).unwrap_or(day), zone);
        let to = match (given("lt")?, params.to) {
            (Some(_), Some(_)) => return ambiguous("to", "lt"),
            (Some(instant), None) => instant,
            (None, day) => day_after(day.unwrap_or_else(|| context.now.day_in(zone))),
        };
        let to = if L::PAST { Ord::min(to, context.now) } else { to };
        let from = match (given("gte")?, params.from) {
            (Some(_), Some(_)) => return ambiguous("from", "gte"),
            (Some(instant), None) => Some(instant),
            (None, Some(day)) => Some(start_of_day(day, zone)),
            (None, None) => L::DAYS.map(|days| {
                let last = Timestamp(to.0 - 1).day_in(zone);
                start_of_day(last.checked_sub_days(Days::new(days - 1)).unwrap_or(last), zone)
            }),
        };
        // The days at either end of what can be said have no day beside them.
        let unsayable = [("to", Some(to)), ("from", from)]
            .into_iter()
            .find(|(_, at)| at.is_some_and(|at| !at.is_readable()));
        if let Some((name, _)) = unsayable {
            return Err(Error::parameter(
                name,
                "range",
                "A report must be of days from 0001-01-03 to 9999-12-29.",
            ));
        }
        if from.is_some_and(|from| from > to) {
            return Err(Error::parameter("from", "range", "The report would end before it begins."));
        }
        Ok(Self { from, to, zone })
    }
}

/// What every number is split by.
enum Split {
    Whole,
    Periods(Vec<Period>),
    By(&'static Dimension),
}

impl Split {
    fn of<L: Counted>(name: Option<&str>, main: &Dimension, span: &Span) -> Result<Self> {
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

    fn column<L: Counted>(&self) -> Option<Expr> {
        match self {
            Self::Whole => None,
            Self::Periods(periods) => Some(calendar::number_of(&L::time(), periods)),
            Self::By(dimension) => Some((dimension.column)()),
        }
    }

    /// What the list is asked for the rows of a part.
    fn narrow<L: Counted>(&self, asked: &ReportQuery, part: Option<&str>) -> ReportQuery {
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
    fn name(&self, part: Option<&str>) -> Option<String> {
        match self {
            Self::Periods(periods) => Some(periods.get(part?.parse::<usize>().ok()?)?.name.clone()),
            Self::Whole | Self::By(_) => part.map(str::to_owned),
        }
    }

    /// Where a part is among the others.
    fn place(&self, part: Option<&str>) -> (usize, Option<String>) {
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

fn within<L: Counted>(asked: &ReportQuery, from: Option<Timestamp>, to: Timestamp) -> ReportQuery {
    let asked = match from {
        Some(from) => asked.with(&format!("{}_gte", L::TIME), from.to_string()),
        None => asked.clone(),
    };
    asked.with(&format!("{}_lt", L::TIME), to.to_string())
}

/// What the list is asked for the rows of a key, or of none.
fn keyed(asked: &ReportQuery, dimension: &Dimension, key: Option<&str>) -> ReportQuery {
    let Dimension { parameter, absent, many, .. } = dimension;
    let not = format!("{parameter}_not");
    match (key, absent) {
        (Some(key), _) if *many => asked.without(&not).with(parameter, key),
        (Some(key), _) => asked.with(parameter, key),
        (None, Absent::Word(word, _)) => asked.without(&not).with(parameter, *word),
        (None, _) => asked.with(&format!("{parameter}_exists"), "false"),
    }
}

/// What the list is asked for the rows of any key but these.
fn others(asked: &ReportQuery, dimension: &Dimension, top: &[String]) -> Result<ReportQuery> {
    let Dimension { parameter, many, .. } = dimension;
    let not = format!("{parameter}_not");
    let refused = asked.alternatives(&not).unwrap_or_default();
    if let (true, Some(wanted)) = (many, asked.alternatives(parameter)) {
        let shown = |word: &&str| {
            top.iter().any(|key| key == word) || refused.contains(word) || is_absent(dimension, word)
        };
        let rest: Vec<&str> = wanted.into_iter().filter(|word| !shown(word)).collect();
        return Ok(asked.without(&not).with(parameter, rest.join(",")));
    }
    let all: Vec<&str> = refused.into_iter().chain(top.iter().map(String::as_str)).collect();
    if all.len() > MAX_ALTERNATIVES {
        return Err(Error::parameter(
            "top",
            "too_many",
            format!("{not} and top are more than {MAX_ALTERNATIVES} together."),
        ));
    }
    Ok(asked.with(&not, all.join(",")))
}

fn is_absent(dimension: &Dimension, word: &str) -> bool {
    matches!(dimension.absent, Absent::Word(absent, _) if absent == word)
}

/// A report, before it is one shape or the other.
pub struct Report {
    rows: Vec<Number>,
    totals: Vec<Number>,
    total: Number,
    span: Span,
    group_by: Option<String>,
    defaults: ReportDefaults,
}

struct Number {
    row: ReportRow,
    cell: Cell,
}

/// Everything that is the same for all numbers of a report.
struct Reporter<'a, L: Counted> {
    reader: Reader<'a>,
    context: &'a Context,
    asked: ReportQuery,
    main: &'static Dimension,
    split: Split,
    of: std::marker::PhantomData<L>,
}

impl<L: Counted> Reporter<'_, L> {
    /// The rows that count, once for each of their keys.
    async fn keys(&self) -> Result<Tally> {
        let Dimension { parameter, many, join, column, .. } = self.main;
        let not = format!("{parameter}_not");
        // Of a row with several keys, those count that are asked for.
        let asked = if *many { self.asked.without(parameter).without(&not) } else { self.asked.clone() };
        let mut found = L::filtered_query(self.reader, self.context, &asked.filter::<L>()?).await?;
        if let Some(join) = join {
            join(&mut found);
        }
        if *many {
            if let Some(wanted) = self.asked.alternatives(parameter) {
                let (none, keys): (Vec<&str>, Vec<&str>) =
                    wanted.into_iter().partition(|word| is_absent(self.main, word));
                let any = column().is_in(keys);
                found.and_where(if none.is_empty() { any } else { any.or(column().is_null()) });
            }
            if let Some(refused) = self.asked.alternatives(&not) {
                found.and_where(column().is_not_in(refused));
            }
        }
        Ok(Tally {
            found,
            key: Some(column()),
            seconds: L::seconds(),
            outcomes: L::outcomes(),
            ..Tally::default()
        })
    }

    async fn cells(&self, tally: Tally) -> Result<Vec<Cell>> {
        self.reader.all(&tally.statement()).await
    }

    /// The column is one of these keys.
    fn is_one(&self, keys: &[String]) -> Expr {
        let column = (self.main.column)();
        match self.main.words {
            KeyLabels::Picklist(_) | KeyLabels::Choice | KeyLabels::Plain | KeyLabels::WorkItemType => {
                column.is_in(keys)
            }
            KeyLabels::Person | KeyLabels::Owner | KeyLabels::Contact => {
                column.is_in(keys.iter().filter_map(|key| key.parse::<Uuid>().ok()))
            }
        }
    }
}

/// Refuses a report by contacts to whoever may not read them.
fn may_see(context: &Context, main: &Dimension, split: &Split) -> Result<()> {
    let by_contact = main.words == KeyLabels::Contact
        || matches!(split, Split::By(dimension) if dimension.words == KeyLabels::Contact);
    if by_contact { context.actor.may(Scope::ContactsRead) } else { Ok(()) }
}

/// What a report counts, before anything is named.
struct Counts {
    /// The keys with most rows.
    keys: Vec<Cell>,
    /// Their ids.
    ids: Vec<String>,
    /// What they have in each part.
    shown: Vec<Cell>,
    /// What the others have.
    rest: Vec<Cell>,
    /// What there is of everything.
    total: Cell,
    /// And in each part.
    totals: Vec<Cell>,
}

impl<L: Counted> Reporter<'_, L> {
    async fn count(&self, top: usize) -> Result<Counts> {
        let mut keys: Vec<Cell> = self.reader.all(&self.keys().await?.top(top as u64 + 1)).await?;
        let is_cut = keys.len() > top;
        keys.truncate(top);
        let ids: Vec<String> = keys.iter().filter_map(|cell| cell.key.clone()).collect();
        let part = || self.split.column::<L>();
        let mut shown = Tally { part: part(), ..self.keys().await? };
        shown.found.and_where(self.is_one(&ids).or((self.main.column)().is_null()));
        let shown = self.cells(shown).await?;
        let mut rest = Vec::new();
        if is_cut {
            let once = self.main.many.then(L::id);
            let mut tally = Tally { key: None, part: part(), once, ..self.keys().await? };
            tally.found.and_where(self.is_one(&ids).not()).and_where((self.main.column)().is_not_null());
            rest = self.cells(tally).await?;
        }
        let everything = async |part: Option<Expr>| {
            let found = L::filtered_query(self.reader, self.context, &self.asked.filter::<L>()?).await?;
            self.cells(Tally {
                found,
                part,
                seconds: L::seconds(),
                outcomes: L::outcomes(),
                ..Tally::default()
            })
            .await
        };
        let total = everything(None).await?.pop().unwrap_or_default();
        let mut totals = match &self.split {
            Split::Whole => Vec::new(),
            Split::Periods(_) | Split::By(_) => everything(part()).await?,
        };
        if let Split::Periods(periods) = &self.split {
            // A period without rows is one, too.
            for number in 0..periods.len() {
                let part = Some(number.to_string());
                if totals.iter().all(|cell| cell.part != part) {
                    totals.push(Cell { part, ..Cell::default() });
                }
            }
        }
        Ok(Counts { keys, ids, shown, rest, total, totals })
    }
}

/// How many rows of a list there are, by one of its columns.
pub async fn report<L: Counted>(
    reader: Reader<'_>,
    context: &Context,
    params: &ReportParams,
    filter: &Map<String, Value>,
    by: &str,
) -> Result<Report> {
    let main = L::DIMENSIONS
        .iter()
        .find(|dimension| dimension.name == by)
        .ok_or_else(|| Error::internal("a report by nothing"))?;
    let span = Span::of::<L>(context, params, filter)?;
    let split = Split::of::<L>(params.group_by.as_deref(), main, &span)?;
    let order = Sorting::of::<L>(params.sort.as_deref())?;
    may_see(context, main, &split)?;
    let (asked, defaults) =
        complete::<L>(reader, context, params, within::<L>(&ReportQuery(filter.clone()), span.from, span.to))
            .await?;
    let reporter = Reporter::<L> { reader, context, asked, main, split, of: std::marker::PhantomData };
    let top = usize::try_from(params.top.map_or(DEFAULT_TOP, |top| top.0)).unwrap_or_default();

    let Counts { mut keys, ids, shown, rest, total, totals } = reporter.count(top).await?;
    let names = names(reader, context, main, ids.iter().map(String::as_str)).await?;
    let parts = totals.iter().filter_map(|cell| cell.part.as_deref());
    let parts = match &reporter.split {
        Split::By(dimension) => self::names(reader, context, dimension, parts).await?,
        Split::Whole | Split::Periods(_) => HashMap::new(),
    };

    let say = |wording: Wording| Some(wording.say(&context.languages));
    let row_of = |split: &Split,
                  kind: RowKind,
                  asked: &ReportQuery,
                  (key, label): (Option<String>, Option<String>),
                  cell: Cell| {
        let part = cell.part.as_deref();
        let group = split.name(part);
        let group_label = match (split, part) {
            (Split::By(dimension), None) => say(dimension.absent.wording()),
            _ => {
                part.and_then(|part| parts.get(part)).map(|name| name.label.clone()).or_else(|| group.clone())
            }
        };
        let rows = split.narrow::<L>(asked, part).link::<L>();
        Number { row: ReportRow { kind, key, label, group, group_label, count: cell.count, rows }, cell }
    };
    let row = |kind, asked: &ReportQuery, name, cell| row_of(&reporter.split, kind, asked, name, cell);
    order.sort(&mut keys, &names);
    let mut by_key: HashMap<Option<String>, Vec<Cell>> = HashMap::new();
    for cell in shown {
        by_key.entry(cell.key.clone()).or_default().push(cell);
    }
    let in_order = |mut cells: Vec<Cell>| {
        cells.sort_by_key(|cell| reporter.split.place(cell.part.as_deref()));
        cells
    };
    let mut rows = Vec::new();
    for id in keys.into_iter().filter_map(|cell| cell.key) {
        let Some(name) = names.get(&id) else { continue };
        let asked = keyed(&reporter.asked, main, Some(&name.key));
        for cell in in_order(by_key.remove(&Some(id)).unwrap_or_default()) {
            rows.push(row(RowKind::Value, &asked, (Some(name.key.clone()), Some(name.label.clone())), cell));
        }
    }
    for cell in in_order(by_key.remove(&None).unwrap_or_default()) {
        let asked = keyed(&reporter.asked, main, None);
        let key = match main.absent {
            Absent::Word(word, _) => Some(word.to_owned()),
            Absent::Never | Absent::Unset => None,
        };
        rows.push(row(RowKind::None, &asked, (key, say(main.absent.wording())), cell));
    }
    if !rest.is_empty() {
        let top: Vec<String> =
            ids.iter().filter_map(|id| names.get(id)).map(|name| name.key.clone()).collect();
        let asked = others(&reporter.asked, main, &top)?;
        rows.extend(
            in_order(rest)
                .into_iter()
                .map(|cell| row(RowKind::AllOthers, &asked, (None, say(Wording::AllOthers)), cell)),
        );
    }
    let all = |split: &Split, cell: Cell| {
        row_of(split, RowKind::Total, &reporter.asked, (None, say(Wording::Total)), cell)
    };
    Ok(Report {
        rows,
        total: all(&Split::Whole, total),
        totals: in_order(totals).into_iter().map(|cell| all(&reporter.split, cell)).collect(),
        span,
        group_by: params.group_by.clone(),
        defaults,
    })
}

/// Adds what is left unsaid.
async fn complete<L: Counted>(
    reader: Reader<'_>,
    context: &Context,
    params: &ReportParams,
    mut asked: ReportQuery,
) -> Result<(ReportQuery, ReportDefaults)> {
    let mut defaults = ReportDefaults::default();
    for (name, value) in L::DEFAULTS {
        if asked.get(name).is_none() {
            asked = asked.with(name, *value);
            match *name {
                "status" => defaults.status = Some(value),
                "include_inactive" => defaults.include_inactive = Some(true),
                _ => defaults.origin = Some(value),
            }
        }
    }
    // Which contact is the shop itself is for whoever may read contacts.
    let may_ask = context.actor.may_read("contact");
    if may_ask && asked.get(OWN_COMPANY).is_none() && !params.include_own_company.unwrap_or_default().0 {
        let found =
            L::filtered_query(reader, context, &asked.with(OWN_COMPANY, "true").filter::<L>()?).await?;
        let hidden: Vec<Cell> = reader.all(&Tally { found, ..Tally::default() }.statement()).await?;
        defaults.own_company = Some(false);
        defaults.hidden =
            Some(hidden.first().map_or(0, |cell| u64::try_from(cell.count).unwrap_or_default()));
        asked = asked.with(OWN_COMPANY, "false");
    }
    Ok((asked, defaults))
}

/// How a key is written to the list, and how people read it.
struct Name {
    key: String,
    label: String,
}

/// The names of keys as the database has them.
async fn names(
    reader: Reader<'_>,
    context: &Context,
    dimension: &Dimension,
    keys: impl Iterator<Item = &str>,
) -> Result<HashMap<String, Name>> {
    let keys: Vec<&str> = keys.collect();
    let ids = || keys.iter().filter_map(|key| key.parse::<Uuid>().ok());
    let mut labels: HashMap<String, String> = HashMap::new();
    let mut groups: Vec<Uuid> = Vec::new();
    match dimension.words {
        KeyLabels::Choice => {}
        // The words of a list are for whoever may read it; its keys stand in the rows.
        KeyLabels::Picklist(_) if !context.actor.scopes.contains(&Scope::PicklistsRead) => {}
        KeyLabels::Plain => labels.extend(keys.iter().map(|key| ((*key).to_owned(), (*key).to_owned()))),
        KeyLabels::WorkItemType => {
            let kinds =
                work_item_types::by_keys(reader, keys.iter().map(|key| (*key).to_owned()).collect()).await?;
            labels.extend(
                kinds.into_iter().map(|(key, kind)| (key, kind.label_view(&context.languages).label)),
            );
        }
        KeyLabels::Picklist(list) => {
            let wanted: Vec<(&str, &str)> = keys.iter().map(|key| (list, *key)).collect();
            let found = picklists::labels(reader, &wanted, &context.languages).await?;
            labels.extend(found.into_iter().map(|((_, key), label)| (key, label.label)));
        }
        KeyLabels::Person => labels
            .extend(users::names(reader, ids()).await?.into_iter().map(|(id, name)| (id.to_string(), name))),
        KeyLabels::Owner => {
            labels.extend(
                users::names(reader, ids()).await?.into_iter().map(|(id, name)| (id.to_string(), name)),
            );
            let found = reader.models(group::Entity::find().filter(group::Column::Id.is_in(ids()))).await?;
            groups.extend(found.iter().map(|group| group.id));
            labels.extend(found.into_iter().map(|group| (group.id.to_string(), group.name)));
        }
        KeyLabels::Contact => {
            let found = contacts::named(reader, &ids().collect::<Vec<_>>()).await?;
            labels.extend(found.into_iter().map(|(id, contact)| (id.to_string(), contact.name)));
        }
    }
    let name = |id: &str| {
        let is_group = |id: &str| groups.iter().any(|group| group.to_string() == id);
        let key = match dimension.words {
            KeyLabels::Owner if is_group(id) => format!("group:{id}"),
            KeyLabels::Owner => format!("user:{id}"),
            _ => id.to_owned(),
        };
        (id.to_owned(), Name { key, label: labels.get(id).cloned().unwrap_or_else(|| spoken(id)) })
    };
    Ok(keys.iter().map(|key| name(key)).collect())
}

/// A word as people say it.
fn spoken(word: &str) -> String {
    let words = word.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The order of the keys.
struct Sorting<'a> {
    name: &'a str,
    descending: bool,
}

impl<'a> Sorting<'a> {
    fn of<L: Counted>(sort: Option<&'a str>) -> Result<Self> {
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

    fn sort(&self, keys: &mut [Cell], names: &HashMap<String, Name>) {
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

impl From<Number> for ReportRow {
    fn from(number: Number) -> Self {
        number.row
    }
}

impl From<Number> for DurationRow {
    fn from(Number { row, cell }: Number) -> Self {
        Self { row, average_seconds: cell.average, median_seconds: cell.median, p90_seconds: cell.p90 }
    }
}

impl From<Number> for ConversionRow {
    fn from(Number { row, cell }: Number) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "nobody has so many")]
        let conversion =
            (row.count > 0).then(|| (cell.sold as f64 / row.count as f64 * 10_000.0).round() / 10_000.0);
        Self { row, active: cell.active, sold: cell.sold, conversion }
    }
}

macro_rules! view_of {
    ($view:ident) => {
        impl From<Report> for $view {
            fn from(Report { rows, totals, total, span, group_by, defaults }: Report) -> Self {
                Self {
                    data: rows.into_iter().map(Into::into).collect(),
                    totals: totals.into_iter().map(Into::into).collect(),
                    total: total.into(),
                    from: span.from,
                    to: span.to,
                    time_zone: span.zone.to_string(),
                    group_by,
                    applied_defaults: defaults,
                }
            }
        }
    };
}

view_of!(ReportView);
view_of!(DurationView);
view_of!(ConversionView);
