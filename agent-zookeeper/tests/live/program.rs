//! The agent as a process of its own, which can be killed.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use agent_sdk::client::{Client, wait};
use agent_zookeeper::config;
use tempfile::TempDir;
use testbed::ports::Block;

use crate::rig::until;

/// An agent's program on a state directory and a port that it keeps across its starts.
pub(crate) struct Program {
    directory: TempDir,
    ports: Block,
    child: Option<Child>,
}

impl Program {
    pub(crate) fn new(server: &config::Server) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let ports = Block::claim().unwrap();
        let configuration = serde_json::json!({
            "state_directory": directory.path().join("state"),
            "api": { "bind": ports.address(0), "anonymous": "act" },
            "store": server,
        });
        // JSON is YAML.
        std::fs::write(directory.path().join("agent.yaml"), configuration.to_string()).unwrap();
        Self {
            directory,
            ports,
            child: None,
        }
    }

    /// Starts it, and waits until it answers.
    pub(crate) fn start(&mut self) -> Client {
        let file: PathBuf = self.directory.path().join("agent.yaml");
        let child = Command::new(env!("CARGO_BIN_EXE_agent-zookeeper"))
            .arg("--config")
            .arg(file)
            .arg("run")
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.child = Some(child);
        let client = Client::new(&format!("http://{}", self.ports.address(0))).unwrap();
        until("the agent to answer", || wait(client.node()).is_ok());
        client
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}
