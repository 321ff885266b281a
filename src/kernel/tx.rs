//! The one way to write: a transaction that journals each change and lets later folders react.

use std::{
    any::{Any, TypeId},
    collections::{HashMap, HashSet},
    sync::Arc,
};

use futures_util::{FutureExt, future::LocalBoxFuture};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, FromQueryResult,
    IntoActiveModel, Iterable, ModelTrait, PrimaryKeyToColumn, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Select, StatementBuilder, TransactionTrait,
    sea_query::{Alias, Expr, ExprTrait, LockBehavior, LockType, Query, SelectStatement},
};
use serde_json::Value as Json;
use uuid::Uuid;

use super::{
    actor::Actor,
    clock::{Ids, Timestamp},
    context::{Context, IfMatch},
    error::{Code, Error, Result, ResultExt},
    events::{Change, Event, Shown},
    journal::{self, Known, LongText, LongTexts},
    list::MAX_PAGE_BYTES,
    reader::Reader,
    record::{Audience, EventInfo, EventPlacement, Record},
    search,
    settings::Settings,
};

/// Rows of one statement at the most: their values stay well below what either database takes.
const ROWS_AT_ONCE: usize = 500;
/// Rows that are read at once at the most, of any number that are gone through.
const PART: u64 = 200;
/// Bytes that a transaction has still to write to the journal and the index, at the most; one change always
/// fits.
const MAX_UNWRITTEN: usize = 4 << 20;

/// A transaction and everything that goes with one request's change.
pub struct Tx {
    conn: DatabaseTransaction,
    /// The request.
    pub context: Context,
    /// The instant of every change in it.
    pub now: Timestamp,
    /// What the company has settled.
    pub settings: Arc<Settings>,
    ids: Arc<Ids>,
    reactions: Arc<Reactions>,
    /// How deep in reactions it is.
    reacting: usize,
    /// Who reads rights once more, until that is done.
    pub(super) recognise: Option<Recognise>,
    unwritten: Unwritten,
    /// Savepoints that it is in.
    depth: usize,
    changes_access: bool,
    made: HashSet<&'static str>,
    names: HashMap<Uuid, String>,
    cached: HashMap<TypeId, Box<dyn Any>>,
}

/// Who asks, and what they may do by now, or why they are nobody any more; `access` implements it, `app`
/// wires it in.
pub type Recognise = for<'a> fn(&'a Tx) -> LocalBoxFuture<'a, Result<Actor>>;

/// What runs when something has changed that it waits for.
type React = dyn for<'a> Fn(&'a mut Tx, Change<'a, dyn Any>) -> LocalBoxFuture<'a, Result<()>> + Send + Sync;

/// What a later folder does, or refuses, when something earlier changes; in the same transaction.
pub struct Reaction {
    /// The event that it waits for.
    pub awaited: &'static EventInfo,
    react: Box<React>,
}

/// Every reaction, in the order in which they run.
pub type Reactions = Vec<Reaction>;

impl Reaction {
    fn run<'a>(&self, tx: &'a mut Tx, change: Change<'a, dyn Any>) -> LocalBoxFuture<'a, Result<()>> {
        (self.react)(tx, change)
    }
}

