//! The one trait before every kind of shop, and what all of them bring.

use futures_util::future::LocalBoxFuture;
use serde_json::{Map, Value, json};
use url::Url;

use crate::{
    customers::facts::{FactBody, Money},
    intake::picking::{amount, clipped, text_at, time},
    kernel::{
        clock::Timestamp,
        error::Result,
        http_client::{self, HttpClient, Request, Response},
        value::PlainLine,
    },
};

/// Rows of a page that shops are asked for.
pub const PAGE: usize = 50;

/// Whom a shop is asked for.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// The customer of this id.
    Id(String),
    /// The one with this address.
    Email(String),
}

/// A customer as a shop knows them; what it does not say is empty.
#[derive(Clone, Debug, Default)]
pub struct Customer {
    /// The shop's id of them.
    pub id: String,
    /// First names.
    pub first_names: String,
    /// Last name.
    pub last_name: String,
    /// The company.
    pub company: String,
    /// E-mail address.
    pub email: String,
    /// Phone number.
    pub phone: String,
    /// Postal code.
    pub postal_code: String,
    /// Country, ISO 3166-1 alpha-2.
    pub country: String,
    /// When they came to the shop.
    pub since: Option<Timestamp>,
    /// Whatever else it says.
    pub data: Map<String, Value>,
}

/// An order as a shop knows it.
#[derive(Clone, Debug, Default)]
pub struct Order {
    /// Its number, as people call it.
    pub number: String,
    /// The shop's id of whose it is; empty for a guest's.
    pub customer: String,
    /// Where it stands, in the shop's words.
    pub status: String,
    /// When it was placed.
    pub placed_at: Option<Timestamp>,
    /// What it comes to, a decimal number.
    pub total: String,
    /// In which currency.
    pub currency: String,
    /// Where the shop shows it.
    pub url: String,
    /// What was ordered.
    pub items: Vec<Value>,
}

/// Some of many, and where the next are.
#[derive(Debug)]
pub struct Part<T> {
    /// What there is.
    pub rows: Vec<T>,
    /// Where the next part begins, in the shop's own terms; none after the last.
    pub next: Option<String>,
}

/// What has changed in a shop.
#[derive(Clone, Debug)]
pub enum Changed {
    /// Who somebody is.
    Customer(Box<Customer>),
    /// What somebody ordered.
    Order(Box<Order>),
}

/// What every shop can be asked.
pub trait Shop {
    /// A customer; none when the shop knows nobody like that.
    fn customer(&self, wanted: Wanted) -> LocalBoxFuture<'_, Result<Option<Customer>>>;
    /// A part of a customer's orders.
    fn orders(&self, customer: String, part: Option<String>) -> LocalBoxFuture<'_, Result<Part<Order>>>;
    /// A part of all that has changed since a time, or of everything.
    fn changed(
        &self,
        since: Option<Timestamp>,
        part: Option<String>,
    ) -> LocalBoxFuture<'_, Result<Part<Changed>>>;
}

/// Calls one shop with its credentials.
pub struct Caller<'a> {
    http_client: &'a HttpClient,
    base: Url,
    headers: Vec<(String, String)>,
}

impl<'a> Caller<'a> {
    /// Calls what is below an address.
    pub fn new(http_client: &'a HttpClient, base: Url, headers: Vec<(String, String)>) -> Self {
        Self { http_client, base, headers }
    }

    /// Reads a path below the shop's address.
    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Response> {
        let mut url = self.below(path)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.http_client.send(Request { url, headers: self.headers.clone(), body: None }).await
    }

    /// Posts JSON to a path below the shop's address.
    pub async fn post(&self, path: &str, body: Value) -> Result<Response> {
        self.http_client
            .send(Request { url: self.below(path)?, headers: self.headers.clone(), body: Some(body) })
            .await
    }

    /// An address of this very shop: no path leads its credentials elsewhere.
    fn below(&self, path: &str) -> Result<Url> {
        let base = format!(
            "{}{}{path}",
            self.base.origin().ascii_serialization(),
            self.base.path().trim_end_matches('/')
        );
        let url =
            Url::parse(&base).map_err(|_| http_client::refused("The path of the shop is no address."))?;
        if url.origin() == self.base.origin() {
            Ok(url)
        } else {
            Err(http_client::refused("The path leads to another host."))
        }
    }
}

/// The rows of a list in an answer.
pub fn rows(mut answer: Value, pointer: &str) -> Result<Vec<Value>> {
    let rows = answer.pointer_mut(pointer).and_then(Value::as_array_mut).map(std::mem::take);
    rows.ok_or_else(|| http_client::refused(format!("The shop's answer has no list at {pointer:?}.")))
}

/// Text at a pointer, empty when there is none.
pub fn word(value: &Value, pointer: &str, most: usize) -> String {
    clipped(&text_at(value, pointer).unwrap_or_default(), most)
}

/// A time at a pointer.
pub fn when(value: &Value, pointer: &str) -> Option<Timestamp> {
    time(&text_at(value, pointer)?)
}

/// An amount at a pointer, empty when there is none.
pub fn sum(value: &Value, pointer: &str) -> String {
    text_at(value, pointer).and_then(|text| amount(&text)).unwrap_or_default()
}

impl Customer {
    /// What the shop knows of them, as a fact.
    pub fn fact(&self, now: Timestamp) -> FactBody {
        let name = format!("{} {}", self.first_names, self.last_name);
        let title = [name.trim(), &self.company, &self.email]
            .into_iter()
            .find(|word| !word.is_empty())
            .unwrap_or(&self.id)
            .to_owned();
        FactBody {
            title: clipped(&title, 200).into(),
            status: None,
            occurred_at: self.since.unwrap_or(now),
            amount: None,
            url: None,
            data: bounded(self.data.clone()),
        }
    }
}

impl Order {
    /// The order as a fact.
    pub fn fact(&self, now: Timestamp) -> FactBody {
        let money = Money { amount: self.total.clone(), currency: self.currency.to_ascii_uppercase() };
        let web = crate::kernel::http_client::address(&self.url).is_ok() && self.url.len() <= 1990;
        FactBody {
            title: clipped(&format!("Order {}", self.number), 200).into(),
            status: Some(clipped(&self.status, 100).into())
                .filter(|status: &PlainLine<100>| !status.is_empty()),
            occurred_at: self.placed_at.unwrap_or(now),
            amount: (!money.amount.is_empty() && money.currency.len() == 3).then_some(money),
            url: web.then(|| self.url.clone()),
            data: bounded(
                [("items".to_owned(), json!(self.items))]
                    .into_iter()
                    .filter(|_| !self.items.is_empty())
                    .collect(),
            ),
        }
    }
}

/// What fits into a fact; nothing of what does not.
fn bounded(data: Map<String, Value>) -> Map<String, Value> {
    let fits =
        serde_json::to_string(&data).is_ok_and(|text| text.len() <= 20_000 && !text.contains("\\u0000"));
    if fits { data } else { Map::new() }
}
