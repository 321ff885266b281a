//! The shapes of facts.

use caseload_macros::shape;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::{
    IntoParams, ToSchema,
    openapi::{Object, ObjectBuilder, schema::AdditionalProperties},
};
use uuid::Uuid;
use validator::{Validate, ValidationError};

use super::fact::Model;
use crate::{
    customers::contacts::ContactView,
    kernel::{
        clock::Timestamp,
        filter::AnyOf,
        http::View,
        value::{Line, PlainLine},
    },
};

/// An amount of money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"amount": "12.50", "currency": "CAD"}))]
pub struct Money {
    /// A decimal number, up to 15 digits before the point and 4 behind it.
    #[validate(custom(function = decimal))]
    #[schema(pattern = "^-?[0-9]{1,15}(\\.[0-9]{1,4})?$", example = "12.50")]
    pub amount: String,
    /// ISO 4217.
    #[validate(custom(function = currency))]
    #[schema(pattern = "^[A-Z]{3}$", example = "CAD")]
    pub currency: String,
}

fn decimal(amount: &str) -> Result<(), ValidationError> {
    let digits = |text: &str, most: usize| {
        (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let unsigned = amount.strip_prefix('-').unwrap_or(amount);
    let fits = match unsigned.split_once('.') {
        Some((whole, part)) => digits(whole, 15) && digits(part, 4),
        None => digits(unsigned, 15),
    };
    if fits {
        Ok(())
    } else {
        Err(ValidationError::new("decimal").with_message("must be a decimal number such as 12.50".into()))
    }
}

fn currency(code: &str) -> Result<(), ValidationError> {
    let fits = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase());
    if fits {
        Ok(())
    } else {
        Err(ValidationError::new("currency").with_message("must be an ISO 4217 code such as CAD".into()))
    }
}

/// What a module knows; members that are left out are empty from now on.
#[shape]
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "title": "Order A-1001", "status": "shipped", "occurred_at": "2026-03-17T14:00:00Z",
    "amount": {"amount": "120.00", "currency": "CAD"}, "url": "https://shop.example/orders/A-1001",
    "data": {"items": 3},
}))]
pub struct FactBody {
    /// What people call it, 1 to 200 characters.
    #[schema(example = "Order A-1001")]
    pub title: Line<200>,
    /// Where it stands, in the module's own words, up to 100 characters.
    #[schema(example = "shipped")]
    pub status: Option<PlainLine<100>>,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// What it is worth.
    #[validate(nested)]
    pub amount: Option<Money>,
    /// Where the module shows it, http or https, up to 2,000 characters.
    #[validate(custom(function = link))]
    #[schema(
        format = "uri",
        pattern = "^https?://[!-~]{1,1990}$",
        example = "https://shop.example/orders/A-1001"
    )]
    pub url: Option<String>,
    /// Whatever else the module says, up to 20,000 characters of JSON.
    #[serde(default)]
    #[validate(custom(function = data))]
    #[schema(schema_with = data_schema)]
    pub data: Map<String, Value>,
}

fn data_schema() -> Object {
    let about = "Whatever else the module says, up to 20,000 characters of JSON.";
    let map = ObjectBuilder::new()
        .additional_properties(Some(AdditionalProperties::FreeForm(true)))
        .max_properties(Some(1000));
    map.description(Some(about)).examples([json!({"items": 3})]).build()
}

fn link(url: &str) -> Result<(), ValidationError> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let fits = rest.is_some_and(|rest| {
        (1..=1990).contains(&rest.len()) && rest.bytes().all(|byte| byte.is_ascii_graphic())
    });
    if fits {
        Ok(())
    } else {
        Err(ValidationError::new("url")
            .with_message("must be an http or https address of at most 2,000 characters".into()))
    }
}

fn data(data: &Map<String, Value>) -> Result<(), ValidationError> {
    let length = serde_json::to_string(data).map_or(usize::MAX, |text| text.chars().count());
    if length <= 20_000 && data.len() <= 1000 {
        Ok(())
    } else {
        Err(ValidationError::new("length").with_message("must have at most 20,000 characters as JSON".into()))
    }
}

/// What a module knows of a contact.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FactView {
    /// Its id.
    pub id: Uuid,
    /// The contact it was recorded for.
    pub contact_id: Uuid,
    /// Which module knows it.
    #[schema(example = "orders")]
    pub module: String,
    /// The module's own id of it.
    #[schema(example = "A-1001")]
    pub external_id: String,
    /// What people call it.
    #[schema(example = "Order A-1001")]
    pub title: String,
    /// Where it stands, in the module's own words.
    #[schema(required, example = "shipped")]
    pub status: Option<String>,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// What it is worth.
    #[schema(required)]
    pub amount: Option<Money>,
    /// Where the module shows it.
    #[schema(required)]
    pub url: Option<String>,
    /// Whatever else the module says.
    #[schema(schema_with = data_schema)]
    pub data: Map<String, Value>,
    /// When it came.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How often it changed; the ETag.
    pub version: i64,
}

impl From<Model> for FactView {
    fn from(fact: Model) -> Self {
        Self {
            id: fact.id,
            contact_id: fact.contact_id,
            module: fact.module,
            external_id: fact.external_id,
            title: fact.title,
            status: fact.status,
            occurred_at: fact.occurred_at,
            amount: fact.amount.zip(fact.currency).map(|(amount, currency)| Money { amount, currency }),
            url: fact.url,
            data: fact.data.0,
            created_at: fact.created_at,
            updated_at: fact.updated_at,
            version: fact.version,
        }
    }
}

impl View for FactView {
    const PATH: &'static str = "/v1/contacts";

    fn id(&self) -> Uuid {
        self.id
    }

    fn version(&self) -> Option<i64> {
        Some(self.version)
    }

    fn location(&self) -> String {
        let encoded =
            percent_encoding::utf8_percent_encode(&self.external_id, percent_encoding::NON_ALPHANUMERIC);
        format!("{}/{}/facts/{}/{encoded}", Self::PATH, self.contact_id, self.module)
    }
}

/// What one module knows of a contact.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ModuleFacts {
    /// The module.
    #[schema(example = "orders")]
    pub module: String,
    /// How many facts it has of the contact.
    #[schema(minimum = 0, example = 12)]
    pub total: i64,
    /// The latest, at most 10.
    pub latest: Vec<FactView>,
}

/// The complete picture of a customer: who it is, and what the modules know.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProfileView {
    /// The contact.
    pub contact: ContactView,
    /// What each module knows, by its name.
    pub modules: Vec<ModuleFacts>,
}

/// Which facts a list shows.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FactFilter {
    /// Only of these modules.
    #[param(value_type = Option<String>, example = "orders,invoices")]
    pub module: Option<AnyOf<String>>,
    /// Happened at or after.
    #[param(value_type = Option<String>, format = DateTime)]
    pub occurred_at_gte: Option<Timestamp>,
    /// Happened before.
    #[param(value_type = Option<String>, format = DateTime)]
    pub occurred_at_lt: Option<Timestamp>,
}

crate::page_of!(FactPage, FactView, Model, "facts");
