//! Why the demonstration did not come to its end.

use std::fmt;

use agent_sdk::client::ClientError;

use crate::{ports, supervision};

/// What was not as it should be.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// Something that should have been seen was not.
    #[error("{what}: {seen}")]
    Unexpected {
        /// What should have been.
        what: String,
        /// What was.
        seen: String,
    },
    /// An agent did not take a request.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A process.
    #[error(transparent)]
    Process(#[from] supervision::Error),
    /// Ports.
    #[error(transparent)]
    Ports(#[from] ports::Error),
    /// Files, directories.
    #[error("{0}: {1}")]
    Setup(String, String),
}

impl Failure {
    pub(super) fn unexpected(what: impl Into<String>, seen: impl Into<String>) -> Self {
        Self::Unexpected {
            what: what.into(),
            seen: seen.into(),
        }
    }

    pub(super) fn setup(what: impl Into<String>, cause: impl fmt::Display) -> Self {
        Self::Setup(what.into(), cause.to_string())
    }
}
