//! What the command line needs of the agent that it belongs to.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use schemars::Schema;
use serde::Serialize;

use super::Exit;
use crate::config::{Config, ConfigError};

/// The agent behind a command line. Its store's type is known on its own side only.
pub trait Program {
    /// The program's name, such as `agent-zookeeper`.
    fn name(&self) -> &'static str;

    /// Its version, in words.
    fn version(&self) -> String;

    /// The text that `config example` prints ([`crate::config::example`]).
    fn example(&self) -> String;

    /// The document that `config schema` prints ([`crate::config::schema`]).
    fn schema(&self) -> Schema;

    /// What a client of the agent has to know of its configuration ([`crate::config::load`], then [`Endpoint::of`]).
    fn endpoint(&self, file: &Path) -> Result<Endpoint, ConfigError>;

    /// Is the agent, until it is told to stop.
    fn run(&self, file: &Path) -> Result<(), Failure>;

    /// Looks at everything that the agent needs, and changes nothing.
    fn check(&self, file: &Path) -> Vec<Finding>;
}

/// Where an agent is found by clients on its own host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Where it listens.
    pub bind: SocketAddr,
    /// Where its local token lies.
    pub state_directory: PathBuf,
}

impl Endpoint {
    /// What a configuration says.
    pub fn of<S>(config: &Config<S>) -> Self {
        Self {
            bind: config.api.bind,
            state_directory: config.state_directory.clone(),
        }
    }
}

/// Why a command did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What the process exits with.
    pub exit: Exit,
    /// What is told, on standard error.
    pub message: String,
}

impl Failure {
    /// A failure with its words.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::new(Exit::Configuration, error.to_string())
    }
}

/// One thing that `check` looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What: `configuration`, `state directory`, `database`, `store`.
    pub subject: String,
    /// How it is.
    pub outcome: Outcome,
    /// What was seen, and what would be right.
    pub detail: String,
}

/// How something that was looked at is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// As it should be.
    Ok,
    /// Allowed, and worth a second look.
    Warning,
    /// Wrong: the agent would not start, or not work.
    Bad(Exit),
}

impl Finding {
    /// Something is as it should be.
    pub fn ok(subject: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            outcome: Outcome::Ok,
            detail: detail.into(),
        }
    }

    /// Something is worth a second look.
    pub fn warning(subject: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Warning,
            ..Self::ok(subject, detail)
        }
    }

    /// Something is wrong.
    pub fn bad(subject: impl Into<String>, exit: Exit, detail: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Bad(exit),
            ..Self::ok(subject, detail)
        }
    }
}

impl Outcome {
    /// Its name in tables and documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Bad(_) => "bad",
        }
    }
}

/// A finding for programs.
#[derive(Serialize)]
pub(super) struct FindingDocument<'a> {
    subject: &'a str,
    outcome: &'static str,
    exit_code: Option<u8>,
    detail: &'a str,
}

impl<'a> From<&'a Finding> for FindingDocument<'a> {
    fn from(finding: &'a Finding) -> Self {
        let Finding {
            subject,
            outcome,
            detail,
        } = finding;
        let exit_code = match outcome {
            Outcome::Bad(exit) => Some(exit.code()),
            Outcome::Ok | Outcome::Warning => None,
        };
        Self {
            subject,
            outcome: outcome.name(),
            exit_code,
            detail,
        }
    }
}
