//! What can go wrong between a client and an agent, told apart by what has to be done about it.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

/// Why there is no answer that can be used.
#[derive(Debug, Clone, Error)]
pub enum ClientError {
    /// The address is no `http://host:port`.
    #[error("{url:?} is no address of an agent: {reason}")]
    Address {
        /// What was given.
        url: String,
        /// Why it will not do.
        reason: String,
    },
    /// Nobody listens there, or the connection broke.
    #[error("{url} cannot be reached: {cause}")]
    Unreachable {
        /// What was asked.
        url: String,
        /// Why.
        cause: String,
    },
    /// The answer did not come in time.
    #[error("{url} did not answer within {} s", .after.as_secs_f32())]
    Timeout {
        /// What was asked.
        url: String,
        /// How long was waited.
        after: Duration,
    },
    /// The agent refuses, and says why.
    #[error(transparent)]
    Refused(#[from] Box<Problem>),
    /// What came is no agent's answer.
    #[error("{url} does not answer as an agent does: {detail}")]
    Garbled {
        /// What was asked.
        url: String,
        /// The status of the answer.
        status: u16,
        /// What is wrong with it.
        detail: String,
    },
    /// More came than is taken.
    #[error("the answer of {url} is longer than {limit} bytes")]
    TooLong {
        /// What was asked.
        url: String,
        /// How much is taken.
        limit: usize,
    },
    /// The thread that sends requests is gone.
    #[error("the client cannot send requests: {0}")]
    Broken(String),
}

impl ClientError {
    /// The agent's refusal, when it is one.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Refused(problem) => Some(problem),
            _ => None,
        }
    }
}

/// An agent's refusal: a problem document (RFC 9457).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Error)]
#[serde(default)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// What kind of refusal it is; stable, in the documents' table.
    pub code: String,
    /// The status in words.
    pub title: String,
    /// What is wrong with this very request.
    pub detail: String,
    /// The place in the request that is meant, as a JSON pointer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Of an id that was used: whether kind and arguments were the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub same_request: Option<bool>,
    /// Of an id that was used: the id.
    #[serde(skip)]
    pub id: Option<Uuid>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            status,
            code,
            title,
            detail,
            field,
            same_request: _,
            id: _,
        } = self;
        f.write_str(if detail.is_empty() { title } else { detail })?;
        if let Some(field) = field.as_deref().filter(|field| !field.is_empty()) {
            write!(f, " at {field}")?;
        }
        write!(f, " ({status} {code})")
    }
}
