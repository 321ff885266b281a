//! What another site answers as a feed of CSV.
#![no_main]

use caseload::intake::sources::source::FeedFormat;
use caseload_fuzz::read_feed;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| read_feed(data, FeedFormat::Csv, "", None));
