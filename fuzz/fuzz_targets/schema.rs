//! JSON Schemas of work item types, and what is checked against them.
#![no_main]

use caseload_fuzz::ask;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

fuzz_target!(|data: (&str, &str)| {
    let Ok(schema) = serde_json::from_str::<Value>(data.0) else { return };
    let reference = serde_json::from_str::<Value>(data.1).unwrap_or_else(|_| json!({ "text": data.1 }));
    let change = json!({ "reference_schema": schema }).to_string();
    if ask("PATCH", b"/v1/work-item-types/support_ticket", change.as_bytes())
        .is_some_and(|(status, _)| status == 200)
    {
        let item = json!({ "type": "support_ticket", "description": "Help",
            "reference": reference })
        .to_string();
        ask("POST", b"/v1/work-items", item.as_bytes());
    }
});
