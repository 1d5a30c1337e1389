//! Questions to a Kafka process, each with what its answer means. One file for each: the request, the answer as a type of
//! our own, and the reading of one into the other, which is pure and tested on recorded answers of real servers.

pub mod changes;
pub mod cluster;
pub mod configuration;
pub mod directories;
pub mod offsets;
pub mod placement;
pub mod quorum;
pub mod reassignments;

use std::time::Duration;

use thiserror::Error;
use tokio::time::Instant;

use crate::client::{Call, ClientError, Code, Fault, Link};
use agent_sdk::config::Address;

pub use cluster::Cluster;
pub use configuration::Configuration;
pub use directories::Directory;
pub use quorum::Quorum;

/// Why a question has no answer.
#[derive(Debug, Error)]
pub enum AskError {
    /// No answer came.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The answer is an error.
    #[error("{address}: {api} was answered with {code}{}", .said.as_ref().map(|said| format!(" ({said})")).unwrap_or_default())]
    Answered {
        /// Who answered.
        address: Address,
        /// What was asked.
        api: &'static str,
        /// With what.
        code: Code,
        /// In the server's words, where they say more than the code.
        said: Option<String>,
    },
}

impl AskError {
    /// The code of the answer, where there is one.
    pub const fn code(&self) -> Option<Code> {
        match self {
            Self::Answered { code, .. } => Some(*code),
            Self::Client(_) => None,
        }
    }

    /// Why no answer came, where none did.
    pub const fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Client(error) => Some(&error.fault),
            Self::Answered { .. } => None,
        }
    }

    /// Whether nobody listens there.
    pub const fn is_refused(&self) -> bool {
        matches!(self.fault(), Some(Fault::Connect(_)))
    }
}

/// The longest text of a server's that is repeated, in characters.
const SAID: usize = 300;

/// Holds an error code against success.
pub(crate) fn accept<C: Call>(link: &Link, code: i16, said: Option<&str>) -> Result<(), AskError> {
    let code = Code(code);
    if code.is_success() {
        return Ok(());
    }
    let said = said.filter(|said| !said.is_empty());
    Err(AskError::Answered {
        address: link.endpoint().address.clone(),
        api: C::NAME,
        code,
        said: said.map(|said| said.chars().take(SAID).collect()),
    })
}

/// What is left until then.
pub(crate) fn left(end: Instant) -> Duration {
    end.saturating_duration_since(Instant::now())
}
