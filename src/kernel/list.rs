//! The one list mechanism: keyset pages, allow-listed sorts, true counts, cursors bound to their query. A
//! page has so many rows and so many bytes at the most, and shows the beginning of a long text unless it is
//! asked for the whole.

use std::{num::NonZero, sync::LazyLock};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sea_orm::{
    EntityTrait, FromQueryResult, IdenStatic, Iterable, QuerySelect, Select,
    sea_query::{Alias, Cond, Expr, ExprTrait, Func, Order, SelectStatement},
};
use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, SemaphorePermit};
use uuid::Uuid;

use super::{
    clock::Timestamp,
    error::{Code, Error, Result, ResultExt},
    reader::Reader,
    text,
};

/// Rows of a page unless the caller says otherwise.
pub const DEFAULT_LIMIT: u64 = 50;
/// Rows of a page at the most.
pub const MAX_LIMIT: u64 = 200;
/// Bytes of a page's rows at the most, as they are read; one row always fits.
pub const MAX_PAGE_BYTES: usize = 2 << 20;
/// Characters that a list shows of a long text, unless it is asked for the whole.
pub const MAX_SHORT_TEXT: usize = 4000;
/// Pages that are read and written at one time at least, however few processors there are.
const MIN_PAGES_AT_ONCE: usize = 8;
/// Pages that are read and written at one time; their rows are in memory.
static PAGES: LazyLock<Semaphore> = LazyLock::new(|| {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    Semaphore::new(Ord::max(MIN_PAGES_AT_ONCE, 2 * cores))
});

/// A page's turn to be read and written.
pub type ReadPermit = SemaphorePermit<'static>;

/// Waits for a turn: whatever reads many rows has one until they are gone again.
pub async fn read_permit() -> Result<ReadPermit> {
    PAGES.acquire().await.internal()
}

/// Counting stops here and then says so.
pub const COUNT_LIMIT: u64 = 10_000;

/// A value that a list sorts by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Key {
    /// Numbers and instants.
    #[serde(rename = "n")]
    Int(i64),
    /// Ids.
    #[serde(rename = "i")]
    Id(Uuid),
    /// Text, which may look like an id.
    #[serde(rename = "t")]
    Text(String),
}

impl From<Timestamp> for Key {
    fn from(at: Timestamp) -> Self {
        Self::Int(at.0)
    }
}

impl From<Key> for sea_orm::Value {
    fn from(key: Key) -> Self {
        match key {
            Key::Int(number) => number.into(),
            Key::Id(id) => id.into(),
            Key::Text(text) => text.into(),
        }
    }
}

/// A column that a list may be sorted by; never NULL.
pub struct Sort<R> {
    /// As clients name it.
    pub name: &'static str,
    /// As the database names it.
    pub column: fn() -> Expr,
    /// Its value in a row.
    pub value: fn(&R) -> Key,
}

/// What a list needs to know of its rows.
pub trait Listed: FromQueryResult {
    /// The sorts it allows.
    fn sorts() -> &'static [Sort<Self>];
    /// The sort when the caller names none: `due_at`, `-created_at`.
    const DEFAULT_SORT: &'static str;
    /// What `expand` can add to its rows.
    const EXPANDS: &'static [&'static str] = &[];
    /// The columns of its long texts; members of the same names show them.
    const TEXTS: &'static [&'static str] = &[];
    /// The column of a long text.
    #[must_use]
    fn text_column(name: &'static str) -> Expr {
        Expr::col(Alias::new(name))
    }
    /// The column of the id, which breaks ties.
    fn id_column() -> Expr;
    /// The id of a row.
    fn id(&self) -> Uuid;
}

/// How much is read of the long texts of rows.
#[derive(Clone, Copy, Debug)]
pub enum Texts<'a> {
    /// All.
    Whole,
    /// The beginning, but all of those that a caller asks for by these names.
    Short(&'a [String]),
    /// So many characters.
    First(usize),
}

