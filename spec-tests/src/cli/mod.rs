//! The command line: what a person types, and what exit codes mean.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::client::Address;
use crate::dialect::Dialect;
use crate::suite::{Settings, Suite, SuiteError};
use crate::verdict::{Conclusion, Level, Report};

/// Says whether an agent keeps the specification: any agent, over HTTP.
#[derive(Debug, Parser)]
#[command(name = "spec-tests", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Looks at one agent, or at those of a cluster.
    Run(Run),
}

#[derive(Debug, clap::Args)]
struct Run {
    /// Address of an agent.
    address: Option<Address>,
    /// Address of an agent; several for a cluster.
    #[arg(long)]
    agent: Vec<Address>,
    /// How deep to go.
    #[arg(long, value_enum, default_value = "read")]
    level: Level,
    /// Only this dialect, present or not.
    #[arg(long, value_enum)]
    dialect: Vec<Dialect>,
}

/// Conformant.
const CONFORMANT: u8 = 0;
/// Not conformant.
const NOT_CONFORMANT: u8 = 1;
/// An agent cannot be asked.
const UNREACHABLE: u8 = 3;
/// Not everything that counts was run.
const INCOMPLETE: u8 = 5;

/// The whole program.
pub fn main() -> ExitCode {
    let Arguments {
        command: Command::Run(run),
    } = Arguments::parse();
    let mut agents = run.agent;
    agents.extend(run.address);
    let settings = Settings {
        level: run.level,
        dialects: run.dialect,
        timeout: Duration::from_secs(10),
        credentials: std::env::var("SPEC_TESTS_TOKEN").map_or_else(
            |_| crate::client::Credentials::default(),
            |token| crate::client::Credentials::default().with_token(&token),
        ),
        ..Settings::default()
    };
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return ExitCode::from(4);
    };
    let suite = Suite::new(agents, settings);
    let progress = |what: &str| drop(writeln!(std::io::stderr(), "spec-tests: {what}"));
    let report = runtime.block_on(suite.run(progress, std::future::pending()));
    match report {
        Ok(report) => {
            drop(write!(std::io::stdout(), "{}", crate::report::text(&report, false)));
            ExitCode::from(code(&report))
        }
        Err(error @ (SuiteError::Unreachable { .. } | SuiteError::NoDialect { .. } | SuiteError::NoAgent)) => {
            drop(writeln!(std::io::stderr(), "spec-tests: {error}"));
            ExitCode::from(UNREACHABLE)
        }
    }
}

fn code(report: &Report) -> u8 {
    let worst = report.verdicts.iter().map(|verdict| verdict.conclusion).max();
    match worst {
        Some(Conclusion::NotConformant) => NOT_CONFORMANT,
        Some(Conclusion::Conformant) if report.cut_short.is_none() => CONFORMANT,
        _ => INCOMPLETE,
    }
}
