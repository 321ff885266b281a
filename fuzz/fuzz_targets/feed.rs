//! What another site answers as a feed of JSON.
#![no_main]

use caseload::intake::sources::source::FeedFormat;
use caseload_fuzz::read_feed;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: (&str, &str, &[u8])| read_feed(data.2, FeedFormat::Json, data.0, Some(data.1)));
