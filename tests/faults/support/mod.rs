//! What every fault is made with: a database of its own, the real binary on it, and people who use it.

pub mod database;
pub mod feeds;
pub mod process;
pub mod proxy;
pub mod wire;
pub mod world;

pub use crate::common::setting;
pub use database::Room;
pub use process::Server;
pub use serde_json::{Value, json};

use std::time::Duration;

/// How long anything here may take on a slow and busy machine.
pub const DEADLINE: Duration = Duration::from_secs(90);

/// The password of everybody.
pub const PASSWORD: &str = "correct horse battery";

/// Asks again and again until there is an answer; fails after [`DEADLINE`].
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let end = now() + DEADLINE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(now() < end, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The time, to measure how long something took.
#[expect(
    clippy::disallowed_methods,
    reason = "a process of its own goes by the real clock, and so do its tests"
)]
pub fn now() -> std::time::Instant {
    std::time::Instant::now()
}

/// The text of a JSON string; empty for anything else.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
