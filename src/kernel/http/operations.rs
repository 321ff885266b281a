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

/// Every operation by its path pattern and method.
#[derive(Debug, Default)]
pub struct Operations(HashMap<String, BTreeMap<String, Access>>);

impl Operations {
    /// Reads the document.
    #[must_use]
    pub fn of(document: &Value) -> Self {
        let mut operations: HashMap<String, BTreeMap<String, Access>> = HashMap::new();
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten() {
                if let Some(access) = access(operation) {
                    operations.entry(path.clone()).or_default().insert(method.to_uppercase(), access);
                }
            }
        }
        Self(operations)
    }

    /// Adds a page that is no operation of the API, and needs no credential.
    #[must_use]
    pub fn with_public(mut self, path: &str) -> Self {
        self.0.entry(path.to_owned()).or_default().insert("GET".to_owned(), Access::Public);
        self
    }

    /// What an operation asks, if there is one.
    #[must_use]
    pub fn access(&self, pattern: &str, method: &str) -> Option<Access> {
        self.0.get(pattern)?.get(method).cloned()
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
