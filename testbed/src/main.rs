//! `testbed up` and `testbed down`: real stores in the background.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use testbed::background::{self, Running};
use testbed::zookeeper::{Cluster, Layout, Release};

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
    ZooKeeper(ZooKeeper),
}

#[derive(Args, Debug)]
struct Place {
    /// Where the cluster is kept [default: `run` in the cache directory].
    #[arg(long, value_name = "DIRECTORY")]
    dir: Option<PathBuf>,
}

#[derive(Args, Debug)]
struct ZooKeeper {
    /// How many servers.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=9))]
    nodes: u32,
    /// Which release: 3.9.5 or 3.8.6.
    #[arg(long, value_name = "RELEASE", default_value_t = Release::default())]
    version: Release,
    /// Only zk-1 is an ensemble (of one); the others wait outside it, to be joined.
    #[arg(long)]
    blank: bool,
    /// Let only the user `super` with this password change the ensemble; without it, everybody may (skipACL).
    #[arg(long, value_name = "PASSWORD")]
    super_password: Option<String>,
    /// How many seconds the servers may take to come up.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    within: u64,
    #[command(flatten)]
    place: Place,
}

impl Place {
    fn resolve(self) -> anyhow::Result<PathBuf> {
        self.dir.map_or_else(|| Ok(background::default_directory()?), Ok)
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
        Command::Up(Store::ZooKeeper(options)) => up(options),
        Command::Down(place) => {
            let run = place.resolve()?;
            let ended = background::down(&run)?;
            println!(
                "ended {ended} server{} and removed the files in {}",
                plural(ended),
                run.display()
            );
            Ok(())
        }
    }
}

fn up(options: ZooKeeper) -> anyhow::Result<()> {
    let ZooKeeper {
        nodes,
        version,
        blank,
        super_password,
        within,
        place,
    } = options;
    let given = place.dir.clone();
    let run = place.resolve()?;
    let layout = if blank { Layout::Blank } else { Layout::Ensemble };
    let mut builder = Cluster::builder(nodes).release(version).layout(layout);
    builder = match &super_password {
        Some(password) => builder.super_password(password),
        None => builder.skip_acl(true),
    };
    let running = background::up_zookeeper(&run, builder, Duration::from_secs(within))?;
    print(&running, blank);
    let down = given.map_or_else(String::new, |dir| format!(" --dir {}", dir.display()));
    println!("\nEnd it with: cargo testbed down{down}");
    Ok(())
}

fn print(running: &Running, blank: bool) {
    let Running {
        store,
        version,
        directory,
        nodes,
    } = running;
    println!(
        "{store} {version}, {} node{}, in {}\n",
        nodes.len(),
        plural(nodes.len()),
        directory.display()
    );
    println!(
        "{:<6} {:<16} {:<9} {:<8} member address",
        "node", "client", "mode", "pid"
    );
    for (place, node) in nodes.iter().enumerate() {
        // Such a server calls itself a follower or an observer; that is not what it is to the ensemble.
        let mode = if blank && place > 0 { "outside" } else { &node.mode };
        println!(
            "{:<6} {:<16} {mode:<9} {:<8} {}",
            node.name, node.client, node.process.pid, node.member
        );
    }
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}
