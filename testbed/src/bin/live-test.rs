//! `cargo live-test [STORE…] [-- ARGUMENTS]`: the tests that need real stores.
//!
//! `cargo test` leaves them out, because they need a package registry, and programs that get and run servers: Java and
//! Maven, or Python. This runs them, and only them. What is missing of what the asked stores need is an error here: a live
//! test that was skipped would look like one that passed. Servers are fetched before the tests, so that no test's deadline
//! pays for a download.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use anyhow::Context;
use clap::{Parser, ValueEnum};
use testbed::program::Program;
use testbed::{kafka, mongodb, zookeeper};

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
    #[value(name = "mongodb")]
    MongoDb,
}

impl Store {
    /// What its servers are got and run by.
    fn programs(self) -> &'static [Program] {
        match self {
            Self::ZooKeeper | Self::Kafka => &[Program::Java, Program::Maven],
            Self::MongoDb => &[Program::Python],
        }
    }

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
            Self::MongoDb => {
                for release in mongodb::Release::ALL {
                    release.fetch()?;
                }
            }
        }
        Ok(())
    }

    /// The one test of the conformance suite's file that is about it.
    fn conformance(self) -> &'static str {
        match self {
            Self::ZooKeeper => "a_zookeeper_ensemble_keeps_the_specification_at_all_levels",
            Self::Kafka => "a_kafka_cluster_keeps_the_specification_at_all_levels",
            Self::MongoDb => "a_mongodb_set_keeps_the_specification_at_all_levels",
        }
    }

    /// What `cargo test` is told to run: the testbed first, for the agent's tests stand on it.
    fn tests(self) -> &'static [&'static [&'static str]] {
        match self {
            Self::ZooKeeper => &[
                &["-p", "testbed", "--test", "zookeeper"],
                &["-p", "agent-zookeeper", "--test", "live"],
            ],
            Self::Kafka => &[
                &["-p", "testbed", "--test", "kafka"],
                &["-p", "agent-kafka", "--test", "live"],
            ],
            Self::MongoDb => &[
                &["-p", "testbed", "--test", "mongodb"],
                &["-p", "agent-mongodb", "--test", "live"],
            ],
        }
    }

    /// How many tests run at once; none for as many as there are processors. Those of MongoDB wait for elections most of
    /// the time.
    fn at_once(self) -> Option<&'static str> {
        match self {
            Self::ZooKeeper | Self::Kafka => None,
            Self::MongoDb => Some("--test-threads=4"),
        }
    }
}

/// Whole clusters under the suite that judges any agent; the stores side by side.
const CONFORMANCE: &[&str] = &["-p", "testbed", "--test", "conformance"];

/// What leaves out the stores that were not asked for: by the names of their tests, since a name to filter by would be one
/// more beside the user's, and what fits either is run.
fn skipped(asked: &[Store]) -> Vec<&'static str> {
    let others = Store::value_variants().iter().filter(|store| !asked.contains(store));
    others.flat_map(|store| ["--skip", store.conformance()]).collect()
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
    let missing: Vec<_> = needed(&stores)
        .into_iter()
        .filter_map(|program| program.find().err())
        .collect();
    if !missing.is_empty() {
        let all: Vec<_> = missing.iter().map(ToString::to_string).collect();
        anyhow::bail!("live tests cannot run.\n{}", all.join("\n"));
    }
    stores.iter().try_for_each(|store| store.fetch())?;
    // Set by `cargo run`: the same cargo, not whichever comes first on the PATH.
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut worst = 0;
    let own = |store: &Store| {
        let more: Vec<_> = store.at_once().filter(|_| !is_told(&arguments)).into_iter().collect();
        store.tests().iter().map(move |tests| (*tests, more.clone()))
    };
    let all = stores.iter().flat_map(own).chain([(CONFORMANCE, skipped(&stores))]);
    for (tests, more) in all {
        let mut command = Command::new(&cargo);
        command
            .arg("test")
            .args(tests)
            .args(["--", "--ignored"])
            .args(more)
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

/// Whether the user says how many tests run at once.
fn is_told(arguments: &[OsString]) -> bool {
    let told = |argument: &OsString| argument.to_string_lossy().starts_with("--test-threads");
    arguments.iter().any(told)
}

/// What these stores' tests cannot do without, each once.
fn needed(stores: &[Store]) -> Vec<Program> {
    let mut needed = Vec::new();
    for program in stores.iter().flat_map(|store| store.programs()) {
        if !needed.contains(program) {
            needed.push(*program);
        }
    }
    needed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_demanded_only_by_the_stores_that_need_it() {
        let java = [Program::Java, Program::Maven];
        assert_eq!(needed(&[Store::MongoDb]), [Program::Python]);
        assert_eq!(needed(&[Store::ZooKeeper]), java);
        assert_eq!(needed(&[Store::Kafka, Store::ZooKeeper]), java);
        let all = needed(Store::value_variants());
        assert_eq!(all, [Program::Java, Program::Maven, Program::Python]);
    }

    #[test]
    fn a_store_is_asked_for_by_the_name_that_testbed_up_knows() {
        let asked = Cli::try_parse_from(["live-test", "zookeeper", "kafka", "mongodb"]).unwrap();
        assert_eq!(asked.stores, Store::value_variants());
    }

    #[test]
    fn of_the_conformance_tests_only_those_of_the_asked_stores_are_left() {
        let [zookeeper, kafka] = [Store::ZooKeeper.conformance(), Store::Kafka.conformance()];
        assert_eq!(skipped(&[Store::MongoDb]), ["--skip", zookeeper, "--skip", kafka]);
        assert_eq!(skipped(Store::value_variants()), [""; 0]);
    }

    #[test]
    fn what_the_user_says_of_threads_is_said_once() {
        assert!(is_told(&["--nocapture".into(), "--test-threads=1".into()]));
        assert!(is_told(&["--test-threads".into(), "1".into()]) && !is_told(&["states".into()]));
    }
}
