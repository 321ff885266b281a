//! Bodies of any bytes, for writes that make much of them.
#![no_main]

use caseload_fuzz::ask;
use libfuzzer_sys::fuzz_target;

const WRITES: &[&str] = &[
    "/v1/notes",
    "/v1/interactions",
    "/v1/contacts",
    "/v1/routing-rules",
    "/v1/action-items/bulk",
    "/v1/sources",
];

fuzz_target!(|data: &[u8]| {
    let Some((first, body)) = data.split_first() else { return };
    ask("POST", WRITES[usize::from(*first) % WRITES.len()].as_bytes(), body);
});
