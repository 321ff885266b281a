//! Any shop that answers JSON: paths with placeholders say where to ask, JSON Pointers say what is what.

use caseload_macros::shape;
use futures_util::{FutureExt, future::LocalBoxFuture};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use super::shop::{Caller, Changed, Customer, Order, Part, Shop, Wanted, rows, sum, when, word};
use crate::kernel::{
    clock::Timestamp,
    error::Result,
    value::{Checked, JsonPointer, Kind, Spec},
};

/// Pages of one list that are read at the most.
const MAX_PAGES: usize = 10_000;

macro_rules! pointers {
    ($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $field:ident = $default:literal,)* }) => {
        $(#[$doc])*
        #[shape]
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name {
            $(
                $(#[$about])*
                #[schema(default = $default, example = $default)]
                pub $field: JsonPointer<500>,
            )*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default.into(),)* }
            }
        }
    };
}

pointers! {
    /// Where in a customer's JSON what is: JSON Pointers.
    CustomerMap {
        /// The shop's id of them.
        id = "/id",
        /// E-mail address.
        email = "/email",
        /// First names.
        first_names = "/first_name",
        /// Last name.
        last_name = "/last_name",
        /// The company.
        company = "/company",
        /// Phone number.
        phone = "/phone",
        /// Postal code.
        postal_code = "/postal_code",
        /// Country, ISO 3166-1 alpha-2.
        country = "/country",
    }
}

pointers! {
    /// Where in an order's JSON what is: JSON Pointers.
    OrderMap {
        /// Its number.
        number = "/number",
        /// The shop's id of whose it is.
        customer_id = "/customer_id",
        /// Where it stands.
        status = "/status",
        /// When it was placed.
        placed_at = "/created_at",
        /// What it comes to.
        total = "/total",
        /// In which currency.
        currency = "/currency",
        /// Where the shop shows it.
        url = "/url",
    }
}

/// How a shop of the kind `generic` is read. Paths are below `base_url`; `{id}`, `{email}`, `{since}` (RFC
/// 3339) and `{page}` (1, 2, …) are filled in. A path with `{page}` is read until a page is empty.
#[shape]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ShopMap {
    /// Where one customer is.
    #[schema(default = "/customers/{id}", example = "/customers/{id}")]
    pub customer_path: Checked<Path>,
    /// Where customers are found by e-mail address; empty when the shop cannot.
    #[schema(default = "/customers?email={email}", example = "/customers?email={email}")]
    pub by_email_path: Checked<Path>,
    /// Where a customer's orders are.
    #[schema(default = "/customers/{id}/orders?page={page}", example = "/customers/{id}/orders?page={page}")]
    pub orders_path: Checked<Path>,
    /// Where the customers are that changed since a time.
    #[schema(
        default = "/customers?updated_since={since}&page={page}",
        example = "/customers?updated_since={since}&page={page}"
    )]
    pub changed_customers_path: Checked<Path>,
    /// Where the orders are that changed since a time.
    #[schema(
        default = "/orders?updated_since={since}&page={page}",
        example = "/orders?updated_since={since}&page={page}"
    )]
    pub changed_orders_path: Checked<Path>,
    /// Where in an answer a list stands; empty when the answer is the list.
    #[schema(default = "/data", example = "/data")]
    pub list: JsonPointer<500>,
    /// What is what in a customer.
    #[validate(nested)]
    pub customer: CustomerMap,
    /// What is what in an order.
    #[validate(nested)]
    pub order: OrderMap,
}

impl Default for ShopMap {
    fn default() -> Self {
        Self {
            customer_path: "/customers/{id}".into(),
            by_email_path: "/customers?email={email}".into(),
            orders_path: "/customers/{id}/orders?page={page}".into(),
            changed_customers_path: "/customers?updated_since={since}&page={page}".into(),
            changed_orders_path: "/orders?updated_since={since}&page={page}".into(),
            list: "/data".into(),
            customer: CustomerMap::default(),
            order: OrderMap::default(),
        }
    }
}

/// Where in a shop something is.
pub struct Path;

impl Kind for Path {
    const SPEC: Spec = Spec { checks: &[path], pattern: Some("^(/[!-~]*)?$"), ..Spec::of(0, 500) };
}

fn path(path: &str) -> std::result::Result<(), ValidationError> {
    let fits = path.is_empty() || path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic());
    if fits {
        Ok(())
    } else {
        Err(ValidationError::new("path").with_message("must be a path such as /customers/{id}".into()))
    }
}

/// A shop that is read by its map.
pub struct Generic<'a> {
    /// Calls it.
    pub caller: Caller<'a>,
    /// How it is read.
    pub map: ShopMap,
}

