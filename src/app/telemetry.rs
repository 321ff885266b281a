//! Logs and metrics.

use std::sync::OnceLock;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use super::config::Config;

static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();

/// Starts logging, once a process.
pub fn log(config: &Config) {
    let filter = EnvFilter::try_new(&config.log).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    // A second start in one process keeps the first one's settings.
    let _started = if config.log_json { builder.json().flatten_event(true).try_init() } else { builder.compact().try_init() };
}

/// Starts counting, once a process.
pub fn measure() {
    METRICS.get_or_init(|| {
        let recorder =
            PrometheusBuilder::new().set_buckets(&[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0]);
        let recorder = recorder.unwrap_or_default().build_recorder();
        let handle = recorder.handle();
        // Another recorder of the same process would only count elsewhere.
        let _installed = metrics::set_global_recorder(recorder);
        handle
    });
}

/// Sums up what was counted since the last time: single measurements are kept until then, also when nobody asks.
pub fn sum_up() {
    if let Some(handle) = METRICS.get() {
        handle.run_upkeep();
    }
}

/// What has been counted, in Prometheus's text form.
#[must_use]
pub fn rendered() -> String {
    sum_up();
    METRICS.get().map(PrometheusHandle::render).unwrap_or_default()
}
