//! `testbed up` and `testbed down`: real stores in the background.

mod up;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use testbed::background;

/// Starts real stores for trying things out. Development only.
#[derive(Debug, Parser)]
#[command(name = "testbed", max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start a cluster and leave it running in the background.
    #[command(subcommand)]
    Up(Store),
    /// End the cluster that `up` started, and remove its files.
    Down(Place),
}

#[derive(Debug, Subcommand)]
enum Store {
    /// Apache ZooKeeper, fetched by Maven.
    #[command(name = "zookeeper")]
    ZooKeeper(up::ZooKeeper),
    /// Apache Kafka in `KRaft` mode, fetched by Maven.
    #[command(name = "kafka")]
    Kafka(up::Kafka),
    /// MongoDB, fetched by pip.
    #[command(name = "mongodb")]
    MongoDb(up::MongoDb),
}

#[derive(Args, Debug)]
struct Place {
    /// Where the cluster is kept [default: `run` in the cache directory].
    #[arg(long, value_name = "DIRECTORY")]
    dir: Option<PathBuf>,
}

impl Place {
    fn resolve(&self) -> anyhow::Result<PathBuf> {
        self.dir
            .clone()
            .map_or_else(|| Ok(background::default_directory()?), Ok)
    }

    /// The command that ends the cluster.
    fn down(&self) -> String {
        let dir = self.dir.as_ref().map(|dir| format!(" --dir {}", dir.display()));
        format!("cargo testbed down{}", dir.unwrap_or_default())
    }
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("testbed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Up(Store::ZooKeeper(options)) => options.up(),
        Command::Up(Store::Kafka(options)) => options.up(),
        Command::Up(Store::MongoDb(options)) => options.up(),
        Command::Down(place) => {
            let run = place.resolve()?;
            let ended = background::down(&run)?;
            println!(
                "ended {ended} server{} and removed the files in {}",
                up::plural(ended),
                run.display()
            );
            Ok(())
        }
    }
}
