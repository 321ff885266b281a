//! Full text by the database's own means: written with each change in its transaction, so that it is found at
//! once.
//!
//! Text is taken apart and folded here (see the crate `words`), so that both databases see the same words:
//! SQLite in FTS5, PostgreSQL in a `tsvector` with a GIN index. Neither keeps the text; what is shown is read
//! from the rows.

mod highlight;
mod terms;

use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, FromQueryResult, Iterable, PrimaryKeyToColumn,
    QueryTrait,
    entity::prelude::*,
    sea_query::{Alias, Expr, ExprTrait, OnConflict, Order, Query, SelectStatement},
};
use text_index::Indexed;

use super::{error::Result, list::Texts, reader::Reader, record::Record};

pub use highlight::highlights;
pub use terms::{MAX_LENGTH, Terms};

/// Matches that are ranked: of more, the newest. So a common word costs no more than a rare one.
pub const RANKED: usize = 1000;

/// Something that can be found.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "search_index")]
pub struct Model {
    /// What can be found.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// What kind of thing it is.
    pub kind: String,
}

/// None: queries join by the columns they name.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What becomes of a row in the index.
pub(super) struct Entry {
    id: Uuid,
    kind: &'static str,
    /// None: it can be found no more.
    words: Option<Indexed>,
}

impl Entry {
    /// Bytes of memory that it takes, about.
    pub(super) fn size(&self) -> usize {
        self.words.as_ref().map_or(0, Indexed::size)
    }
}

/// What a change means for the index; nothing when what can be found is the same.
pub(super) fn entry<M: Record>(before: Option<&M>, after: Option<&M>) -> Option<Entry> {
    let (old, new) = (before.and_then(Record::searchable), after.and_then(Record::searchable));
    let same = match (&old, &new) {
        (Some(old), Some(new)) => old.title == new.title && old.text == new.text,
        (old, new) => old.is_none() && new.is_none(),
    };
    let id = after.or(before).filter(|_| !same)?.id();
    Some(Entry { id, kind: M::KIND, words: new.map(|new| Indexed::new(M::KIND, &new.title, &new.text)) })
}

