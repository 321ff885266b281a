//! Shopify: the GraphQL Admin API with an app's access token.
//!
//! The REST Admin API is legacy since October 2024. Lists are paged by cursor. Whoever asks too much gets 200
//! with the error `THROTTLED` and the state of the bucket that its cost came from.

use std::time::Duration;

use futures_util::{FutureExt, future::LocalBoxFuture};
use serde_json::{Value, json};

use super::shop::{Caller, Changed, Customer, Order, PAGE, Part, Shop, Wanted, rows, sum, when, word};
use crate::kernel::{
    clock::Timestamp,
    error::Result,
    http_client::{refused, unavailable},
};

/// The version of the API unless the connector says otherwise; Shopify serves each for a year.
pub const VERSION: &str = "2026-10";

/// How often a query that costs too much just now is sent again.
const MAX_ATTEMPTS: usize = 4;
/// How long we wait for the bucket to fill, at the most.
const MAX_WAIT: f64 = 10.0;

const CUSTOMERS: &str = "query Customers($first: Int!, $after: String, $query: String) { \
    customers(first: $first, after: $after, query: $query, sortKey: UPDATED_AT) { nodes { legacyResourceId \
    firstName lastName createdAt \
    numberOfOrders defaultEmailAddress { emailAddress } defaultPhoneNumber { phoneNumber } amountSpent { \
    amount currencyCode } \
    defaultAddress { company zip countryCodeV2 phone } } pageInfo { hasNextPage endCursor } } }";

const ORDERS: &str = "query Orders($first: Int!, $after: String, $query: String) { \
    orders(first: $first, after: $after, query: $query, sortKey: UPDATED_AT) { nodes { name createdAt \
    displayFinancialStatus \
    displayFulfillmentStatus currentTotalPriceSet { shopMoney { amount currencyCode } } customer { \
    legacyResourceId } \
    lineItems(first: 20) { nodes { sku name quantity } } } pageInfo { hasNextPage endCursor } } }";

/// A Shopify shop.
pub struct Shopify<'a> {
    caller: Caller<'a>,
    path: String,
}

impl<'a> Shopify<'a> {
    /// A shop by a version of the API.
    pub fn new(caller: Caller<'a>, version: Option<&str>) -> Self {
        Self { caller, path: format!("/admin/api/{}/graphql.json", version.unwrap_or(VERSION)) }
    }

    /// A part of a list; its rows and the cursor of the next.
    async fn list(
        &self,
        query: &str,
        name: &str,
        filter: Option<String>,
        after: Option<&str>,
    ) -> Result<(Vec<Value>, Option<String>)> {
        let variables = json!({ "first": PAGE, "after": after, "query": filter });
        let mut answer = self.query(json!({ "query": query, "variables": variables })).await?;
        let list = answer.pointer_mut(&format!("/data/{name}")).map(Value::take).unwrap_or_default();
        let more = list["pageInfo"]["hasNextPage"] == true;
        let next = list["pageInfo"]["endCursor"].as_str().filter(|_| more).map(str::to_owned);
        Ok((rows(list, "/nodes")?, next))
    }

    async fn query(&self, body: Value) -> Result<Value> {
        for _ in 0..MAX_ATTEMPTS {
            let answer = self.caller.post(&self.path, body.clone()).await?.json()?;
            let Some(error) =
                answer["errors"].get(0).or_else(|| answer.get("errors").filter(|errors| errors.is_string()))
            else {
                return Ok(answer);
            };
            if error["extensions"]["code"] != "THROTTLED" {
                let said = error["message"].as_str().or(error.as_str()).unwrap_or("an error");
                return Err(refused(format!(
                    "Shopify refuses the query: {}",
                    super::shop::word(&json!(said), "", 200)
                )));
            }
            tokio::time::sleep(refill(&answer["extensions"]["cost"])).await;
        }
        Err(unavailable("Shopify is asked more than it allows.").retry_after(60))
    }