impl Texts<'_> {
    /// Whether all of one is shown.
    #[must_use]
    pub fn shows_whole(self, name: &str) -> bool {
        match self {
            Self::Whole => true,
            Self::Short(asked) => asked.iter().any(|asked| asked == name),
            Self::First(_) => false,
        }
    }

    /// Characters that are read of one.
    fn max_chars(self, name: &str) -> Option<usize> {
        match self {
            // One more than is shown, by which to tell that there is more.
            Self::Whole | Self::Short(_) => (!self.shows_whole(name)).then_some(MAX_SHORT_TEXT + 1),
            Self::First(most) => Some(most),
        }
    }

    /// The rows of an entity, of these columns as much as is read.
    #[must_use]
    pub fn of<E: EntityTrait>(self, texts: &[&str]) -> Select<E> {
        E::Column::iter().fold(E::find().select_only(), |select, column| {
            let name = column.as_str();
            let Some(most) = self.max_chars(name).filter(|_| texts.contains(&name)) else {
                return select.column(column);
            };
            let (first, most) = (Expr::cust("1"), Expr::cust(most.to_string()));
            select.column_as(
                Expr::from(Func::cust("substr").args([Expr::col((E::default(), column)), first, most])),
                name,
            )
        })
    }

    /// Cuts a text to what is shown of it; its name when that is not all.
    pub fn cut(self, name: &'static str, text: &mut String) -> Option<&'static str> {
        let end = text.char_indices().nth(MAX_SHORT_TEXT).filter(|_| !self.shows_whole(name))?.0;
        text.truncate(end);
        Some(name)
    }
}

impl PageRequest {
    /// How much its rows show of their long texts.
    #[must_use]
    pub fn texts(&self) -> Texts<'_> {
        Texts::Short(self.fields.as_deref().unwrap_or_default())
    }
}

/// What the caller asks of any list, besides its filter.
#[derive(Clone, Debug, Default)]
pub struct PageRequest {
    /// Rows wanted.
    pub limit: u64,
    /// Where the last page ended.
    pub cursor: Option<String>,
    /// The order: names, `-` for descending.
    pub sort: Option<String>,
    /// Whether to count.
    pub counts: bool,
    /// Only these members of each row.
    pub fields: Option<Vec<String>>,
    /// What to add to each row.
    pub expand: Vec<String>,
    /// Our key, path and filter, to which the cursor is bound.
    pub fingerprint: String,
    /// The query string without the cursor, for the link to the next page.
    pub query: String,
}

/// How many rows there are, under the caller's rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Counts {
    /// Rows that the filter leaves.
    pub filtered: u64,
    /// Rows without the filter.
    pub total: u64,
    /// False when counting stopped at 10,000.
    pub exact: bool,
}

/// One page of rows.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The rows.
    pub data: Vec<T>,
    /// Where the next page begins; `None` on the last.
    pub next_cursor: Option<String>,
    /// Present when asked for.
    pub counts: Option<Counts>,
}

