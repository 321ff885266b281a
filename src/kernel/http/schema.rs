//! What the schema of an answer says of its members.

use utoipa::openapi::{RefOr, Schema};

/// The members of an object.
pub fn members(schema: &RefOr<Schema>) -> Vec<String> {
    match schema {
        RefOr::T(Schema::Object(object)) => object.properties.keys().cloned().collect(),
        RefOr::T(Schema::AllOf(all)) => all.items.iter().flat_map(members).collect(),
        _ => Vec::new(),
    }
}
