//! The program of an agent as a process of its own, which can be killed: for tests that need its end to be a real one.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use agent_sdk::client::{Client, ClientError, wait};
use serde::Serialize;
use tempfile::TempDir;
use thiserror::Error;

use super::UP;
use crate::poll;
use crate::ports::{Block, Error as PortsError};

/// An agent's program on a state directory and a port that it keeps across its starts. Dropped, it is killed.
#[derive(Debug)]
pub struct Program {
    path: PathBuf,
    directory: TempDir,
    ports: Block,
    child: Option<Child>,
}

/// Why there is no agent.
#[derive(Debug, Error)]
pub enum Error {
    /// Its files, or its process.
    #[error("the agent's files or process: {0}")]
    Io(#[from] std::io::Error),
    /// Its configuration is no JSON.
    #[error("the agent's configuration: {0}")]
    Configuration(#[from] serde_json::Error),
    /// It has no port.
    #[error(transparent)]
    Ports(#[from] PortsError),
    /// It cannot be asked.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// It did not answer in time.
    #[error("{} did not answer within {} s", .0.display(), UP.as_secs())]
    Silent(PathBuf),
}

impl Program {
    /// The program at this path, with this `store` section. Not started.
    pub fn new(path: impl AsRef<Path>, store: &impl Serialize) -> Result<Self, Error> {
        let directory = tempfile::tempdir()?;
        let ports = Block::claim()?;
        let configuration = serde_json::json!({
            "state_directory": directory.path().join("state"),
            "api": { "bind": ports.address(0), "anonymous": "act" },
            "store": serde_json::to_value(store)?,
        });
        // JSON is YAML.
        std::fs::write(directory.path().join("agent.yaml"), configuration.to_string())?;
        Ok(Self {
            path: path.as_ref().to_owned(),
            directory,
            ports,
            child: None,
        })
    }

    /// Starts it, and waits until it answers.
    pub fn start(&mut self) -> Result<Client, Error> {
        let child = Command::new(&self.path)
            .arg("--config")
            .arg(self.directory.path().join("agent.yaml"))
            .arg("run")
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        self.child = Some(child);
        let client = Client::new(&format!("http://{}", self.ports.address(0)))?;
        let answers = |_| Ok::<_, Error>(wait(client.node()).is_ok().then_some(()));
        poll::until(UP, answers)?.ok_or_else(|| Error::Silent(self.path.clone()))?;
        Ok(client)
    }

    /// SIGKILL, and waits for the end. Does nothing when it does not run.
    pub fn kill(&mut self) -> Result<(), Error> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// Its process id, while it runs.
    pub fn id(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // There is nobody left to tell.
        let _ = self.kill();
    }
}
