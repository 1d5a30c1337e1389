//! How an action fails: whether a retry can help, whose fault it is, and what the client is told.

use std::borrow::Cow;
use std::fmt;

use thiserror::Error;

use crate::spec::{ErrorRecord, UNDECIDED};

/// How an attempt ended otherwise than with its output.
#[derive(Debug, Error)]
pub enum ActionError {
    /// A later attempt may succeed: tried again with growing pauses until the action's deadline.
    #[error("{0}")]
    Retry(#[source] Fault),
    /// No later attempt can succeed with these arguments.
    #[error("{0}")]
    Final(#[source] Fault),
    /// The attempt was asked to end (cancelled, deadline over, agent stopping) and did. The agent knows which it was.
    #[error("interrupted")]
    Interrupted,
    /// This kind cannot say what it would do.
    #[error("this kind has no plan")]
    NoPlan,
}

/// What went wrong: a stable code and a message for the client, a cause for the operator's log.
#[derive(Debug)]
pub struct Fault {
    code: Cow<'static, str>,
    message: String,
    cause: Option<anyhow::Error>,
}

impl Fault {
    /// A fault. `code` is stable, lower snake case, and documented by the vendor; `message` is read by clients, so it
    /// holds no secrets.
    pub fn new(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            cause: None,
        }
    }

    /// A request was sent, was not answered, and what came of it cannot be read back.
    pub fn undecided(message: impl Into<String>) -> Self {
        Self::new(UNDECIDED, message)
    }

    /// A node that an argument names cannot be found, which is not the same as its being gone.
    pub fn node_unresolved(message: impl Into<String>) -> Self {
        Self::new("node_unresolved", message)
    }

    /// The same fault with what caused it; the cause's text is added to the message.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<anyhow::Error>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// The stable code.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// As it is recorded.
    pub(crate) fn record(&self, retryable: bool) -> ErrorRecord {
        ErrorRecord {
            code: self.code.clone().into_owned(),
            message: self.to_string(),
            retryable,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Some(cause) => write!(f, "{}: {cause:#}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for Fault {}

impl ActionError {
    /// [`ActionError::Retry`] with a new fault.
    pub fn retry(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::Retry(Fault::new(code, message))
    }

    /// [`ActionError::Final`] with a new fault.
    pub fn last(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::Final(Fault::new(code, message))
    }
}
