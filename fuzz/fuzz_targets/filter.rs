//! The value of any parameter of any list.
#![no_main]

use std::sync::LazyLock;

use caseload_fuzz::{ask, encoded};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

/// Every parameter of every list without one in its path.
static PARAMETERS: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let document = caseload::app::openapi::document();
    let paths = document["paths"].as_object().expect("paths").iter().filter(|(path, _)| !path.contains('{'));
    let of = |path: &str, item: &Value| -> Vec<(String, String)> {
        let parameters = item["get"]["parameters"].as_array().into_iter().flatten();
        let parameters = parameters.map(|parameter| match parameter["$ref"].as_str() {
            Some(reference) => document.pointer(reference.trim_start_matches('#')).expect("a parameter"),
            None => parameter,
        });
        let named = parameters.filter(|parameter| parameter["in"] == "query" && parameter["name"] != "wait");
        named
            .map(|parameter| (path.to_owned(), parameter["name"].as_str().unwrap_or_default().to_owned()))
            .collect()
    };
    paths.flat_map(|(path, item)| of(path, item)).collect()
});

fuzz_target!(|data: &[u8]| {
    let Some((which, value)) = data.split_first_chunk::<2>() else { return };
    let (path, name) = &PARAMETERS[usize::from(u16::from_le_bytes(*which)) % PARAMETERS.len()];
    ask("GET", format!("{path}?{name}={}", encoded(value)).as_bytes(), b"");
});
