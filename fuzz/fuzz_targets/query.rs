//! A query string of any bytes.
#![no_main]

use caseload_fuzz::ask;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut target = b"/v1/action-items?".to_vec();
    target.extend(data);
    ask("GET", &target, b"");
});