impl<T> Page<T> {
    /// The same page of something made from each row.
    pub fn map<U>(self, make: impl FnMut(T) -> U) -> Page<U> {
        Page {
            data: self.data.into_iter().map(make).collect(),
            next_cursor: self.next_cursor,
            counts: self.counts,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Cursor {
    /// A digest of the query, which holds our key, and of what follows: nobody else can write a cursor, and
    /// a damaged one is as foreign as another query's.
    of: String,
    after: Vec<Key>,
    id: Uuid,
}

impl Cursor {
    fn new(filter: &str, sort: &str, after: Vec<Key>, id: Uuid) -> Self {
        let after_text = serde_json::to_string(&after).unwrap_or_default();
        Self { of: text::digest(format!("{filter}\n{sort}\n{after_text}\n{id}")), after, id }
    }

    fn belongs_to(&self, filter: &str, sort: &str) -> bool {
        Self::new(filter, sort, self.after.clone(), self.id).of == self.of
    }
}

struct Ordered<R: 'static> {
    keys: Vec<(&'static Sort<R>, Order)>,
    id_order: Order,
}

/// Reads one page: `base` is everything the caller may see, `narrow` adds the filter.
pub async fn page<R: Listed + 'static>(
    reader: Reader<'_>,
    request: &PageRequest,
    base: SelectStatement,
    narrow: impl FnOnce(&mut SelectStatement),
) -> Result<Page<R>> {
    refuse_unknown_expansions::<R>(&request.expand)?;
    let sort = request.sort.as_deref().unwrap_or(R::DEFAULT_SORT);
    let ordered = order::<R>(sort)?;
    let mut filtered = base.clone();
    narrow(&mut filtered);
    let counts = if request.counts { Some(count(reader, &filtered, base).await?) } else { None };
    if let Some(cursor) = &request.cursor {
        let cursor = open(cursor).filter(|cursor| {
            cursor.belongs_to(&request.fingerprint, sort) && cursor.after.len() == ordered.keys.len()
        });
        let cursor = cursor.ok_or_else(|| {
            Error::new(Code::BadCursor, "This cursor belongs to another query. Start again without it.")
                .with_violation(super::error::Violation::parameter(
                    "cursor",
                    "foreign",
                    "belongs to another filter or sort",
                ))
        })?;
        filtered.cond_where(after(&ordered, cursor));
    }
    for (sort, order) in &ordered.keys {
        filtered.order_by_expr((sort.column)(), order.clone());
    }
    filtered.order_by_expr(R::id_column(), ordered.id_order.clone()).limit(request.limit + 1);
    let (mut data, ended_by_bytes) = Box::pin(rows_within::<R>(reader, request.texts(), filtered)).await?;
    let wanted = usize::try_from(request.limit).unwrap_or(usize::MAX);
    let more = ended_by_bytes || data.len() > wanted;
    data.truncate(wanted);
    let next_cursor = data.last().filter(|_| more).map(|last| {
        let after = ordered.keys.iter().map(|(sort, _)| (sort.value)(last)).collect();
        close(&Cursor::new(&request.fingerprint, sort, after, last.id()))
    });
    Ok(Page { data, next_cursor, counts })
}

#[derive(FromQueryResult)]
struct Size {
    id: Uuid,
    bytes: i64,
}

/// The rows of a page, as many as fit in it; and whether there are more. Long texts that are asked for whole
/// are too large to be sorted, or read, before it is known which of them are shown: the rows are chosen by
/// their sizes first.
async fn rows_within<R: Listed>(
    reader: Reader<'_>,
    texts: Texts<'_>,
    mut rows: SelectStatement,
) -> Result<(Vec<R>, bool)> {
    let asked = R::TEXTS.iter().filter(|name| texts.shows_whole(name));
    let size = |name: &&'static str| {
        Expr::from(Func::cust("octet_length").arg(R::text_column(name))).cast_as("bigint")
    };
    let Some(size) = asked.map(size).reduce(ExprTrait::add) else {
        return reader.all_within(&rows, MAX_PAGE_BYTES).await;
    };
    let mut sizes = rows.clone();
    sizes.clear_selects().expr_as(R::id_column(), Alias::new("id")).expr_as(size, Alias::new("bytes"));
    reader
        .snapshot(async move |reader| {
            let sizes = reader.all::<Size>(&sizes).await?;
            let found = sizes.len();
            let mut bytes = 0;
            let fits = |(place, size): &(usize, Size)| {
                bytes += usize::try_from(size.bytes).unwrap_or(0);
                *place == 0 || bytes <= MAX_PAGE_BYTES
            };
            let fitting: Vec<Uuid> =
                sizes.into_iter().enumerate().take_while(fits).map(|(_, size)| size.id).collect();
            let all_fit = fitting.len() == found;
            if fitting.is_empty() {
                return Ok((Vec::new(), false));
            }
            rows.and_where(R::id_column().is_in(fitting));
            let (rows, ended_by_bytes) = reader.all_within(&rows, MAX_PAGE_BYTES).await?;
            Ok((rows, ended_by_bytes || !all_fit))
        })
        .await
}

fn refuse_unknown_expansions<R: Listed>(wanted: &[String]) -> Result<()> {
    let Some(unknown) = wanted.iter().find(|name| !R::EXPANDS.contains(&name.as_str())) else {
        return Ok(());
    };
    let known = if R::EXPANDS.is_empty() { "nothing".to_owned() } else { R::EXPANDS.join(", ") };
    Err(Error::parameter("expand", "unknown_value", format!("This list expands {known}; not {unknown:?}.")))
}

async fn count(reader: Reader<'_>, filtered: &SelectStatement, base: SelectStatement) -> Result<Counts> {
    let filtered = reader.count(filtered.clone(), COUNT_LIMIT + 1).await?;
    let total = reader.count(base, COUNT_LIMIT + 1).await?;
    Ok(Counts {
        filtered: Ord::min(filtered, COUNT_LIMIT),
        total: Ord::min(total, COUNT_LIMIT),
        exact: total <= COUNT_LIMIT && filtered <= COUNT_LIMIT,
    })
}

fn order<R: Listed>(text: &str) -> Result<Ordered<R>> {
    let mut keys: Vec<(&'static Sort<R>, Order)> = Vec::new();
    for part in text.split(',') {
        let (name, order) = part.strip_prefix('-').map_or((part, Order::Asc), |name| (name, Order::Desc));
        let sort = R::sorts().iter().find(|sort| sort.name == name).ok_or_else(|| {
            let known = R::sorts().iter().map(|sort| sort.name).collect::<Vec<_>>().join(", ");
            Error::parameter(
                "sort",
                "unknown",
                format!("This list sorts by {known}, each with - for descending; not by {name:?}."),
            )
        })?;
        if keys.iter().any(|(known, _)| known.name == name) {
            return Err(Error::parameter("sort", "repeated", format!("{name} is named twice.")));
        }
        keys.push((sort, order));
    }
    let id_order = keys.last().map_or(Order::Asc, |(_, order)| order.clone());
    Ok(Ordered { keys, id_order })
}

/// What comes after a row. All keys in one direction compare as one tuple, which an index serves.
fn after<R: Listed>(ordered: &Ordered<R>, cursor: Cursor) -> Cond {
    let mut keys: Vec<(Expr, Order, sea_orm::Value)> = ordered
        .keys
        .iter()
        .zip(cursor.after)
        .map(|((sort, order), key)| ((sort.column)(), order.clone(), key.into()))
        .collect();
    keys.push((R::id_column(), ordered.id_order.clone(), cursor.id.into()));
    let beyond = |column: Expr, order: &Order, value: Expr| {
        if matches!(order, Order::Desc) { column.lt(value) } else { column.gt(value) }
    };
    if keys.iter().all(|(_, order, _)| *order == ordered.id_order) {
        let columns = Expr::tuple(keys.iter().map(|(column, ..)| column.clone()));
        let values = Expr::tuple(keys.iter().map(|(.., value)| Expr::val(value.clone())));
        return Cond::all().add(beyond(columns, &ordered.id_order, values));
    }
    (0..keys.len()).fold(Cond::any(), |any, depth| {
        let mut all = Cond::all();
        for (column, _, value) in &keys[..depth] {
            all = all.add(column.clone().eq(value.clone()));
        }
        let (column, order, value) = &keys[depth];
        any.add(all.add(beyond(column.clone(), order, Expr::val(value.clone()))))
    })
}

fn close(cursor: &Cursor) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(cursor).unwrap_or_default())
}

