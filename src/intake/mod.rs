//! What comes in from elsewhere: other systems' customers, orders and requests.

pub mod connectors;
pub mod credentials;
pub mod picking;
