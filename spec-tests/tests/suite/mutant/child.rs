//! The agent as a process of its own, to be killed with SIGKILL and started again on the same port and file.
//!
//! The process is this very test binary, told by a variable of the environment to be an agent: so the agent that is killed
//! is always the one that was just built. It holds a connection to whoever has it started, and ends by itself when that ends.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::{Agent, Fault, Options};

/// What the process is told: its folder, its port, the port of whoever has it started, and the names of its faults.
const VARIABLE: &str = "SPEC_TESTS_MUTANT";
/// What it says once it answers.
const READY: &str = "the mutant answers";

/// An agent that can be killed.
pub struct Child {
    /// Where it listens, before and after a crash: `http://127.0.0.1:PORT`.
    pub address: String,
    folder: TempDir,
    port: u16,
    /// Agents are connected to it, and end with it.
    alive: TcpListener,
    faults: Vec<Fault>,
}

impl Child {
    /// Starts one with these faults; once it returns, the agent answers.
    pub fn start(faults: &[Fault]) -> Self {
        // The port is free until the agent takes it a moment later.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Self {
            address: format!("http://127.0.0.1:{port}"),
            folder: tempfile::tempdir().unwrap(),
            port,
            alive: TcpListener::bind("127.0.0.1:0").unwrap(),
            faults: faults.to_vec(),
        };
        child.restart();
        child
    }

    /// Kills it as `kill -9` does, and waits until it is gone.
    pub fn kill(&self) {
        sh(&self.kill_command());
    }

    /// Starts it again; once it returns, the agent answers.
    pub fn restart(&self) {
        sh(&self.restart_command());
    }

    /// A line for `sh -c` that kills the agent, and returns once it is gone.
    pub fn kill_command(&self) -> String {
        let pid = self.folder.path().join("pid");
        let pid = pid.display();
        // A process that nobody has waited for yet is gone, too.
        format!(
            "pid=$(cat '{pid}'); kill -9 $pid; while grep -q '^State:.[^Z]' /proc/$pid/status 2>/dev/null; do :; done"
        )
    }

    /// A line for `sh -c` that starts the agent again, and returns once it answers.
    pub fn restart_command(&self) -> String {
        let folder = self.folder.path().display();
        let exe = std::env::current_exe().unwrap();
        let names: Vec<String> = self.faults.iter().map(|fault| format!("{fault:?}")).collect();
        let alive = self.alive.local_addr().unwrap().port();
        let told = format!("{folder}|{}|{alive}|{}", self.port, names.join(","));
        let entry = "--exact mutant::child::entry --nocapture";
        format!("{VARIABLE}='{told}|start' '{}' {entry}", exe.display())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

fn sh(line: &str) {
    let status = Command::new("sh")
        .arg("-c")
        .arg(line)
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "{line}");
}

/// Not a test: the process that [`Child`] starts comes in here. Everywhere else there is nothing to do.
#[test]
fn entry() {
    let Ok(told) = std::env::var(VARIABLE) else { return };
    let parts: Vec<&str> = told.split('|').collect();
    let [folder, port, alive, faults, what] = parts[..] else {
        panic!("{told}")
    };
    if what == "start" {
        launch(&told, Path::new(folder));
        return;
    }
    let named = |name: &str| {
        Fault::ALL
            .iter()
            .map(|(fault, _)| *fault)
            .find(|fault| format!("{fault:?}") == name)
    };
    let agent = Agent::start(Options {
        faults: faults.split(',').filter_map(named).collect(),
        port: port.parse().unwrap(),
        file: Some(PathBuf::from(folder).join("actions")),
        ..Options::default()
    });
    let mut alive = TcpStream::connect(("127.0.0.1", alive.parse().unwrap())).unwrap();
    println!("\n{READY} at {}", agent.address);
    // Nothing is ever sent: an end is what comes, one way or the other.
    drop(alive.read(&mut [0]));
    drop(agent);
}

/// Starts the agent in a group of its own, out of reach of signals that are meant for the tests, and waits for its word.
#[expect(
    clippy::zombie_processes,
    reason = "the agent outlives this process: whoever kills it comes later"
)]
fn launch(told: &str, folder: &Path) {
    let mut agent = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "mutant::child::entry", "--nocapture"])
        .env(VARIABLE, told.replace("|start", "|serve"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap();
    fs::write(folder.join("pid"), agent.id().to_string()).unwrap();
    let lines = BufReader::new(agent.stdout.take().unwrap()).lines();
    let ready = lines.map_while(Result::ok).any(|line| line.starts_with(READY));
    assert!(ready, "the agent ended before it answered");
}
