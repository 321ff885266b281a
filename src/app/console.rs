//! What the command line says: its answer on standard output, complaints on standard error.

use std::{
    io::{self, Write},
    process::ExitCode,
};

/// Standard output is what the command is for; whoever closed it does not want to know.
#[expect(clippy::must_use_candidate, reason = "whoever only tells goes on whatever became of it")]
pub fn print_line(text: &str) -> ExitCode {
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Standard error is for people.
pub fn print_error(text: &str) {
    // With standard error gone there is nobody left to tell.
    let _told = writeln!(io::stderr(), "caseload: {text}");
}
