//! Shops as their makers document them: Magento 2, WooCommerce, Shopify, and one of another kind.

use std::sync::{Arc, Mutex};

use super::{
    Value, json,
    mock_server::{MockReply, MockServer, ReceivedRequest},
    text,
};

/// What every test shop knows a caller by.
pub const TOKEN: &str = "shpat_0f3a51c4d7e2b689";

/// A customer of a test shop.
#[derive(Clone, Debug)]
pub struct Customer {
    pub id: u64,
    pub email: &'static str,
    pub first: &'static str,
    pub last: &'static str,
    /// When they were registered, and when they last changed: `2026-03-17 14:00:00`.
    pub registered: &'static str,
    pub updated: &'static str,
}

/// An order of a test shop.
#[derive(Clone, Debug)]
pub struct Order {
    pub number: u64,
    pub customer: u64,
    pub status: &'static str,
    pub updated: &'static str,
}

/// What a test shop holds, and how it feels.
#[derive(Debug, Default)]
pub struct Stock {
    pub customers: Vec<Customer>,
    pub orders: Vec<Order>,
    /// So many requests are still asked to come back later.
    pub busy: usize,
    /// So many requests are answered before everything fails.
    pub fails_after: Option<usize>,
}

/// A shop, and what it holds.
pub struct TestShop {
    pub elsewhere: MockServer,
    pub stock: Arc<Mutex<Stock>>,
}

impl Stock {
    /// Three customers, of whom the first has 120 orders and the second one.
    pub fn usual() -> Self {
        let customer = |id, email, first, last| Customer {
            id,
            email,
            first,
            last,
            registered: "2026-01-10 08:00:00",
            updated: "2026-03-01 10:00:00",
        };
        let order =
            |number, customer| Order { number, customer, status: "complete", updated: "2026-03-02 10:00:00" };
        let mut orders: Vec<Order> = (1..=120).map(|number| order(1000 + number, 7)).collect();
        orders.push(order(2000, 8));
        // A guest's.
        orders.push(order(3000, 0));
        Self {
            customers: vec![
                customer(7, "zoe@epicerie.example", "Zoé", "Tremblay"),
                customer(8, "ben@depot.example", "Ben", "Okafor"),
                customer(9, "li@quai.example", "Li", "Wei"),
            ],
            orders,
            ..Self::default()
        }
    }

    /// What a shop answers before it looks at anything.
    fn mood(&mut self) -> Option<MockReply> {
        if self.busy > 0 {
            self.busy -= 1;
            return Some(MockReply::text(429, "").with("retry-after", 0));
        }
        match &mut self.fails_after {
            Some(0) => Some(MockReply::text(500, "Fatal error")),
            Some(left) => {
                *left -= 1;
                None
            }
            None => None,
        }
    }
}

fn open(
    answer: impl Fn(&Stock, &ReceivedRequest) -> MockReply + Send + Sync + 'static,
    moody: bool,
) -> TestShop {
    let stock = Arc::new(Mutex::new(Stock::usual()));
    let held = stock.clone();
    let elsewhere = MockServer::answering(move |asked| {
        let mut stock = held.lock().expect("a stock");
        let mood = if moody { stock.mood() } else { None };
        mood.unwrap_or_else(|| answer(&stock, asked))
    });
    TestShop { elsewhere, stock }
}

fn paged<T>(rows: &[T], page: usize, size: usize) -> &[T] {
    let start = (page.saturating_sub(1) * size).min(rows.len());
    &rows[start..(start + size).min(rows.len())]
}

/// `2026-03-17 14:00:00` with a T, and what comes after.
fn iso(time: &str, end: &str) -> String {
    format!("{}{end}", time.replace(' ', "T"))
}

