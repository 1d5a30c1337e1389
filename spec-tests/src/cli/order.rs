//! What `run` takes, once it was found to make sense.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use clap::ColorChoice;
use thiserror::Error;

use super::options::Run;
use super::outputs::{Colour, Outputs};
use super::secret::{self, SecretError, Secrets};
use crate::client::{Address, AddressError, Tls, TlsError};
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
    #[error("{0}")]
    Address(#[from] AddressError),
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
    #[error("{option} {path}: it cannot be read: {reason}")]
    Unreadable {
        option: &'static str,
        path: String,
        reason: String,
    },
    #[error("{0}: it begins with https, and --ca-file has to say whom to trust")]
    NoAuthority(Address),
    #[error("--ca-file, --client-certificate, --client-key: {0}")]
    Tls(#[from] TlsError),
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
            header_file,
            ca_file,
            client_certificate,
            client_key,
            kill_command,
            restart_command,
            cluster_actions,
            absent_node,
            report,
            baseline,
            color,
            quiet,
        } = run;
        let agents = address.into_iter().chain(agent).map(|text| text.parse());
        let agents: Vec<Address> = agents.collect::<Result<_, _>>()?;
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
        let given = secret::Given {
            token_files: &token_file,
            variable: env::var_os(secret::VARIABLE),
            headers: &header,
            header_files: &header_file,
        };
        let Secrets { common, own } = given.read(agents.len())?;
        let tls = tls(&agents, ca_file, client_certificate.zip(client_key))?;
        Ok(Self {
            agents,
            settings: Settings {
                level,
                // In the order of reports, however they were asked for.
                dialects: dialect.into_iter().collect::<BTreeSet<_>>().into_iter().collect(),
                observe,
                timeout,
                deadline,
                credentials: common,
                own,
                tls,
                absent_node,
                crash,
            },
            repeat,
            baseline: baseline.as_deref().map(accepted).transpose()?,
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

/// For addresses that begin with `https`; whom to trust is never taken from the system.
fn tls(
    agents: &[Address],
    authorities: Option<PathBuf>,
    own: Option<(PathBuf, PathBuf)>,
) -> Result<Option<Tls>, OrderError> {
    let Some(authorities) = authorities else {
        return match agents.iter().find(|agent| agent.is_secure()) {
            Some(agent) => Err(OrderError::NoAuthority(agent.clone())),
            None => Ok(None),
        };
    };
    let authorities = read("--ca-file", &authorities)?;
    let own = match own {
        None => None,
        Some((certificate, key)) => Some((read("--client-certificate", &certificate)?, read("--client-key", &key)?)),
    };
    let own = own
        .as_ref()
        .map(|(certificate, key)| (certificate.as_slice(), key.as_slice()));
    Ok(Some(Tls::new(&authorities, own)?))
}

fn accepted(path: &Path) -> Result<Baseline, OrderError> {
    let text = read("--baseline", path)?;
    Baseline::parse(&String::from_utf8_lossy(&text)).map_err(|fault| OrderError::Baseline {
        path: path.display().to_string(),
        fault,
    })
}

fn read(option: &'static str, path: &Path) -> Result<Vec<u8>, OrderError> {
    fs::read(path).map_err(|fault| OrderError::Unreadable {
        option,
        path: path.display().to_string(),
        reason: fault.to_string(),
    })
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
