//! WooCommerce: the REST API v3 with a consumer key and secret.
//!
//! Pages are numbered, and `X-WP-TotalPages` says how many there are. Orders can be asked for by when they
//! changed; customers cannot, so those are fetched who are new, and whoever ordered.

use futures_util::{FutureExt, future::LocalBoxFuture};
use serde_json::{Value, json};

use super::shop::{Caller, Changed, Customer, Order, PAGE, Part, Shop, Wanted, rows, sum, when, word};
use crate::kernel::{clock::Timestamp, error::Result, http_client::Response};

/// A WooCommerce shop.
pub struct Woocommerce<'a>(pub Caller<'a>);

impl Woocommerce<'_> {
    /// A page of a list; its rows and the next page's number.
    async fn list(
        &self,
        what: &str,
        filter: &[(&str, &str)],
        page: usize,
    ) -> Result<(Vec<Value>, Option<usize>)> {
        let (size, number) = (PAGE.to_string(), page.to_string());
        let mut query = vec![("per_page", size.as_str()), ("page", number.as_str())];
        query.extend_from_slice(filter);
        let reply = self.0.get(&format!("/wp-json/wc/v3/{what}"), &query).await?.ok()?;
        let pages = pages(&reply);
        let found = rows(reply.json()?, "")?;
        Ok((found, (page < pages).then_some(page + 1)))
    }

    async fn changed(&self, since: Option<Timestamp>, part: Option<String>) -> Result<Part<Changed>> {
        let part = part.unwrap_or_else(|| "customers 1".into());
        let (what, page) = part.split_once(' ').unwrap_or(("customers", "1"));
        let page = page.parse().unwrap_or(1);
        if what == "customers" {
            // The newest first, until they are older than what is asked for.
            let order = [("orderby", "registered_date"), ("order", "desc"), ("role", "all")];
            let (found, next) = self.list("customers", &order, page).await?;
            let all: Vec<Customer> = found.iter().map(customer).collect();
            let is_new =
                |customer: &Customer| since.is_none() || customer.since.is_none() || customer.since >= since;
            let next = next
                .filter(|_| all.iter().all(is_new))
                .map_or_else(|| "orders 1".to_owned(), |page| format!("customers {page}"));
            let rows = all
                .into_iter()
                .filter(is_new)
                .map(|customer| Changed::Customer(Box::new(customer)))
                .collect();
            return Ok(Part { rows, next: Some(next) });
        }
        let since = since.map(|since| since.utc().format("%Y-%m-%dT%H:%M:%S").to_string());
        let mut filter = vec![("orderby", "id"), ("order", "asc"), ("status", "any")];
        if let Some(since) = &since {
            filter.extend([("modified_after", since.as_str()), ("dates_are_gmt", "true")]);
        }
        let (found, next) = self.list("orders", &filter, page).await?;
        let rows = found.iter().map(|row| Changed::Order(Box::new(order(row)))).collect();
        Ok(Part { rows, next: next.map(|page| format!("orders {page}")) })
    }
}

impl Shop for Woocommerce<'_> {
    fn customer(&self, wanted: Wanted) -> LocalBoxFuture<'_, Result<Option<Customer>>> {
        async move {
            let filter = match &wanted {
                Wanted::Id(id) => ("include", id.as_str()),
                Wanted::Email(email) => ("email", email.as_str()),
            };
            let (found, _) = self.list("customers", &[filter, ("role", "all")], 1).await?;
            Ok(found.first().map(customer))
        }
        .boxed_local()
    }

    fn orders(&self, customer: String, part: Option<String>) -> LocalBoxFuture<'_, Result<Part<Order>>> {
        async move {
            let page = part.and_then(|page| page.parse().ok()).unwrap_or(1);
            let (found, next) = self
                .list("orders", &[("customer", &customer), ("orderby", "id"), ("order", "asc")], page)
                .await?;
            Ok(Part { rows: found.iter().map(order).collect(), next: next.map(|page| page.to_string()) })
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

fn pages(reply: &Response) -> usize {
    reply.header("x-wp-totalpages").and_then(|pages| pages.parse().ok()).unwrap_or(1)
}

fn customer(row: &Value) -> Customer {
    Customer {
        id: word(row, "/id", 255),
        first_names: word(row, "/first_name", 100),
        last_name: word(row, "/last_name", 100),
        company: word(row, "/billing/company", 200),
        email: word(row, "/email", 254),
        phone: word(row, "/billing/phone", 50),
        postal_code: word(row, "/billing/postcode", 20),
        country: word(row, "/billing/country", 2),
        since: when(row, "/date_created_gmt"),
        data: json!({ "role": row["role"], "username": row["username"] })
            .as_object()
            .cloned()
            .unwrap_or_default(),
    }
}

fn order(row: &Value) -> Order {
    let items = row["line_items"].as_array().into_iter().flatten();
    let customer = word(row, "/customer_id", 255);
    Order {
        number: word(row, "/number", 190),
        // Guests are customer 0.
        customer: if customer == "0" { String::new() } else { customer },
        status: word(row, "/status", 100),
        placed_at: when(row, "/date_created_gmt"),
        total: sum(row, "/total"),
        currency: word(row, "/currency", 3),
        url: String::new(),
        items: items
            .map(|item| json!({ "sku": item["sku"], "name": item["name"], "quantity": item["quantity"] }))
            .collect(),
    }
}