fn open(text: &str) -> Option<Cursor> {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

/// Makes a row [`Listed`]: its id, its default sort, what `expand` can add, its long texts, and the columns
/// that it sorts by with their values.
#[macro_export]
macro_rules! listed {
    (
        $listed:ident, |$row:ident| $id:expr, default $default:literal,
        $(expands $expands:expr,)? $(texts $texts:expr,)?
        sorts { $($name:literal => $column:expr, $value:expr;)+ }
    ) => {
        impl $crate::kernel::list::Listed for $listed {
            const DEFAULT_SORT: &'static str = $default;
            $(const EXPANDS: &'static [&'static str] = $expands;)?
            $(const TEXTS: &'static [&'static str] = $texts;)?

            fn text_column(name: &'static str) -> sea_orm::sea_query::Expr {
                sea_orm::sea_query::Expr::col((Entity, sea_orm::sea_query::Alias::new(name)))
            }

            fn sorts() -> &'static [$crate::kernel::list::Sort<Self>] {
                const SORTS: &[$crate::kernel::list::Sort<$listed>] = &[$(
                    $crate::kernel::list::Sort {
                        name: $name,
                        column: || sea_orm::sea_query::Expr::col((Entity, $column)),
                        value: |$row| $value,
                    },
                )+];
                SORTS
            }

            fn id_column() -> sea_orm::sea_query::Expr {
                sea_orm::sea_query::Expr::col((Entity, Column::Id))
            }

            fn id(&self) -> uuid::Uuid {
                let $row = self;
                $id
            }
        }
    };
}

