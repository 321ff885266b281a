//! Parses the command and runs it.

fn main() -> std::process::ExitCode {
    caseload::app::cli::main()
}
