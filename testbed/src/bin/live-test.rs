//! `cargo live-test [STORE…] [-- ARGUMENTS]`: the tests that need real stores.
//!
//! `cargo test` leaves them out, because they need Java, Maven and a package registry. This runs them, and only them.
//! What is missing is an error here: a live test that was skipped would look like one that passed. Servers are
//! fetched before the tests, so that no test's deadline pays for a download.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use anyhow::Context;
use clap::{Parser, ValueEnum};
use testbed::program::Program;
use testbed::{kafka, zookeeper};

/// Runs the tests on real stores.
#[derive(Debug, Parser)]
#[command(name = "live-test", max_term_width = 100)]
struct Cli {
    /// Which stores; without one, all.
    stores: Vec<Store>,
    /// For the test programs: a name to filter by, --nocapture, --test-threads=1.
    #[arg(last = true)]
    arguments: Vec<OsString>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Store {
    #[value(name = "zookeeper")]
    ZooKeeper,
    Kafka,
}

impl Store {
    /// Gets its servers.
    fn fetch(self) -> anyhow::Result<()> {
        match self {
            Self::ZooKeeper => {
                for release in zookeeper::Release::ALL {
                    release.fetch()?;
                }
            }
            Self::Kafka => {
                for release in kafka::Release::ALL {
                    release.fetch()?;
                }
                kafka::fetch_exporter()?;
            }
        }
        Ok(())
    }

    /// The one test of the conformance suite's file that is about it.
    fn conformance(self) -> &'static str {
        match self {
            Self::ZooKeeper => "a_zookeeper_ensemble_keeps_the_specification_at_all_levels",
            Self::Kafka => "a_kafka_cluster_keeps_the_specification_at_all_levels",
        }
    }

    /// The other stores' tests, which are in the same files as its own. They are left out by their names: a name to
    /// filter by would be one more beside the user's, and what fits either is run.
    fn skipped(self) -> impl Iterator<Item = &'static str> {
        let others = Self::value_variants().iter().filter(move |store| **store != self);
        others.flat_map(|store| ["--skip", store.conformance()])
    }

    /// What `cargo test` is told to run: the testbed first, for the agent's tests stand on it.
    fn tests(self) -> &'static [&'static [&'static str]] {
        match self {
            Self::ZooKeeper => &[
                &["-p", "testbed", "--test", "zookeeper"],
                &["-p", "agent-zookeeper", "--test", "live"],
                // A whole ensemble under the suite that judges any agent.
                &["-p", "testbed", "--test", "conformance"],
            ],
            Self::Kafka => &[
                &["-p", "testbed", "--test", "kafka"],
                &["-p", "agent-kafka", "--test", "live"],
                &["-p", "testbed", "--test", "conformance"],
            ],
        }
    }
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("live-test: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The exit code of the tests: of the first that failed, after all have run.
fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let Cli { stores, arguments } = cli;
    let stores = if stores.is_empty() {
        Store::value_variants().to_vec()
    } else {
        stores
    };
    let missing: Vec<_> = [Program::Java, Program::Maven]
        .map(Program::find)
        .into_iter()
        .filter_map(Result::err)
        .collect();
    if !missing.is_empty() {
        let all: Vec<_> = missing.iter().map(ToString::to_string).collect();
        anyhow::bail!("live tests cannot run.\n{}", all.join("\n"));
    }
    stores.iter().try_for_each(|store| store.fetch())?;
    // Set by `cargo run`: the same cargo, not whichever comes first on the PATH.
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut worst = 0;
    let runs = |store: &Store| store.tests().iter().map(|tests| (*store, *tests)).collect::<Vec<_>>();
    for (store, tests) in stores.iter().flat_map(runs) {
        let mut command = Command::new(&cargo);
        command
            .arg("test")
            .args(tests)
            .args(["--", "--ignored"])
            .args(store.skipped())
            .args(&arguments);
        let status = command
            .status()
            .with_context(|| format!("could not run {}", cargo.display()))?;
        if worst == 0 {
            // Killed by a signal there is no code; it failed all the same.
            worst = status.code().map_or(1, |code| u8::try_from(code).unwrap_or(1));
        }
    }
    Ok(worst.into())
}
