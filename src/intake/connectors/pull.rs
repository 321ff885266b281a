//! The jobs of connectors: everybody who changed in a shop, and one contact on demand.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{FutureExt, future::LocalBoxFuture};
use sea_orm::sea_query::Expr;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;
use validator::Validate;

use super::{
    connector::Model,
    job::{Pull, Sync},
    open, service,
    shop::{self, Changed, Customer, Order, Part, Wanted},
};
use crate::{
    customers::{
        contacts::{self, ContactPatch, ExternalId, Lookup},
        facts,
    },
    intake::scheduled,
    kernel::{
        db::Db,
        error::{Code, Error, Kind, Result, ResultExt},
        jobs::Run,
        problem::Problem,
        services::Services,
        text,
        tx::Tx,
        value::{self, Checked, Valid},
    },
};

/// A pull asks for what changed since a little before the last one began: clocks differ.
const OVERLAP_SECONDS: i64 = 10 * 60;
/// Rows of one step.
const STEP: usize = 100;
/// Problems that a report shows.
const MAX_PROBLEMS: usize = 20;
/// Parts of one customer's orders that are fetched at the most.
const MAX_PARTS: usize = 40;
/// Addresses or numbers of one contact at the most.
const MAX_ENTRIES: usize = 20;

/// What has come of a pull so far, and where it goes on; the job's `result`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Pulled {
    /// Customers that were looked at.
    customers: i64,
    /// Contacts that are new.
    created: i64,
    /// Orders that were kept.
    orders: i64,
    /// Orders of guests and of customers that the shop does not know.
    skipped: i64,
    /// What could not be kept.
    failed: i64,
    /// The first reasons.
    problems: Vec<Problem>,
    /// Where it goes on; none when it is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// Whether it is in the middle of a page, which is then read again from its beginning.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    part_way: bool,
}

/// What the shops know of one contact; the job's `result`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Report {
    connectors: Vec<Synced>,
}

/// What one shop knows of one contact.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Synced {
    connector: String,
    /// Whether the shop knows them.
    found: bool,
    orders: i64,
    problem: Option<Problem>,
}

impl Report {
    fn and(mut self, one: Synced) -> Self {
        self.connectors.push(one);
        self
    }
}

/// Fetches everybody who changed, page by page.
#[must_use]
pub fn run_pull(run: Run) -> LocalBoxFuture<'static, Result<Value>> {
    pull(run).boxed_local()
}

/// Fetches what shops know of one contact, shop by shop.
#[must_use]
pub fn run_sync(run: Run) -> LocalBoxFuture<'static, Result<Value>> {
    sync(run).boxed_local()
}

async fn pull(run: Run) -> Result<Value> {
    let Services { db, keyring, http_client, .. } = &run.services;
    let Pull { connector_id } = serde_json::from_value(run.job.payload.clone()).internal()?;
    let connector = service::find(db.read(), connector_id).await?;
    let shop = open::open(http_client, keyring, &connector)?;
    let since = connector.synced_until.map(|until| until.plus_seconds(-OVERLAP_SECONDS));
    let mut pulled: Pulled =
        run.job.result.clone().and_then(|so_far| serde_json::from_value(so_far).ok()).unwrap_or_default();
    let resumed = run.job.result.is_some();
    if !resumed || pulled.part_way || pulled.next.is_some() {
        loop {
            run.renew_lease().await?;
            let Part { rows, next } = shop.changed(since, pulled.next.clone()).await?;
            let rows = with_their_customers(&run, shop.as_ref(), &connector, rows).await?;
            // Whoever else writes waits no longer than for some rows; where it goes on moves with the last of
            // them.
            let (mut rows, mut after) = (rows.into_iter(), None);
            while after.is_none() {
                let some: Vec<Changed> = rows.by_ref().take(STEP).collect();
                after = (rows.len() == 0).then(|| next.clone());
                let (count, of) = (i64::try_from(some.len()).unwrap_or(0), connector.clone());
                let so_far = Pulled {
                    part_way: after.is_none(),
                    next: after.clone().unwrap_or_else(|| pulled.next.clone()),
                    ..pulled
                };
                pulled = run.step(count, async move |tx| keep_all(tx, &of, some, so_far).await).await?;
            }
            if pulled.next.is_none() {
                break;
            }
        }
    }
    let (began, done) = (run.job.created_at, pulled.clone());
    let end = async move |tx: &mut Tx| {
        scheduled::record_outcome::<Model>(tx, connector_id, [("synced_until", Expr::val(began))]).await?;
        Ok(done)
    };
    run.step(0, end).await?;
    serde_json::to_value(pulled).internal()
}

