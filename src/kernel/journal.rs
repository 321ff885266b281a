//! The journal: audit log, change feed and outbox in one append-only table, written with each change.
//!
//! On PostgreSQL an id taken from a counter is not in commit order, so a row is written without a
//! sequence and [`number`] gives committed rows theirs, one sequencer at a time. SQLite has one
//! writer, which numbers at once. Readers of the feed see numbered rows only (B-4).
//!
//! An entry has the beginning of a long text. The whole is kept apart, once for each thing, whether it was
//! there before a change or after it, or did not change at all.

use std::collections::{BTreeMap, HashSet};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, FromJsonQueryResult, FromQueryResult, Iterable,
    QueryTrait,
    entity::prelude::*,
    sea_query::{Alias, Expr, ExprTrait, OnConflict, Query, UpdateStatement},
};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{clock::Timestamp, error::Result, list::MAX_SHORT_TEXT, reader::Reader};

/// One change, as it is kept.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "journal")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its place in the feed; empty until it is numbered.
    pub sequence: Option<i64>,
    /// When it happened.
    pub at: Timestamp,
    /// Its name: `note.created`.
    pub event: String,
    /// What kind of thing changed: `note`.
    pub kind: String,
    /// Which one.
    pub record_id: Uuid,
    /// What people call it.
    pub title: String,
    /// The type of the cart object it is about.
    pub subject_type: Option<String>,
    /// The cart object it is about.
    pub subject_id: Option<String>,
    /// The contact it is about.
    pub contact_id: Option<Uuid>,
    /// Who is meant to see it.
    pub audience: String,
    /// Which kind of credential acted.
    pub actor_kind: String,
    /// Who acted.
    pub actor_id: Uuid,
    /// Their name at that time.
    pub actor_name: String,
    /// The person an API key acted for.
    pub acting_for_id: Option<Uuid>,
    /// Their name at that time.
    pub acting_for_name: Option<String>,
    /// The request that did it.
    pub request_id: String,
    /// The thing before.
    pub before: Option<Json>,
    /// The thing after.
    pub after: Option<Json>,
    /// Which of their texts are kept apart.
    pub texts: Option<LongTexts>,
}

/// Long texts that are kept apart: digests by the members that they are of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(default)]
pub struct LongTexts {
    /// Of the thing before.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub before: BTreeMap<String, String>,
    /// Of the thing after.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub after: BTreeMap<String, String>,
}

/// A long text on its way into the journal.
pub(super) struct LongText {
    record_id: Uuid,
    digest: String,
    text: String,
}

impl LongText {
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }
}

/// The journal refers to things by plain ids, so that it outlives them.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A state of a thing whose long texts are noted already, with their digests.
#[derive(Clone, Copy, Default)]
pub(super) struct Known<'a> {
    pub thing: Option<&'a Json>,
    pub digests: Option<&'a BTreeMap<String, String>>,
}

impl Known<'_> {
    /// The digest of a text that is the same as before.
    fn digest(self, name: &str, text: &str) -> Option<String> {
        let same = self.thing?.get(name)?.as_str()? == text;
        self.digests?.get(name).filter(|_| same).cloned()
    }
}

/// A thing with the beginnings of its long texts; the digest of each is noted, the text itself goes among
/// those of the thing. What is known is not digested, nor noted, once more.
pub(super) fn shorten(
    record_id: Uuid,
    thing: &Json,
    known: Known<'_>,
    digests: &mut BTreeMap<String, String>,
    texts: &mut Vec<LongText>,
) -> Json {
    let Json::Object(members) = thing else { return thing.clone() };
    let shortened = members.iter().map(|(name, value)| {
        let long = value.as_str().and_then(|text| Some((text, text.char_indices().nth(MAX_SHORT_TEXT)?.0)));
        let Some((text, end)) = long else { return (name.clone(), value.clone()) };
        let digest = known.digest(name, text).unwrap_or_else(|| {
            let digest = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(text));
            texts.push(LongText { record_id, digest: digest.clone(), text: text.to_owned() });
            digest
        });
        digests.insert(name.clone(), digest);
        (name.clone(), text[..end].into())
    });
    Json::Object(shortened.collect())
}

#[derive(FromQueryResult)]
struct StoredText {
    record_id: Uuid,
    digest: String,
}

#[derive(FromQueryResult)]
struct StoredTextRow {
    digest: String,
    text: String,
}

const TEXTS: &str = "journal_texts";

/// Long texts by their digests.
pub async fn long_texts(
    reader: Reader<'_>,
    record_id: Uuid,
    texts: &LongTexts,
) -> Result<BTreeMap<String, String>> {
    let digests = texts.before.values().chain(texts.after.values());
    let select = Query::select()
        .columns(["digest", "text"].map(Alias::new))
        .from(Alias::new(TEXTS))
        .and_where(Expr::col(Alias::new("record_id")).eq(record_id))
        .and_where(Expr::col(Alias::new("digest")).is_in(digests.map(String::as_str)))
        .to_owned();
    Ok(reader.all::<StoredTextRow>(&select).await?.into_iter().map(|kept| (kept.digest, kept.text)).collect())
}

