//! What can go wrong with a cluster, said so that a failing test explains itself.

use std::error::Error as _;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::supervision::{self, recorded};
use crate::{download, ports, program};

/// A cluster, a node or a tool did not do what it was asked to.
#[derive(thiserror::Error)]
pub enum Error {
    /// The nodes' jars.
    #[error(transparent)]
    Download(#[from] download::Error),
    /// Java.
    #[error(transparent)]
    Program(#[from] program::Missing),
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
    /// Files, or a tool.
    #[error("could not {what} {path}")]
    Io {
        /// What was to be done.
        what: &'static str,
        /// To which.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// A number that is none.
    #[error("there is no node {number}: there are {known}")]
    NoSuchNode {
        /// The number.
        number: u32,
        /// The numbers there are.
        known: String,
    },
    /// Nobody could lead.
    #[error("no controller is formatted, so no broker could ever register")]
    NoController,
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
    /// One of Kafka's tools failed, or did not end in time.
    #[error("{tool} {how}:\n{said}")]
    Tool {
        /// Which, with its arguments.
        tool: String,
        /// Its exit, or that it was ended.
        how: String,
        /// What it printed.
        said: String,
    },
    /// One of Kafka's tools said something else than was expected.
    #[error("{tool} said what is not understood:\n{said}")]
    Unexpected {
        /// Which.
        tool: &'static str,
        /// What it printed.
        said: String,
    },
    /// Something that was waited for did not come.
    #[error("not seen within {within:?}; the last look: {last}")]
    NotSeen {
        /// How long it was waited for.
        within: Duration,
        /// What was seen last.
        last: String,
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
