//! What is searched for.
#![no_main]

use caseload_fuzz::{ask, encoded};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    ask("GET", format!("/v1/search?q={}", encoded(text.as_bytes())).as_bytes(), b"");
});