/// Changed orders with the customers whose they are before them, where we do not know these yet.
async fn with_their_customers(
    run: &Run,
    shop: &dyn shop::Shop,
    connector: &Model,
    rows: Vec<Changed>,
) -> Result<Vec<Changed>> {
    let mut wanted: BTreeSet<String> = rows
        .iter()
        .filter_map(|row| match row {
            Changed::Order(order) if !order.customer.is_empty() => Some(order.customer.clone()),
            _ => None,
        })
        .collect();
    let mut all = Vec::with_capacity(rows.len());
    while let Some(id) = wanted.pop_first() {
        if contacts::by_external_id(run.services.db.read(), &known_as(connector, &id)).await?.is_none() {
            run.renew_lease().await?;
            all.extend(
                shop.customer(Wanted::Id(id)).await?.map(|customer| Changed::Customer(Box::new(customer))),
            );
        }
    }
    all.extend(rows);
    Ok(all)
}

fn known_as(connector: &Model, id: &str) -> ExternalId {
    ExternalId { source: connector.source.as_str().into(), id: id.into() }
}

/// Keeps what a page brought, each row standing alone.
async fn keep_all(tx: &mut Tx, connector: &Model, rows: Vec<Changed>, mut pulled: Pulled) -> Result<Pulled> {
    let mut contacts_of: BTreeMap<String, Option<Uuid>> = BTreeMap::new();
    for row in &rows {
        let id = match row {
            Changed::Customer(customer) => &customer.id,
            Changed::Order(order) => &order.customer,
        };
        if !contacts_of.contains_key(id) {
            let contact = if id.is_empty() {
                None
            } else {
                contacts::by_external_id(tx.read(), &known_as(connector, id)).await?
            };
            contacts_of.insert(id.clone(), contact);
        }
    }
    // In one order, so that of two who change the same contacts neither waits for the other in a circle.
    contacts::lock_for_update(tx, contacts_of.values().flatten().copied()).await?;
    for row in rows {
        match row {
            Changed::Customer(customer) => {
                let present = contacts_of.get(&customer.id).copied().flatten();
                let kept =
                    savepoint(tx, async |tx| keep_customer(tx, connector, present, &customer).await).await?;
                pulled.customers += 1;
                match kept {
                    Ok(contact) => {
                        pulled.created += i64::from(present.is_none());
                        contacts_of.insert(customer.id.clone(), Some(contact));
                    }
                    Err(problem) => fail(&mut pulled, problem),
                }
            }
            Changed::Order(order) => match contacts_of.get(&order.customer).copied().flatten() {
                Some(contact) => {
                    match savepoint(tx, async |tx| keep_order(tx, connector, contact, &order).await).await? {
                        Ok(()) => pulled.orders += 1,
                        Err(problem) => fail(&mut pulled, problem),
                    }
                }
                None => pulled.skipped += 1,
            },
        }
    }
    Ok(pulled)
}

fn fail(pulled: &mut Pulled, problem: Problem) {
    pulled.failed += 1;
    if pulled.problems.len() < MAX_PROBLEMS {
        pulled.problems.push(problem);
    }
}

/// Does a part that may be refused alone; a failure that is not about it ends the whole.
async fn savepoint<T>(
    tx: &mut Tx,
    work: impl AsyncFnOnce(&mut Tx) -> Result<T>,
) -> Result<Result<T, Problem>> {
    match tx.savepoint(work).await {
        Ok(value) => Ok(Ok(value)),
        Err(error) if matches!(error.code().kind(), Kind::Unavailable | Kind::Internal) => Err(error),
        Err(error) => Ok(Err(Problem::of(&error, &tx.context))),
    }
}

/// Writes who a customer is onto their contact, the one given or a new one; who that is.
async fn keep_customer(
    tx: &mut Tx,
    connector: &Model,
    contact: Option<Uuid>,
    customer: &Customer,
) -> Result<Uuid> {
    if customer.id.is_empty() {
        return Err(Error::new(Code::OutsideRefused, "The shop names a customer without an id."));
    }
    let external = known_as(connector, &customer.id);
    let mut patch = patch_of(customer);
    let contact = match contact {
        Some(id) => {
            let present = contacts::lock(tx, contacts::survivor(tx.read(), id).await?).await?;
            patch.emails = joined(&customer.email, &present.emails.0).map(Valid::new);
            // What only a form has said does not become the shop's word beside its own.
            let confirmed = present.unconfirmed.confirms("phones");
            let phones: Vec<String> =
                present.phones.0.iter().filter(|_| confirmed).map(|phone| phone.number.clone()).collect();
            patch.phones = joined(&customer.phone, &phones).map(Valid::new);
            patch.external_ids =
                Some(Valid::new([(external.source.into(), Some(external.id.into()))].into())).into();
            patch.validate()?;
            contacts::update(tx, present.id, patch).await?.id
        }
        None => {
            patch.validate()?;
            contacts::upsert(tx, external, patch).await?.0.id
        }
    };
    let fact = customer.fact(tx.now);
    fact.validate()?;
    facts::keep(tx, contact, format!("{}_profile", connector.source), customer.id.clone(), fact).await?;
    Ok(contact)
}