    async fn changed(&self, since: Option<Timestamp>, part: Option<String>) -> Result<Part<Changed>> {
        let filter =
            since.map(|since| format!("updated_at:>='{}'", since.utc().format("%Y-%m-%dT%H:%M:%SZ")));
        let part = part.unwrap_or_else(|| "customers ".into());
        let (what, after) = part.split_once(' ').unwrap_or(("customers", ""));
        let after = Some(after).filter(|after| !after.is_empty());
        if what == "customers" {
            let (found, next) = self.list(CUSTOMERS, "customers", filter, after).await?;
            let rows = found.iter().map(|row| Changed::Customer(Box::new(customer(row)))).collect();
            let next = next.map_or_else(|| "orders ".to_owned(), |cursor| format!("customers {cursor}"));
            return Ok(Part { rows, next: Some(next) });
        }
        let (found, next) = self.list(ORDERS, "orders", filter, after).await?;
        let rows = found.iter().map(|row| Changed::Order(Box::new(order(row)))).collect();
        Ok(Part { rows, next: next.map(|cursor| format!("orders {cursor}")) })
    }
}

impl Shop for Shopify<'_> {
    fn customer(&self, wanted: Wanted) -> LocalBoxFuture<'_, Result<Option<Customer>>> {
        async move {
            let filter = match &wanted {
                Wanted::Id(id) => format!("id:{}", quoted(id)),
                Wanted::Email(email) => format!("email:{}", quoted(email)),
            };
            let (found, _) = self.list(CUSTOMERS, "customers", Some(filter), None).await?;
            Ok(found.first().map(customer))
        }
        .boxed_local()
    }

    fn orders(&self, customer: String, part: Option<String>) -> LocalBoxFuture<'_, Result<Part<Order>>> {
        async move {
            let filter = format!("customer_id:{}", quoted(&customer));
            let (found, next) = self.list(ORDERS, "orders", Some(filter), part.as_deref()).await?;
            Ok(Part { rows: found.iter().map(order).collect(), next })
        }
        .boxed_local()
    }

    fn changed(
        &self,
        since: Option<Timestamp>,
        part: Option<String>,
    ) -> LocalBoxFuture<'_, Result<Part<Changed>>> {
        Self::changed(self, since, part).boxed_local()
    }
}

/// How long the bucket takes until it holds what the query costs.
fn refill(cost: &Value) -> Duration {
    let (bucket, number) = (&cost["throttleStatus"], |value: &Value| value.as_f64().unwrap_or(0.0));
    let missing = number(&cost["requestedQueryCost"]) - number(&bucket["currentlyAvailable"]);
    let seconds = missing / number(&bucket["restoreRate"]).max(1.0);
    Duration::from_secs_f64(seconds.clamp(0.05, MAX_WAIT))
}

/// A value of Shopify's search syntax.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace(['"', '\\'], ""))
}

fn customer(row: &Value) -> Customer {
    let phone = word(row, "/defaultPhoneNumber/phoneNumber", 50);
    let data = json!({ "orders": row["numberOfOrders"], "spent": row["amountSpent"] });
    Customer {
        id: word(row, "/legacyResourceId", 255),
        first_names: word(row, "/firstName", 100),
        last_name: word(row, "/lastName", 100),
        company: word(row, "/defaultAddress/company", 200),
        email: word(row, "/defaultEmailAddress/emailAddress", 254),
        phone: if phone.is_empty() { word(row, "/defaultAddress/phone", 50) } else { phone },
        postal_code: word(row, "/defaultAddress/zip", 20),
        country: word(row, "/defaultAddress/countryCodeV2", 2),
        since: when(row, "/createdAt"),
        data: data.as_object().cloned().unwrap_or_default(),
    }
}

fn order(row: &Value) -> Order {
    let (paid, sent) = (word(row, "/displayFinancialStatus", 50), word(row, "/displayFulfillmentStatus", 50));
    let status = [paid, sent]
        .into_iter()
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(", ")
        .to_lowercase();
    let items = row["lineItems"]["nodes"].as_array().into_iter().flatten();
    Order {
        number: word(row, "/name", 190).trim_start_matches('#').to_owned(),
        customer: word(row, "/customer/legacyResourceId", 255),
        status,
        placed_at: when(row, "/createdAt"),
        total: sum(row, "/currentTotalPriceSet/shopMoney/amount"),
        currency: word(row, "/currentTotalPriceSet/shopMoney/currencyCode", 3),
        url: String::new(),
        items: items
            .map(|item| json!({ "sku": item["sku"], "name": item["name"], "quantity": item["quantity"] }))
            .collect(),
    }
}
