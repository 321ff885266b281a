//! What each operation asks of its caller, read from the OpenAPI document: said once, there, and enforced from there.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use crate::kernel::actor::Scope;

/// What an operation asks of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing.
    Public,
    /// A credential with this scope.
    Scope(Scope),
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

    /// What an operation asks, if there is one.
    #[must_use]
    pub fn access(&self, pattern: &str, method: &str) -> Option<Access> {
        self.0.get(pattern)?.get(method).copied()
    }

    /// Whether a path takes the posts of pages of other sites.
    #[must_use]
    pub fn takes_posts_of_pages(&self, pattern: &str) -> bool {
        self.access(pattern, "POST") == Some(Access::Scope(Scope::IntakeWrite))
    }

    /// The methods of a path that stands in the document as it is, when this is none of them. Such a path is never
    /// an id: `PATCH /v1/action-items/bulk` would otherwise look for the action item `bulk`.
    #[must_use]
    pub fn refused(&self, path: &str, method: &str) -> Option<String> {
        self.0.get(path).filter(|methods| !methods.contains_key(method)).and_then(|_| self.methods(path))
    }

    /// The methods of a path, for `Allow`.
    #[must_use]
    pub fn methods(&self, pattern: &str) -> Option<String> {
        self.0.get(pattern).map(|methods| methods.keys().cloned().collect::<Vec<_>>().join(", "))
    }
}

fn access(operation: &Value) -> Option<Access> {
    operation.get("responses")?;
    let Some(security) = operation["security"].as_array() else { return Some(Access::Public) };
    let scopes = security.iter().find_map(|one| one.get("bearer")).and_then(Value::as_array);
    Some(match scopes.and_then(|scopes| scopes.first()).and_then(Value::as_str) {
        // A scope that does not exist would let nobody in; the contract tests would say so.
        Some(scope) => scope.parse().map_or(Access::Scope(Scope::UsersActAs), Access::Scope),
        None if scopes.is_some() => Access::AnyCredential,
        None => Access::Public,
    })
}
