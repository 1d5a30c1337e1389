//! An agent inside a test: the real one, on a free port and a temporary directory, with a client for it.
//!
//! Everything but the process is as in production: the database, the runner, HTTP. What a test needs besides is a store
//! that does as it is told, [`Scripted`], and a way to start the same agent again on the same directory.
//!
//! ```
//! use agent_sdk::agent::Agent;
//! use agent_sdk::testing::{Scripted, TestAgent};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = Scripted::new();
//! let agent = TestAgent::start(Agent::new(store.clone()))?;
//! let node = agent_sdk::client::wait(agent.client().node())?;
//! assert_eq!(node.node_status, agent_sdk::spec::NodeState::Healthy);
//! # Ok(())
//! # }
//! ```

mod document;
mod scripted;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use tempfile::TempDir;
use thiserror::Error;
use tokio_util::sync::CancellationToken;

pub use document::same_as_document;
pub use scripted::Scripted;

use crate::agent::{About, Agent, Outcome, Ready, Setup, StartError, serve};
use crate::client::{Client, ClientError};
use crate::config::{Actions, Api, Config, Logs, Node, Observe, Traces};

/// Why there is no agent to test.
#[derive(Debug, Error)]
pub enum TestError {
    /// The temporary directory.
    #[error("no temporary directory: {0}")]
    Directory(#[from] std::io::Error),
    /// The configuration that the test asked for.
    #[error("the configuration does not hold: {0}")]
    Config(String),
    /// The agent did not start.
    #[error("the agent did not start: {0}")]
    Start(String),
    /// The client.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A document does not say what the program does.
    #[error("{0}")]
    Document(String),
    /// The agent ended otherwise than by being stopped.
    #[error("the agent ended: {0}")]
    Ended(String),
}

/// A running agent. It stops when this is dropped.
pub struct TestAgent {
    address: SocketAddr,
    client: Client,
    anonymous: Client,
    stop: CancellationToken,
    thread: Option<JoinHandle<Result<Outcome, StartError>>>,
    directory: StateDir,
}

/// A state directory that outlives the agents on it. It is removed with the last who knows it.
#[derive(Clone)]
pub struct StateDir {
    temporary: Arc<TempDir>,
}

impl StateDir {
    /// A new one.
    pub fn new() -> Result<Self, TestError> {
        let temporary = tempfile::Builder::new().prefix("agent-").tempdir()?;
        Ok(Self {
            temporary: Arc::new(temporary),
        })
    }

    /// Where it is.
    pub fn path(&self) -> PathBuf {
        self.temporary.path().join("state")
    }
}

impl TestAgent {
    /// Starts an agent on a new state directory, with the default configuration and short deadlines.
    pub fn start(agent: Agent) -> Result<Self, TestError> {
        Self::start_on(StateDir::new()?, agent, |_| {})
    }

    /// Starts an agent on a state directory, with what `configure` makes of the configuration.
    pub fn start_on(
        directory: StateDir,
        agent: Agent,
        configure: impl FnOnce(&mut Config<()>),
    ) -> Result<Self, TestError> {
        let mut config = defaults(&directory.path());
        configure(&mut config);
        let config = config.validate().map_err(|faults| {
            TestError::Config(faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
        })?;
        let about = About::new("agent-under-test", env!("CARGO_PKG_VERSION"), None, None);
        let setup = Setup { about, agent, config };
        let stop = CancellationToken::new();
        let (ready, answers) = mpsc::channel();
        let stopped = stop.clone();
        let thread = std::thread::Builder::new()
            .name("agent-under-test".to_owned())
            .spawn(move || serve(setup, &stopped, None, |answering| drop(ready.send(answering.clone()))))?;
        let Ok(Ready { address, token }) = answers.recv() else {
            return Err(TestError::Start(match thread.join() {
                Ok(Err(error)) => error.to_string(),
                Ok(Ok(outcome)) => format!("it ended: {outcome:?}"),
                Err(_) => "it panicked".to_owned(),
            }));
        };
        let anonymous = Client::new(&format!("http://{address}"))?;
        let client = anonymous.clone().with_token(token);
        Ok(Self {
            address,
            client,
            anonymous,
            stop,
            thread: Some(thread),
            directory,
        })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// A client that may act.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// A client without a token.
    pub const fn anonymous(&self) -> &Client {
        &self.anonymous
    }

    /// The agent's state directory, to start another on it.
    pub fn directory(&self) -> StateDir {
        self.directory.clone()
    }

    /// Asks the agent to stop and waits until it has: its running action is at a checkpoint.
    pub fn stop(mut self) -> Result<(), TestError> {
        self.end()
    }

    fn end(&mut self) -> Result<(), TestError> {
        self.stop.cancel();
        match self.thread.take().map(JoinHandle::join) {
            None | Some(Ok(Ok(Outcome::Stopped))) => Ok(()),
            Some(Ok(Ok(outcome))) => Err(TestError::Ended(format!("{outcome:?}"))),
            Some(Ok(Err(error))) => Err(TestError::Ended(error.to_string())),
            Some(Err(_)) => Err(TestError::Ended("it panicked".to_owned())),
        }
    }
}

impl Drop for TestAgent {
    fn drop(&mut self) {
        // Who wants to know how it ended calls `stop`.
        drop(self.end());
    }
}

fn defaults(directory: &Path) -> Config<()> {
    Config {
        state_directory: directory.to_owned(),
        node: Node::default(),
        api: Api {
            bind: SocketAddr::from(([127, 0, 0, 1], 0)),
            ..Api::default()
        },
        actions: Actions {
            grace_s: 2,
            ..Actions::default()
        },
        observe: Observe {
            deadline_ms: 1_000,
            // What a test does to its store is seen at once.
            reuse_ms: 0,
        },
        logs: Logs::default(),
        traces: Traces::default(),
        store: (),
    }
}