/// Names the page of a resource's rows in the OpenAPI document, and the parameters that every list of them
/// takes.
#[macro_export]
macro_rules! page_of {
    ($page:ident, $view:ty, $row:ty, $what:literal $(, $(#[$about:meta])* $more:ident: $kind:ty)?) => {
        #[doc = concat!("A page of ", $what, ".")]
        #[derive(Debug, utoipa::ToSchema)]
        #[schema(description = concat!("A page of ", $what, "."))]
        #[expect(dead_code, reason =
            "it names a shape in the document; pages are written straight from their rows")]
        pub struct $page {
            /// The rows of this page.
            data: Vec<$view>,
            /// Where the next page begins; null on the last page.
            #[schema(required)]
            next_cursor: Option<String>,
            /// Present with `counts=true`.
            #[schema(nullable = false)]
            counts: Option<$crate::kernel::list::Counts>,
            $($(#[$about])* $more: Option<$kind>,)?
        }

        impl utoipa::IntoParams for $page {
            fn into_params(
                _: impl Fn() -> Option<utoipa::openapi::path::ParameterIn>,
            ) -> Vec<utoipa::openapi::path::Parameter> {
                $crate::kernel::http::list_query::page_params::<$row, $view>()
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sea_orm::{
        ConnectionTrait,
        sea_query::{Alias, Query},
    };

    use super::*;
    use crate::kernel::db::Db;

    #[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
    struct Row {
        id: Uuid,
        weight: i64,
        word: String,
    }

    impl Listed for Row {
        const DEFAULT_SORT: &'static str = "word";

        fn sorts() -> &'static [Sort<Self>] {
            const SORTS: &[Sort<Row>] = &[
                Sort {
                    name: "weight",
                    column: || Expr::col(Alias::new("weight")),
                    value: |row| Key::Int(row.weight),
                },
                Sort {
                    name: "word",
                    column: || Expr::col(Alias::new("word")),
                    value: |row| Key::Text(row.word.clone()),
                },
            ];
            SORTS
        }

        fn id_column() -> Expr {
            Expr::col(Alias::new("id"))
        }

        fn id(&self) -> Uuid {
            self.id
        }
    }

    /// Few values, so that many rows are equal; and some that look like something else.
    fn any_rows() -> impl Strategy<Value = Vec<Row>> {
        const WORDS: &[&str] =
            &["", "a", "A", "b", "é", "10", "9", "null", "019b0a35-2c00-7000-8000-000000000001", "{\"n\":1}"];
        let row = (any::<u128>(), -2..3_i64, proptest::sample::select(WORDS));
        let row =
            row.prop_map(|(id, weight, word)| Row { id: Uuid::from_u128(id), weight, word: word.to_owned() });
        proptest::collection::vec(row, 0..25)
    }

    fn any_sort() -> impl Strategy<Value = Option<&'static str>> {
        proptest::option::of(proptest::sample::select(
            [
                "weight",
                "-weight",
                "word",
                "-word",
                "weight,word",
                "-weight,word",
                "weight,-word",
                "-word,-weight",
            ]
            .as_slice(),
        ))
    }

    fn in_order(mut rows: Vec<Row>, sort: &str) -> Vec<Row> {
        let turned = |part: &str, order: std::cmp::Ordering| {
            if part.starts_with('-') { order.reverse() } else { order }
        };
        rows.sort_by(|a, b| {
            let by = |part: &&str| match part.trim_start_matches('-') {
                "weight" => turned(part, a.weight.cmp(&b.weight)),
                _ => turned(part, a.word.cmp(&b.word)),
            };
            let parts: Vec<&str> = sort.split(',').collect();
            let by_id = turned(parts[parts.len() - 1], a.id.cmp(&b.id));
            parts.iter().map(by).fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then).then(by_id)
        });
        rows
    }

    #[test]
    fn pages_show_every_row_once_and_in_order() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let db = runtime.block_on(Db::connect_once("sqlite::memory:")).expect("a database");
        let run = |sql: &str| runtime.block_on(db.execute_unprepared(sql)).map(drop).expect("a statement");
        run("CREATE TABLE things (id BLOB PRIMARY KEY, weight INTEGER NOT NULL, word TEXT NOT NULL)");
        proptest!(ProptestConfig::with_cases(100),
            |(rows in any_rows(), sort in any_sort(), limit in 1..7_u64)| {
            run("DELETE FROM things");
            if !rows.is_empty() {
                let mut insert = Query::insert();
                insert.into_table(Alias::new("things")).columns(["id", "weight", "word"].map(Alias::new));
                for Row { id, weight, word } in &rows {
                    insert.values_panic([Expr::val(*id), Expr::val(*weight), Expr::val(word.clone())]);
                }
                runtime.block_on(db.execute(&insert)).expect("rows");
            }
            let base = Query::select().columns(["id", "weight",
                "word"].map(Alias::new)).from(Alias::new("things")).to_owned();
            let mut request = PageRequest { limit, sort: sort.map(str::to_owned), counts: true,
                ..PageRequest::default() };
            let mut shown: Vec<Row> = Vec::new();
            loop {
                let page = runtime.block_on(page::<Row>(Reader::Pool(&db), &request, base.clone(),
                    |_| {})).expect("a page");
                let all = u64::try_from(rows.len()).expect("a few rows");
                prop_assert_eq!(page.counts, Some(Counts { filtered: all, total: all, exact: true }));
                shown.extend(page.data);
                prop_assert!(shown.len() <= rows.len());
                request.cursor = page.next_cursor;
                if request.cursor.is_none() {
                    break;
                }
            }
            prop_assert_eq!(shown, in_order(rows, sort.unwrap_or(Row::DEFAULT_SORT)));
        });
    }

    fn any_key() -> impl Strategy<Value = Key> {
        prop_oneof![
            any::<i64>().prop_map(Key::Int),
            any::<u128>().prop_map(|id| Key::Id(Uuid::from_u128(id))),
            any::<String>().prop_map(Key::Text),
            any::<u128>().prop_map(|id| Key::Text(Uuid::from_u128(id).to_string())),
        ]
    }

    proptest! {
        #[test]
        fn a_cursor_is_read_as_it_was_written(of in any::<String>(),
            after in proptest::collection::vec(any_key(), 0..4), id: u128) {
            let written = close(&Cursor { of: of.clone(), after: after.clone(), id: Uuid::from_u128(id) });
            prop_assert!(written.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'
                || byte == b'_'));
            let Cursor { of: read_of, after: read_after, id: read_id } = open(&written).expect("a cursor");
            prop_assert_eq!((read_of, read_after, read_id), (of, after, Uuid::from_u128(id)));
        }

        #[test]
        fn no_text_is_too_odd_to_be_no_cursor(text in any::<String>(), bytes in any::<Vec<u8>>()) {
            drop(open(&text));
            drop(open(&BASE64_URL_SAFE_NO_PAD.encode(bytes)));
        }
    }
}