impl Generic<'_> {
    /// A page of a list; its rows and the next page's number.
    async fn list(
        &self,
        path: &str,
        fill: &[(&str, &str)],
        page: usize,
    ) -> Result<(Vec<Value>, Option<usize>)> {
        let number = page.to_string();
        let filled = filled(path, &[fill, &[("{page}", number.as_str())]].concat());
        let found = rows(self.caller.get(&filled, &[]).await?.json()?, &self.map.list)?;
        let more = path.contains("{page}") && !found.is_empty() && page < MAX_PAGES;
        Ok((found, more.then_some(page + 1)))
    }

    fn customer_of(&self, row: &Value) -> Customer {
        let at = &self.map.customer;
        Customer {
            id: word(row, &at.id, 255),
            first_names: word(row, &at.first_names, 100),
            last_name: word(row, &at.last_name, 100),
            company: word(row, &at.company, 200),
            email: word(row, &at.email, 254),
            phone: word(row, &at.phone, 50),
            postal_code: word(row, &at.postal_code, 20),
            country: word(row, &at.country, 2),
            ..Customer::default()
        }
    }

    fn order_of(&self, row: &Value, customer: Option<&str>) -> Order {
        let at = &self.map.order;
        Order {
            number: word(row, &at.number, 190),
            customer: customer.map_or_else(|| word(row, &at.customer_id, 255), str::to_owned),
            status: word(row, &at.status, 100),
            placed_at: when(row, &at.placed_at),
            total: sum(row, &at.total),
            currency: word(row, &at.currency, 3),
            url: word(row, &at.url, 1990),
            items: Vec::new(),
        }
    }

    async fn find(&self, wanted: Wanted) -> Result<Option<Customer>> {
        let id = match &wanted {
            Wanted::Id(id) => id,
            Wanted::Email(_) if self.map.by_email_path.is_empty() => return Ok(None),
            Wanted::Email(email) => {
                let (found, _) = self.list(&self.map.by_email_path, &[("{email}", email)], 1).await?;
                return Ok(found.first().map(|row| self.customer_of(row)));
            }
        };
        let reply = self.caller.get(&filled(&self.map.customer_path, &[("{id}", id)]), &[]).await?;
        if matches!(reply.status, 404 | 410) {
            return Ok(None);
        }
        Ok(Some(self.customer_of(&reply.json()?)))
    }

    async fn changes(&self, since: Option<Timestamp>, part: Option<String>) -> Result<Part<Changed>> {
        let since = since.unwrap_or_default().utc().format("%Y-%m-%dT%H:%M:%SZ").to_string();
        let part = part.unwrap_or_else(|| "customers 1".into());
        let (what, page) = part.split_once(' ').unwrap_or(("customers", "1"));
        let (page, fill) = (page.parse().unwrap_or(1), [("{since}", since.as_str())]);
        if what == "customers" {
            let (found, next) = self.some(&self.map.changed_customers_path, &fill, page).await?;
            let rows = found.iter().map(|row| Changed::Customer(Box::new(self.customer_of(row)))).collect();
            let next = next.map_or_else(|| "orders 1".to_owned(), |page| format!("customers {page}"));
            return Ok(Part { rows, next: Some(next) });
        }
        let (found, next) = self.some(&self.map.changed_orders_path, &fill, page).await?;
        let rows = found.iter().map(|row| Changed::Order(Box::new(self.order_of(row, None)))).collect();
        Ok(Part { rows, next: next.map(|page| format!("orders {page}")) })
    }

    /// A page of a list, if the shop has such a list.
    async fn some(
        &self,
        path: &str,
        fill: &[(&str, &str)],
        page: usize,
    ) -> Result<(Vec<Value>, Option<usize>)> {
        if path.is_empty() { Ok((Vec::new(), None)) } else { self.list(path, fill, page).await }
    }
}

impl Shop for Generic<'_> {
    fn customer(&self, wanted: Wanted) -> LocalBoxFuture<'_, Result<Option<Customer>>> {
        self.find(wanted).boxed_local()
    }

    fn orders(&self, customer: String, part: Option<String>) -> LocalBoxFuture<'_, Result<Part<Order>>> {
        async move {
            let page = part.and_then(|page| page.parse().ok()).unwrap_or(1);
            let (found, next) = self.some(&self.map.orders_path, &[("{id}", &customer)], page).await?;
            let rows = found.iter().map(|row| self.order_of(row, Some(&customer))).collect();
            Ok(Part { rows, next: next.map(|page| page.to_string()) })
        }
        .boxed_local()
    }

    fn changed(
        &self,
        since: Option<Timestamp>,
        part: Option<String>,
    ) -> LocalBoxFuture<'_, Result<Part<Changed>>> {
        self.changes(since, part).boxed_local()
    }
}

/// A path with its placeholders filled in.
fn filled(path: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(path.to_owned(), |path, (name, value)| {
        path.replace(name, &utf8_percent_encode(value, NON_ALPHANUMERIC).to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_filled_in_stays_where_it_is() {
        assert_eq!(
            filled("/customers/{id}?page={page}", &[("{id}", "../a?b"), ("{page}", "2")]),
            "/customers/%2E%2E%2Fa%3Fb?page=2"
        );
    }
}
