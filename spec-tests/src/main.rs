//! The command line of the suite.

use std::process::ExitCode;

fn main() -> ExitCode {
    spec_tests::cli::main()
}