/// Keeps long texts, each once.
pub(super) async fn store_texts(conn: &DatabaseTransaction, texts: Vec<LongText>) -> Result<()> {
    if texts.is_empty() {
        return Ok(());
    }
    let one_of = |name: &str, values: Vec<sea_orm::Value>| Expr::col(Alias::new(name)).is_in(values);
    let known = Query::select()
        .columns(["record_id", "digest"].map(Alias::new))
        .from(Alias::new(TEXTS))
        .and_where(one_of("record_id", texts.iter().map(|text| text.record_id.into()).collect()))
        .and_where(one_of("digest", texts.iter().map(|text| text.digest.as_str().into()).collect()))
        .to_owned();
    let known: Vec<StoredText> = Reader::Tx(conn).all(&known).await?;
    let mut known: HashSet<(Uuid, String)> =
        known.into_iter().map(|kept| (kept.record_id, kept.digest)).collect();
    for LongText { record_id, digest, text } in texts {
        if known.insert((record_id, digest.clone())) {
            let mut insert = Query::insert();
            insert.into_table(Alias::new(TEXTS)).columns(["record_id", "digest", "text"].map(Alias::new));
            insert.values_panic([record_id.into(), digest.into(), text.into()]);
            insert.on_conflict(
                OnConflict::columns(["record_id", "digest"].map(Alias::new)).do_nothing().to_owned(),
            );
            conn.execute(&insert).await?;
        }
    }
    Ok(())
}

/// Writes entries of one transaction.
pub async fn append(conn: &DatabaseTransaction, entries: Vec<Model>) -> Result<()> {
    // SQLite takes at most 32,766 values in one statement, PostgreSQL 65,535.
    const ROWS_PER_STATEMENT: usize = 500;
    let numbers_at_once = conn.get_database_backend() == DbBackend::Sqlite;
    for entries in entries.chunks(ROWS_PER_STATEMENT) {
        let mut insert = Query::insert();
        insert.into_table(Entity).columns(Column::iter());
        for (entry, place) in entries.iter().zip(1..) {
            insert.values_panic(Column::iter().map(|column| match column {
                Column::Sequence if numbers_at_once => next_sequence(place),
                column => Expr::val(entry.get(column)),
            }));
        }
        conn.execute(&insert).await?;
    }
    Ok(())
}

/// The place in the feed so many after the last one there was before the statement.
fn next_sequence(place: i64) -> Expr {
    Expr::cust("(SELECT COALESCE(MAX(sequence), 0) FROM journal)").add(place)
}

/// Says whom what was written about a cart object was about: who that is was not known then.
#[must_use]
pub fn adoption(subject: (&str, &str), contact: Uuid) -> UpdateStatement {
    let theirs = Entity::update_many()
        .col_expr(Column::ContactId, Expr::val(contact))
        .filter(Column::SubjectType.eq(subject.0))
        .filter(Column::SubjectId.eq(subject.1))
        .filter(Column::ContactId.is_null());
    theirs.into_query()
}

/// Numbers the committed rows that have no sequence yet. PostgreSQL only.
///
/// The lock is taken by a statement of its own, so that the next one sees what the last holder
/// committed; whatever commits later gets a higher number, whenever it began. Among those that it
/// finds, a row that was written later comes later: a change that waited for another's lock writes
/// its entries after that one's commit, so that each thing's events are in the order of its changes.
pub async fn number(conn: &DatabaseTransaction) -> Result<()> {
    conn.execute_unprepared("SELECT pg_advisory_xact_lock(4919001)").await?;
    conn.execute_unprepared(
        "UPDATE journal SET sequence = fresh.next FROM \
         (SELECT id, (SELECT COALESCE(MAX(sequence), 0) FROM journal) + ROW_NUMBER() OVER (ORDER BY written) \
         AS next FROM journal WHERE sequence IS NULL) AS fresh \
         WHERE journal.id = fresh.id",
    )
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_long_text_that_stays_is_digested_and_kept_once() {
        let long = |letter: &str| letter.repeat(MAX_SHORT_TEXT + 1);
        let before = json!({ "title": "Called", "body": long("a"), "details": long("b") });
        let after = json!({ "title": "Called again", "body": long("a"), "details": long("c") });
        let mut texts = Vec::new();
        // A digest that nothing has shows that none was made.
        let known = BTreeMap::from([
            ("body".to_owned(), "known".to_owned()),
            ("details".to_owned(), "of another".to_owned()),
        ]);
        let mut digests = BTreeMap::new();
        let short = shorten(
            Uuid::nil(),
            &after,
            Known { thing: Some(&before), digests: Some(&known) },
            &mut digests,
            &mut texts,
        );
        assert_eq!(digests["body"], "known");
        assert_ne!(digests["details"], "of another");
        assert_eq!(texts.iter().map(|text| text.text.as_str()).collect::<Vec<_>>(), [long("c")]);
        assert_eq!(short["body"].as_str().map(str::len), Some(MAX_SHORT_TEXT));
        assert_eq!(short["title"], "Called again");
    }
}
