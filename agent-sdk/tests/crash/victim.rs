//! The agent that is killed: its actions say what they do in a journal, and die where they are told to.

use std::fs::OpenOptions;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use agent_sdk::action::{Action, ActionError, Invocation, Kind};
use agent_sdk::agent::Agent;
use agent_sdk::spec::WellKnown;
use agent_sdk::testing::Scripted;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::store::Looks;

/// Set for the process that is to be the agent.
pub const VARIABLE: &str = "AGENT_SDK_TEST_VICTIM";

pub const STEPS: &str = "example.org/steps";
pub const BLOCK: &str = "example.org/block";
pub const DIE: &str = "example.org/die";

#[derive(Deserialize, JsonSchema)]
struct Config {
    /// Where the journal is written.
    journal: PathBuf,
    /// Where the store listens; without it, one is made up.
    #[serde(default)]
    store: Option<SocketAddr>,
}

pub fn main() -> ExitCode {
    agent_sdk::main(agent_sdk::about!(), |Config { journal, store }| {
        Ok(
            Agent::new(store.map_or_else(|| Looks::Nowhere(Scripted::new()), Looks::At))
                .action(Steps {
                    journal: journal.clone(),
                })
                .action(Block)
                .action(Die { journal })
                .without(WellKnown::ClusterInit, "it is alone", "start it")
                .without(WellKnown::ClusterAdd, "it is alone", "start it")
                .without(WellKnown::ClusterJoin, "it is alone", "start it")
                .without(WellKnown::ClusterRemove, "it is alone", "stop it"),
        )
    })
}

/// Adds one line; a line is written whole or not at all.
fn write(journal: &Path, line: &str) {
    let mut file = OpenOptions::new().create(true).append(true).open(journal).unwrap();
    file.write_all(format!("{line}\n").as_bytes()).unwrap();
}

fn die() -> ! {
    rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL).unwrap();
    loop {
        std::thread::park();
    }
}

/// Where a handler of [`Steps`] dies, in its first attempt only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Moment {
    /// Before it does the step.
    Before,
    /// After it, before the checkpoint.
    Done,
    /// After the checkpoint.
    Recorded,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepArgs {
    /// How many.
    pub steps: u32,
    /// Where to die.
    #[serde(default)]
    pub death: Option<(u32, Moment)>,
    /// Pause before each step, in milliseconds.
    #[serde(default)]
    pub pause_ms: u64,
}

struct Steps {
    journal: PathBuf,
}

impl Kind for Steps {
    const KIND: &'static str = STEPS;
    const SUMMARY: &'static str = "Writes a line for each step.";
    const DEADLINE: Duration = Duration::from_secs(600);
    type Args = StepArgs;
    type Output = u32;
}

impl Action for Steps {
    async fn run(&self, args: &StepArgs, invocation: &mut Invocation) -> Result<u32, ActionError> {
        let (id, attempt) = (invocation.id(), invocation.attempt());
        let mut done: u32 = invocation.last_checkpoint()?.unwrap_or(0);
        write(&self.journal, &format!("begin {id} {attempt}"));
        while done < args.steps {
            let step = done + 1;
            let dies = |moment| attempt == 1 && args.death == Some((step, moment));
            if args.pause_ms > 0 {
                invocation.pause(Duration::from_millis(args.pause_ms)).await?;
            }
            if dies(Moment::Before) {
                die();
            }
            write(&self.journal, &format!("step {id} {step}"));
            if dies(Moment::Done) {
                die();
            }
            invocation.checkpoint(&step).await?;
            if dies(Moment::Recorded) {
                die();
            }
            done = step;
        }
        write(&self.journal, &format!("end {id} {attempt}"));
        Ok(done)
    }
}

struct Block;

#[derive(Deserialize, JsonSchema)]
struct Nothing {}

impl Kind for Block {
    const KIND: &'static str = BLOCK;
    const SUMMARY: &'static str = "Blocks its thread for good.";
    const DEADLINE: Duration = Duration::from_secs(60);
    type Args = Nothing;
    type Output = ();
}

impl Action for Block {
    async fn run(&self, _: &Nothing, _: &mut Invocation) -> Result<(), ActionError> {
        loop {
            std::thread::park();
        }
    }
}

struct Die {
    journal: PathBuf,
}

impl Kind for Die {
    const KIND: &'static str = DIE;
    const SUMMARY: &'static str = "Kills its agent.";
    const DEADLINE: Duration = Duration::from_secs(60);
    type Args = Nothing;
    type Output = ();
}

impl Action for Die {
    async fn run(&self, _: &Nothing, invocation: &mut Invocation) -> Result<(), ActionError> {
        write(
            &self.journal,
            &format!("begin {} {}", invocation.id(), invocation.attempt()),
        );
        die()
    }
}
