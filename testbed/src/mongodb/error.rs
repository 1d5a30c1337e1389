//! What can go wrong with a cluster, said so that a failing test explains itself.

use std::error::Error as _;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ::mongodb::error::{ErrorKind, WriteFailure};

use crate::supervision::{self, recorded};
use crate::{download, ports};

/// A cluster, a node or a command did not do what it was asked to.
#[derive(thiserror::Error)]
pub enum Error {
    /// The server's files.
    #[error(transparent)]
    Download(#[from] download::Error),
    /// Ports.
    #[error(transparent)]
    Ports(#[from] ports::Error),
    /// The watchdog.
    #[error(transparent)]
    Supervision(#[from] supervision::Error),
    /// Starting, signals, waiting for an end.
    #[error(transparent)]
    Process(#[from] recorded::Error),
    /// Certificates.
    #[error("could not make certificates")]
    Certificates(#[from] rcgen::Error),
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
    /// The threads that the driver works on.
    #[error("could not start the driver's threads")]
    Threads(#[source] io::Error),
    /// A number that is none.
    #[error("there is no node {number}: there are {known}")]
    NoSuchNode {
        /// The number.
        number: u32,
        /// The numbers there are.
        known: String,
    },
    /// Nobody could be a member.
    #[error("there is no node that could be a member of a set")]
    NoMember,
    /// It ended while it was waited for.
    #[error("{name} has ended; the end of its log:\n{log}")]
    Ended {
        /// The node.
        name: String,
        /// The last lines of its log.
        log: String,
    },
    /// It was not ready in time.
    #[error("{name} is not ready after {within:?}: {last}; the end of its log:\n{log}")]
    NotReady {
        /// The node.
        name: String,
        /// How long it was waited for.
        within: Duration,
        /// What was seen last.
        last: String,
        /// The last lines of its log.
        log: String,
    },
    /// A command, or a write, that the driver or the server answers with an error.
    #[error("{whom} does not do {what}: {source}")]
    Command {
        /// The node, or the cluster.
        whom: String,
        /// The command's name.
        what: String,
        /// Of the driver, or of the server.
        source: Box<::mongodb::error::Error>,
    },
    /// A command that was not answered in time: a paused node.
    #[error("{whom} has not answered {what} after {within:?}")]
    Silent {
        /// The node, or the cluster.
        whom: String,
        /// The command's name.
        what: String,
        /// How long it was waited for.
        within: Duration,
    },
    /// A server said something else than was expected.
    #[error("{whom} answers {what} with what is not understood: {said}")]
    Unexpected {
        /// The node.
        whom: String,
        /// The command's name.
        what: &'static str,
        /// Its answer.
        said: String,
    },
    /// Something that was waited for did not come.
    #[error("no {what} within {within:?}; the last look: {last}")]
    NotSeen {
        /// What.
        what: String,
        /// How long it was waited for.
        within: Duration,
        /// What was seen last.
        last: String,
    },
}

impl Error {
    /// The number by which the server names its error; `None` when it was not the server that refused.
    pub fn code(&self) -> Option<i32> {
        let Self::Command { source, .. } = self else {
            return None;
        };
        match source.kind.as_ref() {
            ErrorKind::Command(error) => Some(error.code),
            ErrorKind::Write(WriteFailure::WriteError(error)) => Some(error.code),
            ErrorKind::Write(WriteFailure::WriteConcernError(error)) => Some(error.code),
            ErrorKind::InsertMany(error) => {
                let written = error.write_errors.iter().flatten().map(|error| error.code);
                let mut confirmed = error.write_concern_error.iter().map(|error| error.code);
                written.chain(&mut confirmed).next()
            }
            _ => None,
        }
    }
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
