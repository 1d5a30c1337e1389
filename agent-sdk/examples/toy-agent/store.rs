//! The client of the toy store: a request is one line of JSON, its answer another.
//!
//! Guarantees: every exchange ends within its deadline, and takes at most 64 KiB of an answer, whoever is at the other
//! end. Errors are told apart by what they leave open: whether the request was sent, and whether it was answered.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use agent_sdk::action::{ActionError, Fault};
use agent_sdk::datastore::StoreError;
use agent_sdk::spec::Addresses;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A node tells its status from memory: one that takes longer is stopped.
const READING: Duration = Duration::from_secs(1);
/// The store gives a change up within 16 s, passing it on included; so no answer means that none will come.
const CHANGING: Duration = Duration::from_secs(20);
/// The longest line of the protocol.
const LONGEST: u64 = 64 * 1024;

/// The node beside the agent.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    address: String,
    /// Connections that nothing is asked over at the moment; no more than were ever needed at once.
    kept: Arc<Mutex<Vec<TcpStream>>>,
}

/// What a node says of itself; see the store's `protocol`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Status {
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) version: String,
    pub(crate) cluster_id: Option<String>,
    pub(crate) role: Role,
    pub(crate) epoch: u64,
    pub(crate) commit_offset: i64,
    pub(crate) lag: Option<i64>,
    pub(crate) primary: Option<Member>,
    pub(crate) members: Vec<Member>,
    pub(crate) config_version: u64,
}

/// What a node is to the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    Primary,
    Secondary,
    /// Fills its copy, as a newcomer or after a start.
    Recovering,
    /// In no cluster.
    None,
}

/// One member of the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub(crate) struct Member {
    /// Unique within the cluster.
    pub(crate) name: String,
    /// Where it listens.
    pub(crate) address: String,
}

/// A change of membership: the request, and the checkpoint before it is sent. `if_version` is the version of the
/// configuration it was decided on: the store refuses it on any other, so that no change is made twice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub(crate) enum Change {
    Init,
    Join { node: String, if_version: u64 },
    Add { node: String, if_version: u64 },
    Remove { node: String, if_version: u64 },
}

/// Why there is no answer to use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Nothing was sent.
    #[error("the node at {0} cannot be reached: {1}")]
    Unreachable(String, io::Error),
    /// It was sent, and what came of it is open.
    #[error("the node at {0} gave no answer: {1}")]
    Unanswered(String, io::Error),
    #[error("the node refuses: {message} ({code})")]
    Refused { code: String, message: String },
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer<T> {
    Ok(T),
    Error { code: String, message: String },
}

impl Store {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self {
            address: address.to_string(),
            kept: Arc::default(),
        }
    }

    /// Clients and other nodes connect to the same port.
    pub(crate) fn addresses(&self) -> Addresses {
        Addresses {
            client: Some(self.address.clone()),
            member: Some(self.address.clone()),
            ..Addresses::default()
        }
    }

    /// How the node is.
    ///
    /// Connections for this are kept, since it is asked often. One that the node has closed meanwhile is made anew: a
    /// reading may be repeated.
    pub(crate) async fn read(&self) -> Result<Status, Error> {
        let request = serde_json::json!({ "do": "status" });
        let kept = self.kept().pop();
        if let Some(mut stream) = kept {
            match exchange(&mut stream, &self.address, &request, READING).await {
                Err(Error::Unanswered(_, cause)) if cause.kind() != io::ErrorKind::TimedOut => self.kept().clear(),
                answer => return self.keep(stream, answer),
            }
        }
        let mut stream = connect(&self.address, READING).await?;
        let answer = exchange(&mut stream, &self.address, &request, READING).await;
        self.keep(stream, answer)
    }

    /// Keeps a connection whose last question was answered.
    fn keep(&self, stream: TcpStream, answer: Result<Status, Error>) -> Result<Status, Error> {
        if answer.is_ok() {
            self.kept().push(stream);
        }
        answer
    }

    fn kept(&self) -> MutexGuard<'_, Vec<TcpStream>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How the node at another address is.
    pub(crate) async fn read_at(&self, address: &str) -> Result<Status, Error> {
        ask(address, &serde_json::json!({ "do": "status" }), READING).await
    }

    /// Asks the node for a change; it passes on what is for the primary.
    pub(crate) async fn make(&self, change: &Change) -> Result<(), Error> {
        let _: serde::de::IgnoredAny = ask(&self.address, change, CHANGING).await?;
        Ok(())
    }
}

