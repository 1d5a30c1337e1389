//! The commands and their options.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use uuid::Uuid;

use super::Program;
use crate::spec::NodeState;

/// Agent beside a node of a data store.
#[derive(Debug, Parser)]
#[command(arg_required_else_help = true, disable_help_subcommand = true, max_term_width = 100)]
pub(super) struct Args {
    /// Configuration file [default: ./agent.yaml, else /etc/NAME/agent.yaml]
    #[arg(
        long,
        value_name = "FILE",
        global = true,
        env = "AGENT_CONFIG",
        hide_env_values = true
    )]
    pub(super) config: Option<PathBuf>,
    /// Print for programs, in JSON
    #[arg(long, global = true)]
    pub(super) json: bool,
    #[arg(
        long,
        global = true,
        help = "Address of the agent, http://HOST:PORT [default: the configuration's]"
    )]
    pub(super) url: Option<String>,
    /// File with the token to show to the agent [default: the local agent's own, where it can be read]
    #[arg(long, value_name = "FILE", global = true)]
    pub(super) token_file: Option<PathBuf>,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the agent until it is told to stop
    Run,
    /// Look at configuration, state directory and store, and say what is wrong
    Check,
    /// Show the node: who it is and how it is
    Node,
    /// Show the shards on the node
    Shards,
    /// Run and follow actions on the node
    #[command(subcommand)]
    Actions(Actions),
    /// Print what a configuration can say
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print a script that completes this command line in a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Print a commented configuration file to begin with
    Example,
    /// Print the configuration's JSON Schema
    Schema,
}

#[derive(Debug, Subcommand)]
pub(super) enum Actions {
    /// List actions: those that wait or run, then those that have ended
    List {
        /// List every action that is kept
        #[arg(long, conflicts_with = "limit")]
        all: bool,
        /// List at most this many of either
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
        limit: u16,
    },
    /// Show an action
    Show {
        /// Its id
        id: Uuid,
        /// Show every step it took
        #[arg(long)]
        history: bool,
    },
    /// Show what an action would do now, without doing it
    Plan {
        /// Kind of action, such as agent.replicante.io/cluster.init
        kind: String,
        #[command(flatten)]
        input: Input,
    },
    /// Schedule an action
    Run(Box<Run>),
    /// Ask for an action's end
    Cancel {
        /// Its id
        id: Uuid,
    },
    /// List the kinds of actions that the agent knows
    Kinds,
}

#[derive(Debug, clap::Args)]
pub(super) struct Run {
    /// Kind of action, such as agent.replicante.io/test.success
    pub(super) kind: String,
    #[command(flatten)]
    pub(super) input: Input,
    /// Id for the action: a repeated command with the same id schedules nothing twice
    #[arg(long)]
    pub(super) id: Option<Uuid>,
    /// Note to keep with the action; may be repeated
    #[arg(long = "header", value_name = "KEY=VALUE", value_parser = pair)]
    pub(super) headers: Vec<(String, String)>,
    /// Running time that the action has, such as 90s, 5m or 2h; at most its kind's own
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    pub(super) deadline: Option<u32>,
    /// Act only if the node is in this state; may be repeated for one of several
    #[arg(long = "require-status", value_name = "STATUS", value_parser = status)]
    pub(super) statuses: Vec<NodeState>,
    /// Follow the action to its end
    #[arg(long)]
    pub(super) watch: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Input {
    /// Arguments of the action as one JSON document
    #[arg(long, value_name = "JSON", conflicts_with = "arg")]
    pub(super) args: Option<String>,
    /// One argument of the action: JSON, or else text; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub(super) arg: Vec<(String, String)>,
}

/// Reads a command line.
pub(super) fn parse(program: &dyn Program, line: impl IntoIterator<Item = OsString>) -> Result<Args, clap::Error> {
    let matches = command(program).try_get_matches_from(line)?;
    Args::from_arg_matches(&matches)
}

/// The whole command line's description.
pub(super) fn command(program: &dyn Program) -> clap::Command {
    // clap wants words that live as long as the process, and there is one of these in each.
    let version: &'static str = program.version().leak();
    Args::command()
        .name(program.name())
        .bin_name(program.name())
        .version(version)
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("it has to be KEY=VALUE".to_owned()),
    }
}

fn seconds(text: &str) -> Result<u32, String> {
    let wrong = || "it has to be a number of seconds, minutes or hours, such as 90s, 5m or 2h".to_owned();
    let (digits, factor) = match text.strip_suffix(['s', 'm', 'h']) {
        Some(digits) if text.ends_with('m') => (digits, 60),
        Some(digits) if text.ends_with('h') => (digits, 3_600),
        Some(digits) => (digits, 1),
        None => (text, 1),
    };
    let number: u32 = digits.parse().map_err(|_| wrong())?;
    number
        .checked_mul(factor)
        .filter(|seconds| *seconds > 0)
        .ok_or_else(wrong)
}

fn status(text: &str) -> Result<NodeState, String> {
    let known = NodeState::ALL
        .iter()
        .find(|state| state.name().eq_ignore_ascii_case(text));
    known.copied().ok_or_else(|| {
        let names: Vec<_> = NodeState::ALL.iter().map(|state| state.name()).collect();
        format!("it has to be one of {}", names.join(", "))
    })
}
