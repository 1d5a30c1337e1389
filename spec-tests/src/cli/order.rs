//! What `run` takes, once it was found to make sense.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io::{self, IsTerminal};
use std::path::Path;

use clap::ColorChoice;
use thiserror::Error;

use super::options::Run;
use super::outputs::{Colour, Outputs};
use super::secret::{self, SecretError};
use crate::client::Address;
use crate::gather::Crash;
use crate::report::{Baseline, BaselineError};
use crate::suite::Settings;
use crate::verdict::Level;

/// A run that can begin.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) agents: Vec<Address>,
    pub(super) settings: Settings,
    pub(super) repeat: u32,
    pub(super) baseline: Option<Baseline>,
    pub(super) outputs: Outputs,
    pub(super) colour: Colour,
    pub(super) quiet: bool,
}

/// Why it cannot.
#[derive(Debug, Error)]
pub(super) enum OrderError {
    #[error("--agent {0}: it is there twice, and two nodes of a cluster have two agents")]
    SameAgent(Address),
    #[error("{option} needs --level {least}: at level {level} nothing of the kind is done")]
    Level {
        option: &'static str,
        least: Level,
        level: Level,
    },
    #[error("{0} is empty")]
    Empty(&'static str),
    #[error("--observe has to be shorter than --deadline, which ends the run")]
    Observe,
    #[error("{0}")]
    Secret(#[from] SecretError),
    #[error("--baseline {path}: it cannot be read: {reason}")]
    Unreadable { path: String, reason: String },
    #[error("--baseline {path}: {fault}")]
    Baseline { path: String, fault: BaselineError },
    #[error("{0}")]
    Outputs(String),
}

impl TryFrom<Run> for Order {
    type Error = OrderError;

    fn try_from(run: Run) -> Result<Self, OrderError> {
        let Run {
            address,
            agent,
            level,
            dialect,
            observe,
            repeat,
            timeout,
            deadline,
            token_file,
            header,
            kill_command,
            restart_command,
            cluster_actions,
            absent_node,
            report,
            baseline,
            color,
            quiet,
        } = run;
        let agents: Vec<Address> = address.into_iter().chain(agent).collect();
        each_once(&agents)?;
        at_least(level, Level::Stress, kill_command.is_some(), "--kill-command")?;
        at_least(level, Level::Actions, cluster_actions, "--cluster-actions")?;
        if observe >= deadline {
            return Err(OrderError::Observe);
        }
        let crash = match (kill_command, restart_command) {
            (Some(kill), Some(restart)) => Some(Crash {
                kill: filled("--kill-command", kill)?,
                restart: filled("--restart-command", restart)?,
            }),
            _ => None,
        };
        let absent_node = absent_node.map(|node| filled("--absent-node", node)).transpose()?;
        let variable = env::var(secret::VARIABLE).ok();
        let credentials = secret::credentials(token_file.as_deref(), variable.as_deref(), &header)?;
        Ok(Self {
            agents,
            settings: Settings {
                level,
                // In the order of reports, however they were asked for.
                dialects: dialect.into_iter().collect::<BTreeSet<_>>().into_iter().collect(),
                observe,
                timeout,
                deadline,
                credentials,
                absent_node,
                crash,
                ..Settings::default()
            },
            repeat,
            baseline: baseline.as_deref().map(read).transpose()?,
            // The last to be looked at: nothing is made empty for a command line that makes no sense.
            outputs: Outputs::open(&report, quiet).map_err(OrderError::Outputs)?,
            colour: colour(color),
            quiet,
        })
    }
}

fn each_once(agents: &[Address]) -> Result<(), OrderError> {
    let repeated = |(number, agent): (usize, &Address)| agents[..number].contains(agent).then(|| agent.clone());
    match agents.iter().enumerate().find_map(repeated) {
        Some(agent) => Err(OrderError::SameAgent(agent)),
        None => Ok(()),
    }
}

fn at_least(level: Level, least: Level, asked: bool, option: &'static str) -> Result<(), OrderError> {
    if asked && level < least {
        return Err(OrderError::Level { option, least, level });
    }
    Ok(())
}

fn filled(option: &'static str, text: String) -> Result<String, OrderError> {
    if text.trim().is_empty() {
        return Err(OrderError::Empty(option));
    }
    Ok(text)
}

fn read(path: &Path) -> Result<Baseline, OrderError> {
    let shown = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|fault| OrderError::Unreadable {
        path: shown.clone(),
        reason: fault.to_string(),
    })?;
    Baseline::parse(&text).map_err(|fault| OrderError::Baseline { path: shown, fault })
}

/// Files are coloured only where that is insisted on; <https://no-color.org> has a say where nothing is.
fn colour(choice: ColorChoice) -> Colour {
    let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
    Colour {
        printed: match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => io::stdout().is_terminal() && !is_set("NO_COLOR") && !is_dumb,
        },
        in_files: choice == ColorChoice::Always,
    }
}
