//! The figures of the promises P1 to P6 and P8, each beside its yardstick from the same run.
//!
//! A time says little on hardware that others use as well, so nothing here is told without what the same machine can do
//! at best: `SQLite` alone, a bare route. Figure and yardstick take turns, round by round, and the ratio that is told is
//! the median of the rounds' own: a machine that slows down halfway slows both. The agent is a real one, in a process of
//! its own, with the profile that is shipped and its logs on; its state directory is on the disk that holds the build.
//!
//! It measures and does not judge: it exits with 0 also where a target is missed. See `docs/performance.md`.

mod actions;
mod children;
mod counting;
mod load;
mod observations;
mod report;
mod roles;
mod rounds;
mod scheduling;
mod sizes;
mod sqlite;

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::Parser;

use children::Agent;
use report::{Figure, Report};

/// Measures P1 to P6 and P8 of the promises against their yardsticks.
#[derive(Debug, Parser)]
#[command(name = "ratios")]
struct Arguments {
    /// Prints a JSON document instead of a table.
    #[arg(long)]
    json: bool,
    /// Only these, such as P1,P4.
    #[arg(long, value_delimiter = ',', ignore_case = true)]
    only: Vec<Promise>,
    /// Seconds for each side of each promise, about.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Turns of figure and yardstick of P5; the others take as many as fit.
    #[arg(long, default_value_t = 21, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// What cargo says to a benchmark.
    #[arg(long, hide = true)]
    bench: bool,
    /// What this process is to be, when the benchmark starts itself again.
    #[command(subcommand)]
    role: Option<roles::Role>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Promise {
    P1,
    P2,
    P3,
    P4,
    P5,
    P6,
    P8,
}

/// How much to measure, where, and with what.
pub(crate) struct Plan {
    seconds: u64,
    rounds: u32,
    directory: PathBuf,
    agent: PathBuf,
    store: PathBuf,
}

impl Plan {
    /// Time for one side of one round.
    fn round(&self) -> Duration {
        Duration::from_secs(self.seconds) / self.rounds
    }

    /// Time for both sides of a promise.
    fn both(&self) -> Duration {
        Duration::from_secs(2 * self.seconds)
    }

    /// An agent on a new state directory in this one, beside a node that is not there: nobody asks for it.
    fn agent(&self, directory: &Path) -> anyhow::Result<Agent> {
        Agent::start(&self.agent, directory, SocketAddr::from(([127, 0, 0, 1], 9)))
    }

    /// An empty directory on a real disk, removed with its handle.
    fn directory(&self) -> anyhow::Result<tempfile::TempDir> {
        Ok(tempfile::tempdir_in(&self.directory)?)
    }
}

/// Says what is measured while it is, on standard error.
pub(crate) fn progress(text: &str) {
    // Nobody who cannot read it misses a figure.
    drop(writeln!(std::io::stderr(), "ratios: {text}"));
}

fn main() -> anyhow::Result<()> {
    let Arguments {
        json,
        only,
        seconds,
        rounds,
        bench: _,
        role,
    } = Arguments::parse();
    if let Some(role) = role {
        return role.play();
    }
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ratios");
    std::fs::create_dir_all(&directory).context("no place to measure in")?;
    progress("builds the toy store and its agent");
    let plan = Plan {
        seconds,
        rounds,
        directory,
        agent: children::example("toy-agent")?,
        store: children::example("toy-store")?,
    };
    let report = Report::new(&plan.directory, measure(&plan, &only)?)?;
    let printed = if json { report.document()? } else { report.table() };
    writeln!(std::io::stdout(), "{printed}").context("cannot say what was measured")
}

fn measure(plan: &Plan, only: &[Promise]) -> anyhow::Result<Vec<Figure>> {
    let wanted = |promises: &[Promise]| only.is_empty() || promises.iter().any(|promise| only.contains(promise));
    let mut figures = Vec::new();
    if wanted(&[Promise::P1]) {
        figures.push(scheduling::many_clients(plan)?);
    }
    if wanted(&[Promise::P2, Promise::P4]) {
        // One loop gives both: the same yardstick, and the answer is on the way to the end.
        let [answered, done] = scheduling::one_client(plan)?;
        figures.extend(wanted(&[Promise::P2]).then_some(answered));
        figures.extend(wanted(&[Promise::P4]).then_some(done));
    }
    if wanted(&[Promise::P3]) {
        figures.push(actions::run_in_a_row(plan)?);
    }
    if wanted(&[Promise::P5]) {
        figures.extend(observations::beside_a_bare_route(plan)?);
    }
    if wanted(&[Promise::P6]) {
        figures.push(observations::a_thousand_at_once(plan)?);
    }
    if wanted(&[Promise::P8]) {
        figures.extend(sizes::idle(plan)?);
    }
    figures.sort_by_key(|figure| figure.promise);
    Ok(figures)
}