/// What a customer says of a contact; what the shop does not say stays as it is.
fn patch_of(customer: &Customer) -> ContactPatch {
    fn said<K: value::Kind>(text: &str) -> Option<Checked<K>> {
        Some(text).filter(|text| !text.is_empty()).map(Checked::from)
    }
    let country = Some(&customer.country)
        .filter(|country| country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_alphabetic()));
    ContactPatch {
        first_names: said(&customer.first_names).into(),
        last_name: said(&customer.last_name).into(),
        company: said(&customer.company).into(),
        emails: joined(&customer.email, &[]).map(Valid::new),
        phones: joined(&customer.phone, &[]).map(Valid::new),
        postal_code: said(&customer.postal_code).into(),
        country: country.map(|country| country.as_str().into()).into(),
        ..ContactPatch::default()
    }
}

/// What the shop says first, then what else is known; nothing to change when it says nothing new.
fn joined(said: &str, present: &[String]) -> Option<Vec<String>> {
    let key = text::email_key(said);
    let known = present.iter().any(|one| text::email_key(one) == key);
    // A number without a digit is none.
    if said.is_empty() || known || !(said.contains('@') || said.bytes().any(|byte| byte.is_ascii_digit())) {
        return None;
    }
    let mut all: Vec<String> = std::iter::once(said.to_owned()).chain(present.iter().cloned()).collect();
    all.truncate(MAX_ENTRIES);
    Some(all)
}

async fn keep_order(tx: &mut Tx, connector: &Model, contact: Uuid, order: &Order) -> Result<()> {
    if order.number.is_empty() {
        return Err(Error::new(Code::OutsideRefused, "The shop names an order without a number."));
    }
    let fact = order.fact(tx.now);
    fact.validate()?;
    facts::keep(tx, contact, orders_of(connector), order.number.clone(), fact).await.map(drop)
}

/// Orders of the shop itself are `orders`, those of another system its own: numbers mean something in one
/// shop only.
fn orders_of(connector: &Model) -> String {
    if connector.source == "shop" { "orders".into() } else { format!("{}_orders", connector.source) }
}

async fn sync(run: Run) -> Result<Value> {
    let Sync { contact_id, connectors } = serde_json::from_value(run.job.payload.clone()).internal()?;
    let kept = run.job.result.clone().and_then(|so_far| serde_json::from_value(so_far).ok());
    let mut report: Report = kept.unwrap_or_default();
    let (mut last_error, mut answered) = (None, report.connectors.iter().any(|one| one.problem.is_none()));
    for id in connectors.into_iter().skip(report.connectors.len()) {
        run.renew_lease().await?;
        let connector = service::find(run.services.db.read(), id).await?;
        let known = fetch(&run, &connector, contact_id).await;
        let (so_far, context) = (report.clone(), run.context());
        let mut one = Synced { connector: connector.name.clone(), ..Synced::default() };
        match known {
            Ok(known) => {
                answered = true;
                report = run
                    .step(1, async move |tx| {
                        if let Some((customer, orders)) = known {
                            (one.found, one.orders) = (true, i64::try_from(orders.len()).unwrap_or(0));
                            let contact = keep_customer(tx, &connector, Some(contact_id), &customer).await?;
                            for order in &orders {
                                keep_order(tx, &connector, contact, order).await?;
                            }
                        }
                        Ok(so_far.and(one))
                    })
                    .await?;
            }
            Err(error) => {
                one.problem = Some(Problem::of(&error, &context));
                report = run.step(1, async move |_| Ok(so_far.and(one))).await?;
                last_error = Some(error);
            }
        }
    }
    match last_error {
        // Nobody could say anything.
        Some(error) if !answered => Err(error),
        _ => serde_json::to_value(report).internal(),
    }
}

/// What a shop knows of a contact: by its own id of them, else by their addresses.
async fn fetch(run: &Run, connector: &Model, contact: Uuid) -> Result<Option<(Customer, Vec<Order>)>> {
    let Services { db, keyring, http_client, .. } = &run.services;
    let shop = open::open(http_client, keyring, connector)?;
    let mut customer = None;
    for wanted in ways(db, connector, contact).await? {
        customer = shop.customer(wanted).await?;
        if customer.is_some() {
            break;
        }
    }
    let Some(customer) = customer.filter(|customer| !customer.id.is_empty()) else { return Ok(None) };
    let (mut orders, mut part) = (Vec::new(), None);
    for _ in 0..MAX_PARTS {
        run.renew_lease().await?;
        let more = shop.orders(customer.id.clone(), part).await?;
        orders.extend(more.rows);
        part = more.next;
        if part.is_none() {
            break;
        }
    }
    Ok(Some((customer, orders)))
}

async fn ways(db: &Db, connector: &Model, contact: Uuid) -> Result<Vec<Wanted>> {
    let contact = contacts::survivor(db.read(), contact).await?;
    let Lookup::Here(contact) = contacts::find(db.read(), contact).await? else { return Ok(Vec::new()) };
    let id = contact.external_ids.get(&connector.source).cloned().map(Wanted::Id);
    let emails = contact.emails.iter().cloned().map(Wanted::Email);
    Ok(match id {
        Some(id) => vec![id],
        None => emails.collect(),
    })
}
