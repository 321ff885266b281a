//! What a report asks the database.

use sea_orm::sea_query::{Expr, ExprTrait};
use uuid::Uuid;

use super::super::{
    lists::{Counted, Dimension, KeyLabels},
    tally::{Cell, Tally},
};
use super::{
    query::{ReportQuery, is_absent},
    split::Split,
};
use crate::kernel::{context::Context, error::Result, reader::Reader};

/// Everything that is the same for all numbers of a report.
pub struct Reporter<'a, L: Counted> {
    pub reader: Reader<'a>,
    pub context: &'a Context,
    pub asked: ReportQuery,
    pub main: &'static Dimension,
    pub split: Split,
    pub of: std::marker::PhantomData<L>,
}

/// What a report counts, before anything is named.
pub struct Counts {
    /// The keys with most rows.
    pub keys: Vec<Cell>,
    /// Their ids.
    pub ids: Vec<String>,
    /// What they have in each part.
    pub shown: Vec<Cell>,
    /// What the others have.
    pub rest: Vec<Cell>,
    /// What there is of everything.
    pub total: Cell,
    /// And in each part.
    pub totals: Vec<Cell>,
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

    /// Counts everything that the report shows, with rows of their own for the keys that have most.
    pub async fn count(&self, top: usize) -> Result<Counts> {
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
