//! What a handler, a job or a command needs beside the database: keys, calls to outside addresses, what a
//! hash costs.

use std::sync::Arc;

use argon2::Params;

use super::{db::Db, http_client::HttpClient, secrets::Keyring};

/// The database and what goes with it in one instance. Cheap to clone.
#[derive(Clone)]
pub struct Services {
    /// The database.
    pub db: Db,
    /// The keys of credentials.
    pub keyring: Arc<Keyring>,
    /// Who calls outside addresses.
    pub http_client: Arc<HttpClient>,
    /// What the hash of a password costs.
    pub password_cost: Params,
}
