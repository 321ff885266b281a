//! Magento 2 and Adobe Commerce: the REST API with an integration's access token.
//!
//! Lists are searched with `searchCriteria`. Past the last page Magento answers the last one again, so
//! `total_count` says when it is over. Times are in UTC, written without a zone.

use futures_util::{FutureExt, future::LocalBoxFuture};
use serde_json::{Value, json};

use super::shop::{Caller, Changed, Customer, Order, PAGE, Part, Shop, Wanted, rows, sum, when, word};
use crate::kernel::{clock::Timestamp, error::Result};

/// A Magento shop.
pub struct Magento<'a>(pub Caller<'a>);

impl Magento<'_> {
    /// A page of a search; its rows and the next page's number.
    async fn search(
        &self,
        path: &str,
        filter: Option<(&str, &str, &str)>,
        page: usize,
    ) -> Result<(Vec<Value>, Option<usize>)> {
        let (size, number) = (PAGE.to_string(), page.to_string());
        let mut query = vec![
            ("searchCriteria[pageSize]", size.as_str()),
            ("searchCriteria[currentPage]", number.as_str()),
            ("searchCriteria[sortOrders][0][field]", "entity_id"),
            ("searchCriteria[sortOrders][0][direction]", "ASC"),
        ];
        if let Some((field, condition, value)) = filter {
            query.extend([
                ("searchCriteria[filter_groups][0][filters][0][field]", field),
                ("searchCriteria[filter_groups][0][filters][0][condition_type]", condition),
                ("searchCriteria[filter_groups][0][filters][0][value]", value),
            ]);
        }
        let answer = self.0.get(path, &query).await?.json()?;
        let total = answer["total_count"].as_u64().unwrap_or(0);
        let more = (page * PAGE) as u64;
        // Without an item there is no list either.
        let found = if total == 0 { Vec::new() } else { rows(answer, "/items")? };
        Ok((found, (more < total).then_some(page + 1)))
    }

    async fn changed(&self, since: Option<Timestamp>, part: Option<String>) -> Result<Part<Changed>> {
        let since = since.map(|since| since.utc().format("%Y-%m-%d %H:%M:%S").to_string());
        let filter = since.as_deref().map(|since| ("updated_at", "gteq", since));
        let part = part.unwrap_or_else(|| "customers 1".into());
        let (what, page) = part.split_once(' ').unwrap_or(("customers", "1"));
        let page = page.parse().unwrap_or(1);
        if what == "customers" {
            let (found, next) = self.search("/rest/V1/customers/search", filter, page).await?;
            let rows = found.iter().map(|row| Changed::Customer(Box::new(customer(row)))).collect();
            let next = next.map_or_else(|| "orders 1".to_owned(), |page| format!("customers {page}"));
            return Ok(Part { rows, next: Some(next) });
        }
        let (found, next) = self.search("/rest/V1/orders", filter, page).await?;
        let rows = found.iter().map(|row| Changed::Order(Box::new(order(row)))).collect();
        Ok(Part { rows, next: next.map(|page| format!("orders {page}")) })
    }
}

impl Shop for Magento<'_> {
    fn customer(&self, wanted: Wanted) -> LocalBoxFuture<'_, Result<Option<Customer>>> {
        async move {
            let (field, value) = match &wanted {
                Wanted::Id(id) => ("entity_id", id),
                Wanted::Email(email) => ("email", email),
            };
            let (found, _) = self.search("/rest/V1/customers/search", Some((field, "eq", value)), 1).await?;
            Ok(found.first().map(customer))
        }
        .boxed_local()
    }

    fn orders(&self, customer: String, part: Option<String>) -> LocalBoxFuture<'_, Result<Part<Order>>> {
        async move {
            let page = part.and_then(|page| page.parse().ok()).unwrap_or(1);
            let (found, next) =
                self.search("/rest/V1/orders", Some(("customer_id", "eq", &customer)), page).await?;
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

fn customer(row: &Value) -> Customer {
    let addresses = row["addresses"].as_array();
    let preferred = addresses
        .and_then(|all| all.iter().find(|one| one["default_billing"] == true).or_else(|| all.first()));
    let address = preferred.unwrap_or(&Value::Null);
    Customer {
        id: word(row, "/id", 255),
        first_names: word(row, "/firstname", 100),
        last_name: word(row, "/lastname", 100),
        company: word(address, "/company", 200),
        email: word(row, "/email", 254),
        phone: word(address, "/telephone", 50),
        postal_code: word(address, "/postcode", 20),
        country: word(address, "/country_id", 2),
        since: when(row, "/created_at"),
        data: json!({ "group_id": row["group_id"], "store_id": row["store_id"] })
            .as_object()
            .cloned()
            .unwrap_or_default(),
    }
}

fn order(row: &Value) -> Order {
    let items = row["items"].as_array().into_iter().flatten();
    Order {
        number: word(row, "/increment_id", 190),
        customer: word(row, "/customer_id", 255),
        status: word(row, "/status", 100),
        placed_at: when(row, "/created_at"),
        total: sum(row, "/grand_total"),
        currency: word(row, "/order_currency_code", 3),
        url: String::new(),
        items: items
            .map(|item| json!({ "sku": item["sku"], "name": item["name"], "quantity": item["qty_ordered"] }))
            .collect(),
    }
}
