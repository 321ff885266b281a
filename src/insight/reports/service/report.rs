//! Making a report: what is counted, named and put in order.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::super::{
    json::{ReportDefaults, ReportRow, RowKind},
    lists::{Absent, Counted, Dimension, KeyLabels},
    tally::{Cell, Tally},
    wording::Wording,
};
use super::{
    count::{Counts, Reporter},
    name::names,
    query::{ReportQuery, keyed, others, within},
    sort::Sorting,
    span::Span,
    split::Split,
    view::{Number, Report},
};
use crate::kernel::{
    actor::Scope,
    context::Context,
    error::{Error, Result},
    http::report::ReportParams,
    reader::Reader,
};

const DEFAULT_TOP: i64 = 50;
const OWN_COMPANY: &str = "own_company";

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

/// Refuses a report by contacts to whoever may not read them.
fn may_see(context: &Context, main: &Dimension, split: &Split) -> Result<()> {
    let by_contact = main.words == KeyLabels::Contact
        || matches!(split, Split::By(dimension) if dimension.words == KeyLabels::Contact);
    if by_contact { context.actor.may(Scope::ContactsRead) } else { Ok(()) }
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
