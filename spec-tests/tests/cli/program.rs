//! Running the program.

use std::process::{Child, Command, Output, Stdio};

/// How it ended, and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    /// All that it said.
    pub(crate) fn all(&self) -> String {
        format!("{}{}", self.out, self.err)
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().expect("it ends by itself"),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// The program, with nothing of the environment that it would listen to.
pub(crate) fn command(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spec-tests"));
    command
        .args(words)
        .env_remove("SPEC_TESTS_TOKEN")
        .env_remove("NO_COLOR");
    command.stdin(Stdio::null());
    command
}

/// Runs it to its end.
pub(crate) fn program(words: &[&str]) -> Ended {
    command(words).output().unwrap().into()
}

/// `run` over one agent.
pub(crate) fn run(url: &str, words: &[&str]) -> Ended {
    program(&[&["run", url], words].concat())
}

/// Sends a signal.
pub(crate) fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
}