/// Writes what became of the rows of one transaction, the last word on each.
pub(super) async fn append(conn: &DatabaseTransaction, entries: Vec<Entry>) -> Result<()> {
    const ROWS_PER_STATEMENT: usize = 500;
    let mut last: std::collections::BTreeMap<Uuid, (&'static str, Option<Indexed>)> =
        std::collections::BTreeMap::new();
    for Entry { id, kind, words } in entries {
        last.insert(id, (kind, words));
    }
    let gone: Vec<Uuid> = last.iter().filter(|(_, (_, words))| words.is_none()).map(|(id, _)| *id).collect();
    let found: Vec<(Uuid, &str, Indexed)> =
        last.into_iter().filter_map(|(id, (kind, words))| Some((id, kind, words?))).collect();
    for gone in gone.chunks(ROWS_PER_STATEMENT) {
        forget(conn, gone).await?;
    }
    for found in found.chunks(ROWS_PER_STATEMENT) {
        insert_entries(conn, found).await?;
    }
    Ok(())
}

async fn insert_entries(conn: &DatabaseTransaction, found: &[(Uuid, &str, Indexed)]) -> Result<()> {
    let mut insert = Query::insert();
    if conn.get_database_backend() == DbBackend::Postgres {
        insert.into_table(Entity).columns([Alias::new("id"), Alias::new("kind"), Alias::new("words")]);
        insert.on_conflict(OnConflict::column(Column::Id).update_column(Alias::new("words")).to_owned());
        for (id, kind, words) in found {
            insert.values_panic([
                (*id).into(),
                (*kind).into(),
                Expr::val(words.tsvector()).cast_as("tsvector"),
            ]);
        }
        conn.execute(&insert).await?;
        return Ok(());
    }
    insert.into_table(Entity).columns([Column::Id, Column::Kind]);
    insert.on_conflict(OnConflict::column(Column::Id).do_nothing().to_owned());
    // FTS5 goes by numbers, and replaces all that it had of one.
    let mut replace = Query::insert();
    replace
        .replace()
        .into_table(Alias::new("search_words"))
        .columns(["rowid", "title", "text", "kind"].map(Alias::new));
    for (id, kind, words) in found {
        insert.values_panic([(*id).into(), (*kind).into()]);
        let number = Expr::cust_with_values("(SELECT number FROM search_index WHERE id = ?)", [*id]);
        replace.values_panic([number, words.title().into(), words.text().into(), (*kind).into()]);
    }
    conn.execute(&insert).await?;
    conn.execute(&replace).await?;
    Ok(())
}

async fn forget(conn: &DatabaseTransaction, gone: &[Uuid]) -> Result<()> {
    let theirs = || Expr::col(Column::Id).is_in(gone.iter().copied());
    if conn.get_database_backend() == DbBackend::Sqlite {
        let numbers =
            Query::select().column(Alias::new("number")).from(Entity).and_where(theirs()).to_owned();
        let words = Expr::col(Alias::new("rowid")).in_subquery(numbers);
        conn.execute(&Query::delete().from_table(Alias::new("search_words")).and_where(words).to_owned())
            .await?;
    }
    conn.execute(&Query::delete().from_table(Entity).and_where(theirs()).to_owned()).await?;
    Ok(())
}

/// Everything of some kinds, of any when there is none, that has the words.
fn matching(terms: &Terms, kinds: &[&str], backend: DbBackend) -> SelectStatement {
    let mut select = Query::select();
    select.column((Entity, Column::Id));
    if backend == DbBackend::Sqlite {
        let words = Alias::new("search_words");
        let same = Expr::col((Entity, Alias::new("number"))).equals((words.clone(), Alias::new("rowid")));
        // SQLite joins crosswise in the order that is written: the words first.
        select.from(words).cross_join(Entity).and_where(same);
        select.and_where(Expr::cust_with_values("search_words MATCH ?", [terms.fts5(kinds)]));
    } else {
        select.from(Entity).and_where(Expr::cust_with_values(
            "\"search_index\".words @@ CAST($1 AS tsquery)",
            [terms.tsquery(kinds)],
        ));
    }
    select
}

/// The condition that the row of this id has the words.
#[must_use]
pub fn has<M: Record>(id: Expr, terms: &Terms, backend: DbBackend) -> Expr {
    id.in_subquery(matching(terms, &[M::KIND], backend))
}

/// Something that was found.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Hit {
    /// Which one.
    pub id: Uuid,
    /// What kind of thing it is.
    pub kind: String,
    /// How well it fits: more is better, among what the same words found.
    pub score: f64,
}

/// What fits the words best, at most [`RANKED`]: first what fits best, of equals the newest. The title weighs
/// more. Of any kind when there is none: a kind is one word more, to whose weight FTS5 reads everything of
/// it.
pub async fn best(reader: Reader<'_>, terms: &Terms, kinds: &[&str]) -> Result<Vec<Hit>> {
    let sqlite = reader.backend() == DbBackend::Sqlite;
    let mut select = matching(terms, kinds, reader.backend());
    let (score, age) = if sqlite {
        (
            Expr::cust("-bm25(search_words, 4.0, 1.0, 0.0)"),
            Expr::col((Alias::new("search_words"), Alias::new("rowid"))),
        )
    } else {
        let rank =
            "CAST(ts_rank_cd('{0.25, 0.25, 0.25, 1}', words, CAST($1 AS tsquery), 1) AS double precision)";
        (Expr::cust_with_values(rank, [terms.ranked()]), Expr::col((Entity, Alias::new("number"))))
    };
    select.column((Entity, Column::Kind)).expr_as(score, Alias::new("score"));
    select.order_by_expr(age, Order::Desc).limit(RANKED as u64);
    let mut found: Vec<Hit> = reader.all(&select).await?;
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    Ok(found)
}

/// What is made of each row of what was found, one after the other, so that never many of them are here; of
/// the columns of long texts as much as is looked through for excerpts.
pub async fn each<M: Record + FromQueryResult, T>(
    reader: Reader<'_>,
    ids: Vec<Uuid>,
    texts: &[&str],
    make: impl FnMut(M) -> T,
) -> Result<Vec<T>>
where
    M::Entity: EntityTrait<Model = M>,
{
    let key = <M::Entity as EntityTrait>::PrimaryKey::iter().next();
    let Some(key) = key.map(PrimaryKeyToColumn::into_column) else { return Ok(Vec::new()) };
    let select = Texts::First(highlight::LOOKED_THROUGH).of::<M::Entity>(texts).filter(key.is_in(ids));
    reader.each(&select.into_query(), make).await
}
