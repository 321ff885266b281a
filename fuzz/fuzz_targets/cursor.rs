//! Cursors that nobody was given.
#![no_main]

use caseload_fuzz::{ask, encoded};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    ask("GET", format!("/v1/notes?cursor={}", encoded(data)).as_bytes(), b"");
    ask("GET", format!("/v1/events?after={}", encoded(data)).as_bytes(), b"");
});
