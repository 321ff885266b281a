//! Logs and metrics.

use std::{
    borrow::Cow,
    io::{self, IsTerminal, Write},
    sync::OnceLock,
};

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use serde_json::{Map, Value};
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

use super::config::Config;

static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();

/// Starts logging, once a process.
pub fn log(config: &Config) {
    let filter = EnvFilter::try_new(&config.log).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(BoundedLines { json: config.log_json })
        .with_ansi(io::stderr().is_terminal())
        .with_target(false);
    // A second start in one process keeps the first one's settings.
    let _started = if config.log_json {
        builder.json().flatten_event(true).with_span_list(false).try_init()
    } else {
        builder.compact().try_init()
    };
}

/// Bytes of a line of the log at the most.
const MAX_LINE: usize = 2048;
/// Characters of a text in a line of JSON that would be too long.
const MAX_CUT_TEXT: usize = 200;

/// Writes each event to standard error as one line of a bounded length, whatever somebody made us say.
#[derive(Clone, Copy)]
struct BoundedLines {
    json: bool,
}

impl MakeWriter<'_> for BoundedLines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        *self
    }
}

impl Write for BoundedLines {
    // The formatter writes an event at once.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        io::stderr().lock().write_all(bounded(&text, self.json).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// An event as one line that is no longer than it may be.
fn bounded(event: &str, json: bool) -> Cow<'_, str> {
    let line = event.strip_suffix('\n').unwrap_or(event);
    if event.len() <= MAX_LINE && !line.contains(['\n', '\r']) {
        return Cow::Borrowed(event);
    }
    if json && let Ok(members) = serde_json::from_str::<Map<String, Value>>(line) {
        return Cow::Owned(bounded_json(members) + "\n");
    }
    let line = line.replace(['\n', '\r'], " ");
    let end = format!(" [{} bytes]\n", line.len());
    if line.len() < MAX_LINE {
        return Cow::Owned(line + "\n");
    }
    Cow::Owned(line[..line.floor_char_boundary(MAX_LINE - end.len())].to_owned() + &end)
}

/// The members of an event with their texts cut; of very many only those that every event has.
fn bounded_json(mut members: Map<String, Value>) -> String {
    for text in members.values_mut() {
        if let Value::String(text) = text
            && let Some((end, _)) = text.char_indices().nth(MAX_CUT_TEXT)
        {
            text.truncate(end);
            text.push('…');
        }
    }
    let text = Value::Object(members.clone()).to_string();
    if text.len() < MAX_LINE {
        return text;
    }
    members.retain(|name, _| ["timestamp", "level", "message", "request_id"].contains(&name.as_str()));
    Value::Object(members).to_string()
}

/// Starts counting, once a process.
pub fn measure() {
    METRICS.get_or_init(|| {
        let recorder = PrometheusBuilder::new()
            .set_buckets(&[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0]);
        let recorder = recorder.unwrap_or_default().build_recorder();
        let handle = recorder.handle();
        // Another recorder of the same process would only count elsewhere.
        let _installed = metrics::set_global_recorder(recorder);
        handle
    });
}

/// Sums up what was counted since the last time: single measurements are kept until then, also when nobody
/// asks.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_log_has_a_bound() {
        assert_eq!(bounded("short\n", false), "short\n");
        assert_eq!(bounded("one\r\ntwo\n", false), "one  two\n");
        for (json, event) in [
            (false, "ü".repeat(1_000_000) + "\n"),
            (false, "a\n".repeat(2000)),
            (
                true,
                format!("{{\"level\":\"WARN\",\"message\":\"{}\",\"cause\":\"x\"}}\n", "ü".repeat(100_000)),
            ),
            (
                true,
                format!(
                    "{{\"message\":\"many\",{}\"end\":0}}\n",
                    (0..1000).map(|n| format!("\"m{n}\":\"text\",")).collect::<Vec<_>>().concat()
                ),
            ),
        ] {
            let line = bounded(&event, json);
            assert!(
                line.len() <= MAX_LINE && line.matches('\n').count() == 1 && line.ends_with('\n'),
                "{line}"
            );
            assert!(
                !json || serde_json::from_str::<Value>(&line).is_ok_and(|line| line["message"].is_string()),
                "{line}"
            );
        }
    }
}
