//! What can go wrong with a cluster, said so that a failing test explains itself.

use std::error::Error as _;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use crate::{download, ports, program, supervision};

/// A cluster or a server did not do what it was asked to.
#[derive(thiserror::Error)]
pub enum Error {
    /// The servers' jars.
    #[error(transparent)]
    Download(#[from] download::Error),
    /// Java.
    #[error(transparent)]
    Program(#[from] program::Missing),
    /// Ports.
    #[error(transparent)]
    Ports(#[from] ports::Error),
    /// Processes.
    #[error(transparent)]
    Supervision(#[from] supervision::Error),
    /// Files.
    #[error("could not {what} {path}")]
    Io {
        /// What was to be done.
        what: &'static str,
        /// To which file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// A name that is none.
    #[error("there is no server {name}: there are {known}")]
    NoSuchServer {
        /// The name.
        name: String,
        /// The names there are.
        known: String,
    },
    /// It was started twice.
    #[error("{name} runs already")]
    Running {
        /// The server.
        name: String,
    },
    /// It should run for this.
    #[error("{name} does not run")]
    NotRunning {
        /// The server.
        name: String,
    },
    /// It ended while it was waited for.
    #[error("{name} has ended ({status}); the end of its log:\n{log}")]
    Ended {
        /// The server.
        name: String,
        /// How.
        status: ExitStatus,
        /// The last lines of its log.
        log: String,
    },
    /// It did not serve in time.
    #[error("{name} does not serve after {within:?}: {last}; the end of its log:\n{log}")]
    NotServing {
        /// The server.
        name: String,
        /// How long it was waited for.
        within: Duration,
        /// What it answered last.
        last: String,
        /// The last lines of its log.
        log: String,
    },
    /// It did not end in time.
    #[error("{name} still runs after {within:?}")]
    StillRunning {
        /// The server.
        name: String,
        /// How long it was waited for.
        within: Duration,
    },
    /// No server of the cluster says that it leads.
    #[error("no leader after {within:?}")]
    NoLeader {
        /// How long it was waited for.
        within: Duration,
    },
}

/// For people, with its causes: this is what a test's `unwrap` shows, and a log in quotes cannot be read.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        let mut cause = self.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

pub(super) fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error + use<> {
    let path = path.to_owned();
    move |source| Error::Io { what, path, source }
}
