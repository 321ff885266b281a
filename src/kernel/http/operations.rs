//! What each operation asks of its caller, read from the OpenAPI document: declared once, by `#[operation]`,
//! and enforced from there.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use serde_json::Value;

use crate::kernel::actor::Scope;

/// What an operation asks of its caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing.
    Public,
    /// A credential with these scopes, one at the least. The first is what the operation is for, the others
    /// are of what else it shows or makes.
    Scopes(Arc<[Scope]>),
    /// Any valid credential.
    AnyCredential,
}

/// What is read of an operation.
#[derive(Clone, Debug)]
struct Operation {
    access: Access,
    body_is_optional: bool,
}

/// Every operation by its path pattern and method.
#[derive(Debug, Default)]
pub struct Operations(HashMap<String, BTreeMap<String, Operation>>);

impl Operations {
    /// Reads the document.
    #[must_use]
    pub fn of(document: &Value) -> Self {
        let mut operations: HashMap<String, BTreeMap<String, Operation>> = HashMap::new();
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten() {
                if let Some(access) = access(operation) {
                    let body = operation.get("requestBody");
                    let body_is_optional = body.is_some_and(|body| body["required"] != true);
                    let operation = Operation { access, body_is_optional };
                    operations.entry(path.clone()).or_default().insert(method.to_uppercase(), operation);
                }
            }
        }
        Self(operations)
    }

    /// Adds a page that is no operation of the API, and needs no credential.
    #[must_use]
    pub fn with_public(mut self, path: &str) -> Self {
        let page = Operation { access: Access::Public, body_is_optional: false };
        self.0.entry(path.to_owned()).or_default().insert("GET".to_owned(), page);
        self
    }

    /// What an operation asks, if there is one.
    #[must_use]
    pub fn access(&self, pattern: &str, method: &str) -> Option<Access> {
        self.0.get(pattern)?.get(method).map(|operation| operation.access.clone())
    }

    /// Whether an operation takes a body that may be left out.
    #[must_use]
    pub fn body_is_optional(&self, pattern: &str, method: &str) -> bool {
        let methods = self.0.get(pattern);
        methods.and_then(|methods| methods.get(method)).is_some_and(|operation| operation.body_is_optional)
    }

    /// Whether a path takes the posts of pages of other sites.
    #[must_use]
    pub fn takes_posts_of_pages(&self, pattern: &str) -> bool {
        matches!(self.access(pattern, "POST"),
            Some(Access::Scopes(scopes)) if scopes[..] == [Scope::IntakeWrite])
    }

    /// The methods of a path that stands in the document as it is, when this is none of them. Such a path is
    /// never an id: `PATCH /v1/action-items/bulk` would otherwise look for the action item `bulk`.
    #[must_use]
    pub fn refused(&self, path: &str, method: &str) -> Option<String> {
        self.0.get(path).filter(|methods| !methods.contains_key(method)).and_then(|_| self.methods(path))
    }

    /// The methods of a path, for `Allow`.
    #[must_use]
    pub fn methods(&self, pattern: &str) -> Option<String> {
        let methods = self.0.get(pattern)?.keys().map(String::as_str);
        // What can be read can be asked about (RFC 9110, 9.3.2).
        let with_head = methods.flat_map(|method| [Some(method), (method == "GET").then_some("HEAD")]);
        Some(with_head.flatten().collect::<Vec<_>>().join(", "))
    }
}

/// What is written is what holds: an operation that does not say what it asks, or names a scope that does not
/// exist, lets nobody in.
fn access(operation: &Value) -> Option<Access> {
    let security = operation["security"].as_array()?;
    let Some(first) = security.first() else { return Some(Access::Public) };
    match first["bearer"].as_array()?.as_slice() {
        [] => Some(Access::AnyCredential),
        scopes => scopes
            .iter()
            .map(|scope| scope.as_str()?.parse().ok())
            .collect::<Option<Arc<[Scope]>>>()
            .map(Access::Scopes),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn needs(scopes: &[Scope]) -> Access {
        Access::Scopes(scopes.into())
    }

    #[test]
    fn what_does_not_say_what_it_asks_lets_nobody_in() {
        let rule = |security: Value| access(&json!({ "security": security, "responses": {} }));
        assert_eq!(rule(json!([])), Some(Access::Public));
        assert_eq!(rule(json!([{ "bearer": [] }])), Some(Access::AnyCredential));
        assert_eq!(rule(json!([{ "bearer": ["notes:read"] }])), Some(needs(&[Scope::NotesRead])));
        let both = json!([{ "bearer": ["queues:read", "action_items:read"] }]);
        assert_eq!(rule(both), Some(needs(&[Scope::QueuesRead, Scope::ActionItemsRead])));
        for unclear in [
            json!(null),
            json!([{}]),
            json!([{ "bearer": ["nonsense"] }]),
            json!([{ "other": [] }]),
            json!([{ "bearer": [1] }]),
            json!([{ "bearer": ["notes:read", "nonsense"] }]),
        ] {
            assert_eq!(rule(unclear.clone()), None, "{unclear}");
        }
        assert_eq!(access(&json!({ "responses": {} })), None);
    }

    #[test]
    fn a_body_may_be_left_out_where_it_is_not_required() {
        let operation = |body: Value| json!({ "security": [], "requestBody": body });
        let operations = Operations::of(&json!({ "paths": { "/a": {
            "post": operation(json!({ "content": {} })),
            "put": operation(json!({ "content": {}, "required": true })),
            "get": { "security": [] },
        } } }));
        assert!(operations.body_is_optional("/a", "POST"));
        for (path, method) in [("/a", "PUT"), ("/a", "GET"), ("/a", "PATCH"), ("/b", "POST")] {
            assert!(!operations.body_is_optional(path, method), "{method} {path}");
        }
    }

    #[test]
    fn what_no_rule_knows_has_no_access() {
        let read = json!({ "security": [{ "bearer": ["notes:read"] }] });
        let document = json!({ "paths": { "/v1/notes": { "get": read, "parameters": [] } } });
        let operations = Operations::of(&document).with_public("/docs");
        assert_eq!(operations.access("/v1/notes", "GET"), Some(needs(&[Scope::NotesRead])));
        assert_eq!(operations.access("/docs", "GET"), Some(Access::Public));
        for (path, method) in [
            ("/v1/notes", "POST"),
            ("/v1/notes", "PARAMETERS"),
            ("/v1/notes/", "GET"),
            ("/docs", "POST"),
            ("", "GET"),
        ] {
            assert_eq!(operations.access(path, method), None, "{method} {path}");
        }
    }
}
