//! A path of any bytes.
#![no_main]

use caseload_fuzz::ask;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut target = b"/".to_vec();
    target.extend(data);
    ask("GET", &target, b"");
});
