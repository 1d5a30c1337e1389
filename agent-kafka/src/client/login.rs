//! Who the client says it is, by SASL.

use std::path::PathBuf;

use agent_sdk::config::{Credentials, CredentialsError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::scram::ScramError;

/// A mechanism of SASL that the client knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Mechanism {
    /// The password as it is, for whoever listens; without TLS also for whoever looks on.
    #[serde(rename = "PLAIN")]
    Plain,
    /// The password is proven, not sent, and the broker proves that it knows it too.
    #[serde(rename = "SCRAM-SHA-256")]
    ScramSha256,
    /// As before, with the longer hash.
    #[serde(rename = "SCRAM-SHA-512")]
    ScramSha512,
}

impl Mechanism {
    /// Its registered name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha512 => "SCRAM-SHA-512",
        }
    }
}

/// How to log in. The file is read for each connection, so credentials can be changed while the agent runs.
#[derive(Debug, Clone)]
pub struct Login {
    /// The mechanism.
    pub mechanism: Mechanism,
    /// File with one line `USER:PASSWORD`, readable by the agent's user only.
    pub file: PathBuf,
}

/// Why there is no login.
#[derive(Debug, Error)]
pub enum LoginError {
    /// There are no credentials to log in with.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The listener takes other mechanisms.
    #[error("the listener does not take {}, but {offered}", .asked.name())]
    Mechanism {
        /// What the agent is told to use.
        asked: Mechanism,
        /// What the listener takes.
        offered: String,
    },
    /// The listener takes no credentials.
    #[error("the listener takes no SASL: it is one for {0}")]
    None(&'static str),
    /// The broker does not take these credentials.
    #[error("the broker refuses the credentials: {0}")]
    Refused(String),
    /// The broker's side of SCRAM is wrong.
    #[error(transparent)]
    Scram(#[from] ScramError),
}

/// The one message of PLAIN (RFC 4616): no other identity than the user's.
pub(super) fn plain(credentials: &Credentials) -> Vec<u8> {
    let (user, password) = (credentials.user(), credentials.password());
    [b"\0", user.as_bytes(), b"\0", password.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_of_plain_is_user_and_password_between_nul() {
        assert_eq!(plain(&Credentials::new("agent", "se:cret")), b"\0agent\0se:cret");
    }

    #[test]
    fn mechanisms_have_their_registered_names() {
        for mechanism in [Mechanism::Plain, Mechanism::ScramSha256, Mechanism::ScramSha512] {
            let read: Mechanism = serde_json::from_value(mechanism.name().into()).unwrap();
            assert_eq!(read, mechanism);
        }
        assert!(serde_json::from_str::<Mechanism>("\"GSSAPI\"").is_err());
    }
}
