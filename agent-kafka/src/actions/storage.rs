//! From a blank disk to a process that answers: the way that `cluster.init` and `cluster.join` have in common. Deciding is
//! pure.

use std::fmt;
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use agent_sdk::action::ActionError;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::outcome::{of_command, unanswered};
use crate::command;
use crate::config::Validated;
use crate::node::{Facts, is_absence};
use crate::storage::Storage;

/// A step on the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Up {
    /// Format the storage.
    Format {
        /// For this cluster.
        cluster_id: String,
        /// As its first node, or as one that is to join.
        first: bool,
    },
    /// Start the process.
    Start,
}

impl fmt::Display for Up {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Format {
                cluster_id,
                first: true,
            } => {
                write!(f, "format the storage as the first node of cluster {cluster_id}")
            }
            Self::Format {
                cluster_id,
                first: false,
            } => write!(f, "format the storage for cluster {cluster_id}"),
            Self::Start => f.write_str("start the process"),
        }
    }
}

/// What to do next on the way.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// This.
    Do(Up),
    /// Wait for this.
    Wait(String),
    /// The process answers.
    There,
}

/// How long a process that was started may take to answer before it is started again: a broker that cannot register gives
/// up after a minute.
const STARTING: Duration = Duration::from_secs(75);

/// For a disk that answers at all.
const READING: Duration = Duration::from_secs(5);

/// What the decision needs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Given<'a> {
    /// What was seen of the node.
    pub(super) facts: &'a Facts,
    /// The step before.
    pub(super) last: Option<&'a Up>,
    /// The cluster that the node is to be in.
    pub(super) cluster_id: &'a str,
    /// As its first node, or as one that is to join.
    pub(super) first: bool,
    /// Whether the agent can start the process.
    pub(super) starts: bool,
    /// Whether this agent has started it just now.
    pub(super) started: bool,
}

/// Decides.
///
/// **Errors**: storage that is another cluster's, or cannot be read: nothing is ever formatted over.
pub(super) fn decide(given: &Given<'_>) -> Result<Way, ActionError> {
    let Given {
        facts,
        last,
        cluster_id,
        first,
        starts,
        started,
    } = *given;
    let format = || Up::Format {
        cluster_id: cluster_id.to_owned(),
        first,
    };
    match &facts.storage {
        Storage::Unknown => {
            return Err(ActionError::last(
                "not_configured",
                "the agent does not know where the log directories are: set store.log_directories",
            ));
        }
        Storage::Unclear(reason) => return Err(ActionError::retry("storage_unclear", reason.clone())),
        // Only what this action has begun is known to have been begun in the same way.
        Storage::Partial(_) if last == Some(&format()) => return Ok(Way::Do(format())),
        Storage::Partial(of) => {
            let of = of.as_deref().unwrap_or("an unknown cluster");
            return Err(ActionError::last(
                "storage_partial",
                format!(
                    "some of the log directories are formatted, for {of}, and others are not: wipe them, or format the rest"
                ),
            ));
        }
        Storage::Blank(_) if facts.is_anybody_there() => {
            return Err(ActionError::retry(
                "storage_unclear",
                "the log directories are not formatted, and a process listens: they are not those of this process, or are not \
                 mounted",
            ));
        }
        Storage::Blank(_) => return Ok(Way::Do(format())),
        Storage::Formatted(formatted) => {
            let of = formatted.cluster_id.as_deref().unwrap_or("an unknown cluster");
            if of != cluster_id {
                return Err(ActionError::last(
                    "other_cluster",
                    format!("the storage is formatted for {of}, and not for {cluster_id}: nothing is formatted over"),
                ));
            }
        }
    }
    if facts.versions().is_some() {
        return Ok(Way::There);
    }
    // It runs, and does not let the agent in, or is something else: to start it helps nobody.
    if let Some(error) = facts.errors().find(|error| !is_absence(error)) {
        return Err(unanswered(error));
    }
    if facts.is_anybody_there() {
        return Ok(Way::Wait("a process listens, and does not answer".to_owned()));
    }
    Ok(match (starts, started) {
        (true, false) => Way::Do(Up::Start),
        (true, true) => Way::Wait("the process starts".to_owned()),
        (false, _) => {
            Way::Wait("the process is to be started by its operator: store.start_command is not set".to_owned())
        }
    })
}

/// When this agent has started the process last.
#[derive(Debug, Default)]
pub(super) struct Started(std::sync::Mutex<Option<Instant>>);

impl Started {
    /// Whether that was just now.
    pub(super) fn is_recent(&self) -> bool {
        let when = *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        when.is_some_and(|when| when.elapsed() < STARTING)
    }

    fn set(&self) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(Instant::now());
    }
}

/// Applies a step.
pub(super) async fn apply(process: &Validated, step: &Up, started: &Started) -> Result<(), ActionError> {
    let within = process.timeouts.command();
    match step {
        Up::Format { cluster_id, first } => {
            let claim = claim(&process.log_directories)?;
            // What was under way when this was decided may have come to its end.
            let storage = read(&process.log_directories).await?;
            if storage.format().is_some() {
                return Ok(());
            }
            let kind = if *first {
                "--standalone"
            } else {
                "--no-initial-controllers"
            };
            let mut more = vec!["--cluster-id", cluster_id.as_str(), kind];
            if matches!(storage, Storage::Partial(_)) {
                more.push("--ignore-formatted");
            }
            let ran = command::run(
                &process.format_command,
                &more,
                "store.format_command",
                Some(claim),
                within,
            )
            .await;
            ran.map_err(|error| of_command(&error))
        }
        Up::Start => {
            let ran = command::run(&process.start_command, &[], "store.start_command", None, within).await;
            // Also one that was refused, since the process runs: what counts is whether it answers.
            started.set();
            ran.map_err(|error| of_command(&error))
        }
    }
}

/// Reads the directories, whose disk may hang.
async fn read(directories: &[PathBuf]) -> Result<Storage, ActionError> {
    let directories = directories.to_vec();
    let reading = tokio::task::spawn_blocking(move || Storage::read(&directories));
    let read = tokio::time::timeout(READING, reading).await;
    let late = || ActionError::retry("storage_unclear", "the log directories cannot be read in time");
    read.ok().and_then(Result::ok).ok_or_else(late)
}

/// Claims the right to format this storage. The command holds it for as long as it runs, also when the agent was killed
/// meanwhile: two at a time would each write a directory's id, and the metadata log of one would be in the directory of the
/// other.
///
/// It is a socket by a name of the storage's, which the kernel gives to one at a time and takes back when nobody has it open:
/// nothing is written, no rights are needed, and nothing is left behind.
fn claim(directories: &[PathBuf]) -> Result<OwnedFd, ActionError> {
    let unclear = |error: std::io::Error| {
        ActionError::retry(
            "storage_unclear",
            format!("the log directories cannot be claimed: {error}"),
        )
    };
    let mut digest = Sha256::new();
    for directory in directories {
        digest.update(directory.as_os_str().as_encoded_bytes());
        digest.update(b"\0");
    }
    let name = format!("agent-kafka/format/{}", URL_SAFE_NO_PAD.encode(digest.finalize()));
    let address = SocketAddr::from_abstract_name(name).map_err(unclear)?;
    match UnixListener::bind_addr(&address) {
        Ok(socket) => Ok(socket.into()),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => Err(ActionError::retry(
            "format_under_way",
            "the log directories are claimed: a command that formats them is still under way",
        )),
        Err(error) => Err(unclear(error)),
    }
}

#[cfg(test)]
mod tests;