/// Has something done, or refused, whenever an event happens.
pub fn on<T: Shown, F>(event: Event<T>, react: F) -> Reaction
where
    F: AsyncFn(&mut Tx, Change<'_, T>) -> Result<()> + Copy + Send + Sync + 'static,
{
    Reaction {
        awaited: event.info(),
        react: Box::new(move |tx, change| async move { react(tx, change.of()).await }.boxed_local()),
    }
}

/// A transaction whose work is done and may be committed, or a refusal and what is to be rolled back.
pub(super) type TxOutcome = std::result::Result<DatabaseTransaction, (Error, DatabaseTransaction)>;

/// What goes into the journal and the index at the end of a transaction, or earlier when it becomes much.
#[derive(Default)]
struct Unwritten {
    entries: Vec<journal::Model>,
    texts: Vec<LongText>,
    found: Vec<search::Entry>,
    bytes: usize,
}

/// How much there was to be written at one time.
#[derive(Clone, Copy)]
struct Mark {
    entries: usize,
    texts: usize,
    found: usize,
    bytes: usize,
}

impl Unwritten {
    fn mark(&self) -> Mark {
        Mark {
            entries: self.entries.len(),
            texts: self.texts.len(),
            found: self.found.len(),
            bytes: self.bytes,
        }
    }

    fn back_to(&mut self, mark: Mark) {
        self.entries.truncate(mark.entries);
        self.texts.truncate(mark.texts);
        self.found.truncate(mark.found);
        self.bytes = mark.bytes;
    }

    /// What has come since.
    fn after(&mut self, mark: Mark) -> Self {
        Self {
            entries: self.entries.split_off(mark.entries),
            texts: self.texts.split_off(mark.texts),
            found: self.found.split_off(mark.found),
            bytes: 0,
        }
    }

    async fn write_to(self, conn: &DatabaseTransaction) -> Result<()> {
        journal::store_texts(conn, self.texts).await?;
        journal::append(conn, self.entries).await?;
        search::append(conn, self.found).await
    }

    fn index(&mut self, found: Option<search::Entry>) {
        self.bytes += found.as_ref().map_or(0, search::Entry::size);
        self.found.extend(found);
    }
}

impl Tx {
    pub(super) fn new(
        conn: DatabaseTransaction,
        context: Context,
        now: Timestamp,
        settings: Arc<Settings>,
        ids: Arc<Ids>,
        reactions: Arc<Reactions>,
        recognise: Option<Recognise>,
    ) -> Self {
        let names = HashMap::from([(context.actor.author(), context.actor.author_name().to_owned())]);
        Self {
            conn,
            context,
            now,
            settings,
            ids,
            reactions,
            reacting: 0,
            recognise,
            unwritten: Unwritten::default(),
            depth: 0,
            changes_access: false,
            made: HashSet::new(),
            names,
            cached: HashMap::new(),
        }
    }

    /// Writes the journal and what full text finds, and hands the transaction back for its commit.
    pub(super) async fn finish(mut self) -> TxOutcome {
        match self.write_out().await {
            Ok(()) => Ok(self.conn),
            Err(error) => Err((error, self.conn)),
        }
    }

    async fn write_out(&mut self) -> Result<()> {
        std::mem::take(&mut self.unwritten).write_to(&self.conn).await
    }

    /// Writes what is to be written when it has become much. Within a savepoint nothing is: what is taken
    /// back there must still be told from what was there before.
    async fn write_out_when_much(&mut self) -> Result<()> {
        if self.depth == 0 && self.unwritten.bytes > MAX_UNWRITTEN { self.write_out().await } else { Ok(()) }
    }

    /// Nothing of it is to be kept.
    pub(super) fn refuse(self, refusal: Error) -> TxOutcome {
        Err((refusal, self.conn))
    }

    /// The kinds of things that were made, as far as the journal keeps them.
    pub fn made(&self) -> impl Iterator<Item = &str> {
        self.made.iter().copied()
    }

    /// Whether anything changed that was there before and that only administrators see, such as
    /// somebody's rights. What is new has no rights that could have changed.
    pub(super) const fn changes_access(&self) -> bool {
        self.changes_access
    }

    /// Reads inside this transaction.
    #[must_use]
    pub const fn read(&self) -> Reader<'_> {
        Reader::Tx(&self.conn)
    }

    /// Which database this is.
    #[must_use]
    pub fn backend(&self) -> DbBackend {
        self.conn.get_database_backend()
    }

    /// A new id.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.ids.next(self.now)
    }

    /// Keeps the name of a person or group that was read anyway, so that the answer need not ask for it
    /// again.
    pub fn remember_name(&mut self, id: Uuid, name: &str) {
        self.names.insert(id, name.to_owned());
    }

    /// The name of a person or group, when this transaction has read it; `Some(None)` for nobody.
    #[must_use]
    pub fn name_of(&self, id: Option<Uuid>) -> Option<Option<String>> {
        id.map_or(Some(None), |id| self.names.get(&id).cloned().map(Some))
    }

    /// What a resource has read in this transaction and need not read again: each keeps a type of its own.
    pub fn cache<T: Default + 'static>(&mut self) -> &mut T {
        let kept = self.cached.entry(TypeId::of::<T>()).or_insert_with(|| Box::new(T::default()));
        kept.downcast_mut().unwrap_or_else(|| unreachable!("it is kept by its type"))
    }

    /// Writes a row without a journal entry: technical rows such as sessions.
    pub async fn insert_unjournaled<M>(&mut self, row: M) -> Result<()>
    where
        M: ModelTrait + IntoActiveModel<<M::Entity as EntityTrait>::ActiveModel>,
        <M::Entity as EntityTrait>::ActiveModel: Send,
    {
        use sea_orm::ActiveModelTrait;
        M::Entity::insert(row.into_active_model().reset_all()).exec_without_returning(&self.conn).await?;
        Ok(())
    }

    /// Writes rows of one table without journal entries, many with each statement.
    pub async fn insert_all_unjournaled<M>(&mut self, rows: Vec<M>) -> Result<()>
    where
        M: ModelTrait + IntoActiveModel<<M::Entity as EntityTrait>::ActiveModel>,
        <M::Entity as EntityTrait>::ActiveModel: Send,
    {
        use sea_orm::ActiveModelTrait;
        let mut rows = rows.into_iter().map(|row| row.into_active_model().reset_all()).peekable();
        while rows.peek().is_some() {
            M::Entity::insert_many(rows.by_ref().take(ROWS_AT_ONCE))
                .exec_without_returning(&self.conn)
                .await?;
        }
        Ok(())
    }

    /// Runs a statement that changes technical rows; how many it changed.
    pub async fn execute(&mut self, statement: &impl StatementBuilder) -> Result<u64> {
        Ok(self.conn.execute(statement).await?.rows_affected())
    }

    /// Takes an advisory lock until the end of the transaction; SQLite's one writer is alone anyway.
    pub async fn advisory_lock(&mut self, key: i64) -> Result<()> {
        if self.backend() == DbBackend::Postgres {
            self.conn.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({key})")).await?;
        }
        Ok(())
    }

    /// Adds a row and its journal entry.
    pub async fn create<M: Record>(&mut self, row: &M, event: Event<M>) -> Result<()>
    where
        <M::Entity as EntityTrait>::ActiveModel: Send,
    {
        self.insert_unjournaled(row.clone()).await?;
        self.unwritten.index(search::entry(None, Some(row)));
        self.record(Change::Created(row), event).await
    }

    /// Writes what differs between two states of a row, one version up, and its journal entry.
    /// Nothing differs: nothing is written, and the row is answered as it was.
    pub async fn change<M>(&mut self, before: &M, mut after: M, event: Event<M>) -> Result<M>
    where
        M: Record,
        <M::Entity as EntityTrait>::Column: Copy,
    {
        if changed_columns(before, &after).is_empty() {
            return Ok(after);
        }
        after.touch(self.now);
        let mut update = M::Entity::update_many().filter(key_column::<M::Entity>().eq(before.id()));
        for column in changed_columns(before, &after) {
            update = update.col_expr(column, Expr::val(after.get(column)));
        }
        update.exec(&self.conn).await?;
        self.unwritten.index(search::entry(Some(before), Some(&after)));
        self.record(Change::Changed { before, after: &after }, event).await?;
        Ok(after)
    }

    /// Takes a row away, leaving its journal entry.
    pub async fn remove<M: Record>(&mut self, row: &M, event: Event<M>) -> Result<()> {
        M::Entity::delete_many().filter(key_column::<M::Entity>().eq(row.id())).exec(&self.conn).await?;
        self.unwritten.index(search::entry(Some(row), None));
        self.record(Change::Removed(row), event).await
    }

    /// Writes a journal entry and lets the reactions to it run; all their refusals come back together.
    pub async fn record<T: Shown>(&mut self, change: Change<'_, T>, event: Event<T>) -> Result<()> {
        let row = change.latest().row();
        let entry = Entry {
            event: event.info(),
            kind: T::Row::KIND,
            id: row.id(),
            belongs: row.placement(),
            before: change.before().map(public_form).transpose()?,
            after: change.after().map(public_form).transpose()?,
        };
        self.record_entry(entry, change.erased()).await
    }

    async fn record_entry(&mut self, entry: Entry, change: Change<'_, dyn Any>) -> Result<()> {
        let Entry { event, kind, id, belongs, before, after } = entry;
        if belongs.audience == Audience::Admins {
            self.check_rights().await?;
        }
        // What follows by itself is nobody's to be allowed.
        if self.reacting == 0 {
            self.check_write(kind)?;
        }
        if before.is_none() {
            self.made.insert(kind);
        }
        let actor = &self.context.actor;
        let mut digests = LongTexts::default();
        let unwritten = &mut self.unwritten;
        let so_far = unwritten.texts.len();
        let short_before = before.as_ref().map(|thing| {
            journal::shorten(id, thing, Known::default(), &mut digests.before, &mut unwritten.texts)
        });
        let known = Known { thing: before.as_ref(), digests: Some(&digests.before) };
        let short_after = after
            .as_ref()
            .map(|thing| journal::shorten(id, thing, known, &mut digests.after, &mut unwritten.texts));
        unwritten.bytes += unwritten.texts[so_far..].iter().map(LongText::len).sum::<usize>();
        unwritten.bytes += [&short_before, &short_after].into_iter().flatten().map(size).sum::<usize>();
        self.changes_access |= before.is_some() && belongs.audience == Audience::Admins;
        let entry = journal::Model {
            id: self.id(),
            sequence: None,
            at: self.now,
            event: event.name.to_owned(),
            kind: kind.to_owned(),
            record_id: id,
            title: belongs.title,
            subject_type: belongs.subject.as_ref().map(|subject| subject.0.clone()),
            subject_id: belongs.subject.as_ref().map(|subject| subject.1.clone()),
            contact_id: belongs.contact,
            audience: belongs.audience.as_str().to_owned(),
            actor_kind: actor.kind.as_str().to_owned(),
            actor_id: actor.id,
            actor_name: actor.name.clone(),
            acting_for_id: actor.acting_for.as_ref().map(|person| person.id),
            acting_for_name: actor.acting_for.as_ref().map(|person| person.name.clone()),
            request_id: self.context.request_id.clone(),
            before: short_before,
            after: short_after,
            texts: (digests != LongTexts::default()).then_some(digests),
        };
        self.unwritten.entries.push(entry);
        let reactions = self.reactions.clone();
        let mut refusals = Vec::new();
        for reaction in reactions.iter().filter(|reaction| reaction.awaited == event) {
            self.reacting += 1;
            let reacted = reaction.run(self, change).await;
            self.reacting -= 1;
            refusals.extend(reacted.err());
        }
        Error::all(refusals).map_or(Ok(()), Err)?;
        self.write_out_when_much().await
    }

    /// Does something to each row that a query finds, locked, in the order of their ids. They are read part
    /// by part, so that no more of them are here than a part has, however many there are; none is met
    /// twice.
    pub async fn for_each<M>(
        &mut self,
        query: Select<M::Entity>,
        mut work: impl AsyncFnMut(&mut Self, M) -> Result<()>,
    ) -> Result<()>
    where
        M: Record + FromQueryResult,
        M::Entity: EntityTrait<Model = M>,
    {
        let key = key_column::<M::Entity>();
        let query = self.for_update(query).order_by_asc(key).limit(PART);
        let mut part_query = query.clone();
        loop {
            let (part, ended_by_bytes) =
                self.read().all_within::<M>(&part_query.into_query(), MAX_PAGE_BYTES).await?;
            let more = ended_by_bytes || part.len() as u64 == PART;
            let Some(last) = part.last().map(Record::id).filter(|_| more) else {
                for row in part {
                    work(self, row).await?;
                }
                return Ok(());
            };
            for row in part {
                work(self, row).await?;
            }
            part_query = query.clone().filter(key.gt(last));
        }
    }

    /// A row by id, locked against other writers until the end; 404 when it is not there.
    pub async fn lock<E: EntityTrait>(&mut self, id: Uuid, what: &str) -> Result<E::Model> {
        let select = self.for_update(E::find().filter(key_column::<E>().eq(id)));
        self.read().model(select).await?.ok_or_else(|| Error::not_found(what))
    }

    /// A row that this transaction has read, locked: read again only where somebody else may have changed it
    /// since.
    pub async fn lock_read<M: ModelTrait>(&mut self, row: M, id: Uuid, what: &str) -> Result<M>
    where
        M::Entity: EntityTrait<Model = M>,
    {
        if self.backend() == DbBackend::Postgres { self.lock::<M::Entity>(id, what).await } else { Ok(row) }
    }

    /// The row that the request is about: locked, and of the version that `If-Match` asks for.
    pub async fn target<M: Record>(&mut self, id: Uuid, what: &str) -> Result<M>
    where
        M::Entity: EntityTrait<Model = M>,
    {
        let row = self.lock::<M::Entity>(id, what).await?;
        self.check_version(&row, what)?;
        Ok(row)
    }

    /// Refuses when `If-Match` asks for another version of the row that the request is about.
    pub fn check_version<M: Record>(&mut self, row: &M, what: &str) -> Result<()> {
        let current = row.version();
        match self.context.if_match.take() {
            Some(IfMatch::Versions(wanted)) if !wanted.contains(&current) => {
                Err(Error::new(Code::Stale, format!("The {what} is at version {current} by now."))
                    .with("current_version", current))
            }
            _ => Ok(()),
        }
    }

    /// Locks what a query finds, on the database that has row locks.
    #[must_use]
    pub fn for_update<E: EntityTrait>(&self, select: Select<E>) -> Select<E> {
        if self.backend() == DbBackend::Postgres { select.lock(LockType::NoKeyUpdate) } else { select }
    }

    /// Holds what a query finds as it is, without hindering others who do the same.
    #[must_use]
    pub fn for_share<E: EntityTrait>(&self, select: Select<E>) -> Select<E> {
        if self.backend() == DbBackend::Postgres { select.lock(LockType::Share) } else { select }
    }

    /// Locks what a statement finds, on the database that has row locks.
    pub fn lock_rows(&self, select: &mut SelectStatement) {
        if self.backend() == DbBackend::Postgres {
            select.lock(LockType::NoKeyUpdate);
        }
    }

    /// Shares an advisory lock until the end of the transaction: nobody has it alone meanwhile.
    pub async fn advisory_lock_shared(&mut self, key: i64) -> Result<()> {
        if self.backend() == DbBackend::Postgres {
            self.conn.execute_unprepared(&format!("SELECT pg_advisory_xact_lock_shared({key})")).await?;
        }
        Ok(())
    }

    /// The number after the last one of a table, for people to say. Whoever comes later waits for theirs
    /// until this transaction ends, so nothing that others hold is waited for after it.
    pub async fn next_number<E: EntityTrait>(&mut self, key: i64, number: E::Column) -> Result<i64> {
        self.advisory_lock(key).await?;
        let last = Query::select()
            .expr_as(Expr::col(number).max(), Alias::new("number"))
            .from(E::default())
            .to_owned();
        Ok(self.read().one::<Last>(&last).await?.and_then(|last| last.number).unwrap_or(0) + 1)
    }

    /// Passes over rows that somebody else is changing, on the database that has row locks.
    pub fn skip_locked(&self, select: &mut SelectStatement) {
        if self.backend() == DbBackend::Postgres {
            select.lock_with_behavior(LockType::NoKeyUpdate, LockBehavior::SkipLocked);
        }
    }

    /// Does a part that may fail alone: on refusal its rows and journal entries are as if it had never begun.
    pub async fn savepoint<T>(&mut self, work: impl AsyncFnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.within_savepoint(true, work).await
    }

    /// Does a part and takes it back, whatever came of it: what is not to be kept costs as much as what is.
    pub async fn dry_run<T>(&mut self, work: impl AsyncFnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.within_savepoint(false, work).await
    }

    async fn within_savepoint<T>(
        &mut self,
        keep: bool,
        work: impl AsyncFnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        let savepoint = self.conn.begin().await?;
        let outer = std::mem::replace(&mut self.conn, savepoint);
        let mark = self.unwritten.mark();
        self.depth += 1;
        let done = work(self).await;
        self.depth -= 1;
        let savepoint = std::mem::replace(&mut self.conn, outer);
        if keep && done.is_ok() {
            savepoint.commit().await?;
            self.write_out_when_much().await?;
            return done;
        }
        let done = if keep || done.is_err() {
            done
        } else {
            // What is only rehearsed is written as if it were kept: until it is taken back it costs the same.
            let rehearsed = self.unwritten.after(mark);
            match rehearsed.write_to(&savepoint).await {
                Ok(()) => done,
                Err(error) => Err(error),
            }
        };
        self.unwritten.back_to(mark);
        // What was read there may have been written or locked there.
        self.cached.clear();
        match done {
            Ok(value) => {
                savepoint.rollback().await?;
                Ok(value)
            }
            Err(refusal) => Err(rollback_with(savepoint, refusal).await),
        }
    }
}