async fn ask<T: DeserializeOwned>(address: &str, request: &impl Serialize, within: Duration) -> Result<T, Error> {
    exchange(&mut connect(address, within).await?, address, request, within).await
}

async fn connect(address: &str, within: Duration) -> Result<TcpStream, Error> {
    let connecting = timeout(within, TcpStream::connect(address)).await;
    connecting
        .unwrap_or_else(|_| Err(late(within)))
        .map_err(|error| Error::Unreachable(address.to_owned(), error))
}

async fn exchange<T: DeserializeOwned>(
    stream: &mut TcpStream,
    address: &str,
    request: &impl Serialize,
    within: Duration,
) -> Result<T, Error> {
    let exchange = async {
        let mut line = serde_json::to_vec(request)?;
        line.push(b'\n');
        stream.write_all(&line).await?;
        line.clear();
        BufReader::new(stream.take(LONGEST))
            .read_until(b'\n', &mut line)
            .await?;
        Ok(serde_json::from_slice(&line)?)
    };
    match timeout(within, exchange).await.unwrap_or_else(|_| Err(late(within))) {
        Ok(Answer::Ok(answer)) => Ok(answer),
        Ok(Answer::Error { code, message }) => Err(Error::Refused { code, message }),
        Err(error) => Err(Error::Unanswered(address.to_owned(), error)),
    }
}

fn late(within: Duration) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, format!("not within {} s", within.as_secs()))
}

impl Status {
    /// Whether the node is a member by its own copy of the configuration.
    pub(crate) fn is_member(&self) -> bool {
        self.find(&self.name).is_some()
    }

    /// The member with this name or address.
    pub(crate) fn find(&self, node: &str) -> Option<&Member> {
        self.members
            .iter()
            .find(|member| member.name == node || member.address == node)
    }
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Init => write!(f, "begin a cluster of one"),
            Self::Join { node, if_version } => write!(f, "join through {node}, at version {if_version}"),
            Self::Add { node, if_version } => write!(f, "add the node at {node}, at version {if_version}"),
            Self::Remove { node, if_version } => write!(f, "remove {node}, at version {if_version}"),
        }
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        match error {
            Error::Unanswered(_, ref cause) if cause.kind() == io::ErrorKind::InvalidData => Self::garbled(error),
            Error::Unreachable(..) | Error::Unanswered(..) => Self::unreachable(error),
            Error::Refused { .. } => Self::refused(error),
        }
    }
}

/// What a failed change means for the action: the next attempt begins by reading, so whatever a reading can settle is
/// worth one.
impl From<Error> for ActionError {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        let code = match error {
            Error::Unreachable(..) => return Self::retry("store_unreachable", message),
            Error::Unanswered(..) => return Self::Retry(Fault::undecided(message)),
            Error::Refused { code, .. } => code,
        };
        match code.as_str() {
            "no_quorum" | "unanswered" => Self::Retry(Fault::undecided(message)),
            "not_primary" | "unreachable" | "version_changed" | "not_ready" | "already_initialised" => {
                Self::retry(code, message)
            }
            _ => Self::last(code, message),
        }
    }
}

impl Error {
    /// What a failed reading means for the action: after a change was sent, what came of it stays open.
    pub(crate) fn while_reading(self, sent: Option<&Change>) -> ActionError {
        match sent {
            Some(change) => ActionError::Retry(Fault::undecided(format!("asked to {change}; {self}"))),
            None => ActionError::retry("store_unreachable", self.to_string()),
        }
    }
}
