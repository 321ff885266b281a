//! What the command line says: its answer on standard output, complaints on standard error. Where logs are
//! JSON, every line of both is.

use std::{
    io::{self, Write},
    process::ExitCode,
    sync::atomic::{AtomicBool, Ordering},
};

use serde_json::{Value, json};

use crate::kernel::clock::Clock;

/// Whether whoever reads the lines expects JSON.
static JSON: AtomicBool = AtomicBool::new(false);

/// From now on every line is JSON.
pub fn use_json() {
    JSON.store(true, Ordering::Relaxed);
}

/// Standard output is what the command is for; whoever closed it does not want to know.
#[expect(clippy::must_use_candidate, reason = "whoever only tells goes on whatever became of it")]
pub fn print_line(text: &str) -> ExitCode {
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// What a server that starts has to say: in words, or as the members of a line of JSON.
pub fn announce(words: &str, members: Value) {
    if JSON.load(Ordering::Relaxed) {
        print_line(&json_line("INFO", members));
    } else {
        print_line(words);
    }
}

/// Standard error is for people.
pub fn print_error(text: &str) {
    // With standard error gone there is nobody left to tell.
    let _told = if JSON.load(Ordering::Relaxed) {
        io::stderr().write_all(json_line("ERROR", json!({ "message": text })).as_bytes())
    } else {
        writeln!(io::stderr(), "caseload: {text}")
    };
}

fn json_line(level: &str, members: Value) -> String {
    let mut line = json!({ "timestamp": Clock::System.now(), "level": level });
    if let (Value::Object(line), Value::Object(members)) = (&mut line, members) {
        line.extend(members);
    }
    format!("{line}\n")
}