/// A row, and the fields that it is found by.
type Findable = (Vec<(&'static str, String)>, Value);

/// Magento 2.4: bearer token, `searchCriteria`, the last page again and again.
pub fn magento() -> TestShop {
    open(
        |stock, asked| {
            if asked.headers.get("authorization").map(String::as_str) != Some(&format!("Bearer {TOKEN}")) {
                let message = "The consumer isn't authorized to access %resources.";
                return MockReply::json(
                    401,
                    &json!({ "message": message,
                        "parameters": { "resources": "Magento_Customer::customer" } }),
                );
            }
            let criteria =
                |name: &str| asked.query.get(&format!("searchCriteria{name}")).cloned().unwrap_or_default();
            let filter = |name: &str| criteria(&format!("[filter_groups][0][filters][0][{name}]"));
            let (field, condition, value) = (filter("field"), filter("condition_type"), filter("value"));
            let (fields, rows): (Vec<Findable>, bool) = match asked.path.as_str() {
                "/rest/V1/customers/search" => (stock.customers.iter().map(magento_customer).collect(), true),
                "/rest/V1/orders" => (stock.orders.iter().map(magento_order).collect(), true),
                _ => (Vec::new(), false),
            };
            if !rows {
                return MockReply::json(
                    404,
                    &json!({ "message": "Request does not match any route.", "trace": null }),
                );
            }
            let fits = |of: &[(&str, String)]| {
                let own = of
                    .iter()
                    .find(|(name, _)| *name == field)
                    .map(|(_, own)| own.clone())
                    .unwrap_or_default();
                match condition.as_str() {
                    "" => true,
                    "eq" => own == value,
                    "gteq" => own >= value,
                    other => panic!("the shop is asked for {other}"),
                }
            };
            let found: Vec<Value> =
                fields.into_iter().filter(|(of, _)| fits(of)).map(|(_, row)| row).collect();
            let size: usize = criteria("[pageSize]").parse().expect("a page size");
            let page: usize = criteria("[currentPage]").parse().expect("a page");
            let page = page.min(found.len().div_ceil(size).max(1));
            let items = paged(&found, page, size);
            let criteria = json!({ "page_size": size, "current_page": page, "filter_groups": [] });
            MockReply::json(
                200,
                &json!({ "items": items, "search_criteria": criteria, "total_count": found.len() }),
            )
        },
        true,
    )
}

fn magento_customer(customer: &Customer) -> Findable {
    let Customer { id, email, first, last, registered, updated } = customer;
    let address = json!({ "id": 1, "customer_id": id, "country_id": "CA",
        "postcode": "H2X 1Y4", "telephone": "514 555-0123",
        "company": "Épicerie du \
         Coin", "default_billing": true, "firstname": first, "lastname": last, "street": ["1 rue Roy"] });
    let row = json!({ "id": id, "group_id": 1, "created_at": registered, "updated_at": updated,
        "email": email, "firstname": first,
        "lastname": last, "store_id": 1, "website_id": 1, "addresses": [address],
        "disable_auto_group_change": 0 });
    (
        vec![
            ("entity_id", id.to_string()),
            ("email", (*email).to_owned()),
            ("updated_at", (*updated).to_owned()),
        ],
        row,
    )
}

fn magento_order(order: &Order) -> Findable {
    let Order { number, customer, status, updated } = order;
    let owner = if *customer == 0 { Value::Null } else { json!(customer) };
    let row = json!({ "entity_id": number, "increment_id": format!("{number:09}"), "customer_id": owner,
        "status": status,
        "state": status, "created_at": "2026-02-20 \
         11:00:00", "updated_at": updated, "grand_total": 120.5, "order_currency_code": "CAD",
        "items": [{ "item_id": 1, "sku": "TEA-1", "name": "Tea", "qty_ordered": 2 }] });
    (vec![("customer_id", customer.to_string()), ("updated_at", (*updated).to_owned())], row)
}

/// WooCommerce: Basic, `page` and `per_page`, `X-WP-TotalPages`.
pub fn woocommerce() -> TestShop {
    open(
        |stock, asked| {
            use base64::{Engine, prelude::BASE64_STANDARD};
            let wanted = format!("Basic {}", BASE64_STANDARD.encode(format!("ck_1:{TOKEN}")));
            if asked.headers.get("authorization") != Some(&wanted) {
                let refusal = json!({ "code": "woocommerce_rest_cannot_view",
                    "message": "Sorry, you cannot list resources.", "data": { "status": 401 } });
                return MockReply::json(401, &refusal);
            }
            let ask = |name: &str| asked.query.get(name).cloned().unwrap_or_default();
            let mut rows: Vec<Value> = match asked.path.as_str() {
                "/wp-json/wc/v3/customers" => {
                    let fits = |customer: &&Customer| {
                        let (id, email) = (ask("include"), ask("email"));
                        (id.is_empty() || id == customer.id.to_string())
                            && (email.is_empty() || email == customer.email)
                    };
                    stock.customers.iter().filter(fits).map(woo_customer).collect()
                }
                "/wp-json/wc/v3/orders" => {
                    let fits = |order: &&Order| {
                        let (customer, since) = (ask("customer"), ask("modified_after"));
                        (customer.is_empty() || customer == order.customer.to_string())
                            && (since.is_empty()
                                || ask("dates_are_gmt") == "true" && iso(order.updated, "") > since)
                    };
                    stock.orders.iter().filter(fits).map(woo_order).collect()
                }
                _ => {
                    return MockReply::json(
                        404,
                        &json!({ "code": "rest_no_route",
                            "message": "No route.", "data": { "status": 404 } }),
                    );
                }
            };
            if ask("orderby") == "registered_date" && ask("order") == "desc" {
                rows.sort_by_key(|row| std::cmp::Reverse(text(&row["date_created_gmt"])));
            }
            let (page, size) =
                (ask("page").parse().expect("a page"), ask("per_page").parse().expect("a size"));
            let body = json!(paged(&rows, page, size));
            MockReply::json(200, &body)
                .with("x-wp-total", rows.len())
                .with("x-wp-totalpages", rows.len().div_ceil(size))
        },
        true,
    )
}

fn woo_customer(customer: &Customer) -> Value {
    let Customer { id, email, first, last, registered, updated } = customer;
    json!({ "id": id, "date_created_gmt": iso(registered, ""), "date_modified_gmt": iso(updated, ""),
        "email": email,
        "first_name": first, "last_name": last, "role": "customer", "username": first,
        "billing": { "company": "Épicerie du Coin", "postcode": "H2X 1Y4", "country": "CA",
        "phone": "514 555-0123" } })
}

fn woo_order(order: &Order) -> Value {
    let Order { number, customer, status, updated } = order;
    json!({ "id": number, "number": number.to_string(), "status": status, "currency": "CAD",
        "total": "120.50", "customer_id": customer,
        "date_created_gmt": "2026-02-20T11:00:00", "date_modified_gmt": iso(updated, ""),
        "line_items": [{ "id": 1, "name": "Tea", "sku": "TEA-1", "quantity": 2 }] })
}

/// Shopify: GraphQL, cursors, a bucket of costs.
pub fn shopify() -> TestShop {
    open(
        |stock, asked| {
            if asked.headers.get("x-shopify-access-token").map(String::as_str) != Some(TOKEN) {
                return MockReply::json(
                    401,
                    &json!({ "errors": "[API] Invalid API key or access token (unrecognized login or wrong \
                         password)" }),
                );
            }
            if asked.method != "POST" || asked.path != "/admin/api/2026-10/graphql.json" {
                return MockReply::json(404, &json!({ "errors": "Not Found" }));
            }
            if stock.busy > 0 {
                let cost = json!({ "requestedQueryCost": 50,
                    "throttleStatus": { "maximumAvailable": 2000, "currentlyAvailable": 49,
                        "restoreRate": 100 } });
                return MockReply::json(
                    200,
                    &json!({ "errors": [{ "message": "Throttled", "extensions": { "code": "THROTTLED" } }],
                        "extensions": { "cost": cost } }),
                );
            }
            let (query, variables) = (text(&asked.body["query"]), &asked.body["variables"]);
            let filter = text(&variables["query"]);
            let (name, value) = filter.split_once(':').unwrap_or_default();
            let value = value.trim_matches(['"', '\'', '>', '=']);
            let (list, rows): (&str, Vec<Value>) = if query.contains("customers(") {
                let fits = |customer: &&Customer| match name {
                    "" => true,
                    "id" => customer.id.to_string() == value,
                    "email" => customer.email == value,
                    "updated_at" => iso(customer.updated, "Z").as_str() >= value,
                    other => panic!("the shop is asked for {other}"),
                };
                ("customers", stock.customers.iter().filter(fits).map(shopify_customer).collect())
            } else {
                let fits = |order: &&Order| match name {
                    "" => true,
                    "customer_id" => order.customer.to_string() == value,
                    "updated_at" => iso(order.updated, "Z").as_str() >= value,
                    other => panic!("the shop is asked for {other}"),
                };
                ("orders", stock.orders.iter().filter(fits).map(shopify_order).collect())
            };
            let start: usize = variables["after"]
                .as_str()
                .and_then(|cursor| cursor.strip_prefix("at")?.parse().ok())
                .unwrap_or(0);
            let size = usize::try_from(variables["first"].as_u64().expect("first")).expect("a size");
            let end = (start + size).min(rows.len());
            let info = json!({ "hasNextPage": end < rows.len(), "endCursor": format!("at{end}") });
            MockReply::json(
                200,
                &json!({ "data": { list: { "nodes": rows[start..end], "pageInfo": info } } }),
            )
        },
        false,
    )
}

fn shopify_customer(customer: &Customer) -> Value {
    let Customer { id, email, first, last, registered, .. } = customer;
    json!({ "legacyResourceId": id.to_string(), "firstName": first, "lastName": last,
        "createdAt": iso(registered, "Z"), "numberOfOrders": "1",
        "defaultEmailAddress": { "emailAddress": email },
        "defaultPhoneNumber": { "phoneNumber": "+15145550123" },
        "amountSpent": { "amount": "120.5", "currencyCode": "CAD" },
        "defaultAddress": { "company": "Épicerie du Coin",
        "zip": "H2X 1Y4", "countryCodeV2": "CA", "phone": null } })
}

fn shopify_order(order: &Order) -> Value {
    let customer = if order.customer == 0 {
        Value::Null
    } else {
        json!({ "legacyResourceId": order.customer.to_string() })
    };
    json!({ "name": format!("#{}", order.number), "createdAt": "2026-02-20T11:00:00Z",
        "displayFinancialStatus": "PAID",
        "displayFulfillmentStatus": "FULFILLED",
        "currentTotalPriceSet": { "shopMoney": { "amount": "120.5", "currencyCode": "CAD" } },
        "customer": customer, "lineItems": { "nodes": [{ "sku": "TEA-1", "name": "Tea", "quantity": 2 }] } })
}

/// A shop of nobody's kind: JSON below `/api`, found by the usual paths.
pub fn another() -> TestShop {
    open(
        |stock, asked| {
            if asked.headers.get("x-api-key").map(String::as_str) != Some(TOKEN) {
                return MockReply::text(403, "no");
            }
            let page = asked.query.get("page").map_or(1, |page| page.parse().expect("a page"));
            let since = asked.query.get("updated_since").cloned().unwrap_or_default();
            let list = |rows: Vec<Value>| MockReply::json(200, &json!({ "data": paged(&rows, page, 40) }));
            let customer = |customer: &Customer| {
                json!({ "id": customer.id, "email": customer.email,
                "name": { "first": customer.first, "last": customer.last } })
            };
            let order = |order: &Order| {
                json!({ "number": order.number, "customer_id": order.customer, "status": order.status,
                "created_at": "2026-02-20T11:00:00Z", "total": "120.50", "currency": "CAD",
                "url": format!("https://shop.example/orders/{}", order.number) })
            };
            let rest: Vec<&str> = asked.path.trim_start_matches("/api/").split('/').collect();
            match rest.as_slice() {
                ["customers"] => {
                    let email = asked.query.get("email");
                    let fits = |customer: &&Customer| match email {
                        Some(email) => customer.email == email,
                        None => iso(customer.updated, "Z") >= since,
                    };
                    list(stock.customers.iter().filter(fits).map(customer).collect())
                }
                ["customers", id] => {
                    match stock.customers.iter().find(|customer| customer.id.to_string() == *id) {
                        Some(found) => MockReply::json(200, &customer(found)),
                        None => MockReply::text(404, ""),
                    }
                }
                ["customers", id, "orders"] => list(
                    stock
                        .orders
                        .iter()
                        .filter(|order| order.customer.to_string() == *id)
                        .map(order)
                        .collect(),
                ),
                ["orders"] => list(
                    stock.orders.iter().filter(|order| iso(order.updated, "Z") >= since).map(order).collect(),
                ),
                _ => MockReply::text(404, ""),
            }
        },
        true,
    )
}
