//! `cargo demo [STORE] [--stay]`: the whole story of an agent, told by real processes and checked as it goes.
//!
//! Exits with 0 when everything was seen, 1 when something was not, 2 when it was asked for wrongly, 130 when it was
//! interrupted before its end.

use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use testbed::demo::{self, Outcome};

/// Shows agents at work: three nodes of a store and an agent beside each, from the first node of a cluster to the
/// removal of a dead one. Everything goes through the agents' HTTP interface, and is checked.
#[derive(Debug, Parser)]
#[command(name = "demo", bin_name = "cargo demo", max_term_width = 100)]
struct Cli {
    /// Which store to tell the story of.
    #[arg(value_enum, default_value_t = Store::Toy)]
    store: Store,
    /// Leave everything running at the end, with lines of curl to try, until Ctrl-C.
    #[arg(long)]
    stay: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Store {
    /// The toy store of this repository: needs nothing else.
    Toy,
    /// Real ZooKeeper servers: needs Java, and Maven to get them once.
    #[value(name = "zookeeper")]
    ZooKeeper,
    /// Real Kafka nodes: needs Java 17, and Maven to get them once.
    Kafka,
    /// Real MongoDB servers: needs Python with pip to get them once.
    #[value(name = "mongodb")]
    MongoDb,
}

fn main() -> ExitCode {
    let Cli { store, stay } = Cli::parse();
    let outcome = match store {
        Store::Toy => demo::toy(stay),
        Store::ZooKeeper => demo::zookeeper(stay),
        Store::Kafka => demo::kafka(stay),
        Store::MongoDb => demo::mongodb(stay),
    };
    match outcome {
        Outcome::Seen => ExitCode::SUCCESS,
        Outcome::Unexpected => ExitCode::FAILURE,
        Outcome::Interrupted => ExitCode::from(130),
    }
}
