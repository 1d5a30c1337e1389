//! Why the demonstration did not come to its end.

use std::error::Error;
use std::fmt;

use agent_sdk::client::ClientError;

use crate::{kafka, mongodb, ports, supervision, zookeeper};

/// What was not as it should be.
#[derive(Debug)]
pub(super) enum Failure {
    /// Something that should have been seen was not.
    Unexpected {
        /// What should have been.
        what: String,
        /// What was.
        seen: String,
    },
    /// What the demonstration stands on: requests, processes, files. With all its causes.
    Setup(String),
}

impl Failure {
    pub(super) fn unexpected(what: impl Into<String>, seen: impl Into<String>) -> Self {
        Self::Unexpected {
            what: what.into(),
            seen: seen.into(),
        }
    }

    pub(super) fn setup(what: impl fmt::Display, cause: impl fmt::Display) -> Self {
        Self::Setup(format!("{what}: {cause}"))
    }

    fn caused(error: &dyn Error) -> Self {
        let (mut text, mut cause) = (error.to_string(), error.source());
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        Self::Setup(text)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unexpected { what, seen } => write!(f, "{what}: {seen}"),
            Self::Setup(text) => f.write_str(text),
        }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        Self::caused(&error)
    }
}

impl From<supervision::Error> for Failure {
    fn from(error: supervision::Error) -> Self {
        Self::caused(&error)
    }
}

impl From<ports::Error> for Failure {
    fn from(error: ports::Error) -> Self {
        Self::caused(&error)
    }
}

impl From<zookeeper::Error> for Failure {
    fn from(error: zookeeper::Error) -> Self {
        Self::caused(&error)
    }
}

impl From<kafka::Error> for Failure {
    fn from(error: kafka::Error) -> Self {
        Self::caused(&error)
    }
}

impl From<mongodb::Error> for Failure {
    fn from(error: mongodb::Error) -> Self {
        Self::caused(&error)
    }
}