/// What is written of a change.
struct Entry {
    event: &'static EventInfo,
    kind: &'static str,
    id: Uuid,
    belongs: EventPlacement,
    before: Option<Json>,
    after: Option<Json>,
}

#[derive(FromQueryResult)]
struct Last {
    number: Option<i64>,
}

/// Bytes that a value of JSON takes, about.
fn size(value: &Json) -> usize {
    const VALUE: usize = 64;
    VALUE
        + match value {
            Json::String(text) => text.len(),
            Json::Array(list) => list.iter().map(size).sum(),
            Json::Object(members) => members.iter().map(|(name, value)| name.len() + size(value)).sum(),
            _ => 0,
        }
}

/// The columns in which two states of a row differ.
fn changed_columns<M: ModelTrait>(before: &M, after: &M) -> Vec<<M::Entity as EntityTrait>::Column> {
    <M::Entity as EntityTrait>::Column::iter()
        .filter(|column| !same(&before.get(*column), &after.get(*column)))
        .collect()
}

/// Whether two values of a column are the same: JSON whatever the order of its members, which PostgreSQL does
/// not keep.
fn same(one: &sea_orm::Value, other: &sea_orm::Value) -> bool {
    match (one, other) {
        (sea_orm::Value::Json(one), sea_orm::Value::Json(other)) => one == other,
        _ => one == other,
    }
}

fn key_column<E: EntityTrait>() -> E::Column {
    E::PrimaryKey::iter()
        .next()
        .map_or_else(|| unreachable!("every table has a key"), PrimaryKeyToColumn::into_column)
}

fn public_form<T: Shown>(shown: &T) -> Result<Json> {
    serde_json::to_value(shown).internal()
}

/// Commits a transaction or savepoint, or rolls it back. Whoever is answered after that meets none of its
/// locks: what is only dropped rolls back some time later.
pub(super) async fn commit_or_rollback(outcome: TxOutcome) -> Result<()> {
    match outcome {
        Ok(open) => Ok(open.commit().await?),
        Err((refusal, open)) => Err(rollback_with(open, refusal).await),
    }
}

/// Rolls a transaction or savepoint back; the refusal that was the reason. A database that is full or gone
/// has taken it back already.
pub(super) async fn rollback_with(open: DatabaseTransaction, refusal: Error) -> Error {
    match open.rollback().await {
        Err(error) if refusal.code() != Code::DatabaseUnavailable => error.into(),
        _ => refusal,
    }
}
