//! Why a command has no answer, or which error it was answered with.

use std::io;
use std::time::Duration;

use agent_sdk::config::CredentialsError;
use mongodb::error::{Error, ErrorKind};
use thiserror::Error as ThisError;

use crate::code::Code;

/// Why there is no good answer.
#[derive(Debug, Clone, ThisError, PartialEq, Eq)]
pub enum Fault {
    /// Nobody takes connections.
    #[error("nobody answers at {address}: {reason}")]
    Unreachable {
        /// Where.
        address: String,
        /// As the operating system says it.
        reason: String,
    },
    /// It takes connections, or did, and says nothing.
    #[error("{address} did not answer within {} ms", .within.as_millis())]
    Silent {
        /// Where.
        address: String,
        /// How long that was waited for.
        within: Duration,
    },
    /// The connection ended before the answer: what was asked for may have been done.
    #[error("{address} ended the connection: {reason}")]
    Cut {
        /// Where.
        address: String,
        /// How.
        reason: String,
    },
    /// TLS was not agreed on, or one certificate is not trusted by the other side.
    #[error("TLS with {address}: {reason}")]
    Tls {
        /// Where.
        address: String,
        /// Why.
        reason: String,
    },
    /// User or password, or the certificate, are not accepted.
    #[error("{address} does not let the agent in: {reason}")]
    NotLetIn {
        /// Where.
        address: String,
        /// As the server says it.
        reason: String,
    },
    /// There is no user or password to log in with.
    #[error("{0}")]
    NoCredentials(String),
    /// What came is no answer of a mongod, or of none that this agent can talk to.
    #[error("what listens at {address} is no mongod that the agent can ask: {reason}")]
    Garbage {
        /// Where.
        address: String,
        /// What was wrong with it.
        reason: String,
    },
    /// The server answered with an error.
    #[error("{message} ({code})")]
    Answered {
        /// Which.
        code: Code,
        /// In the server's words.
        message: String,
    },
    /// An answer without what it should hold.
    #[error("the answer to {command} has no {missing}")]
    Unfit {
        /// To what.
        command: &'static str,
        /// What it does not say.
        missing: &'static str,
    },
}

impl From<CredentialsError> for Fault {
    fn from(error: CredentialsError) -> Self {
        Self::NoCredentials(error.to_string())
    }
}

impl Fault {
    /// What the driver's error means. `last`: with what the driver's own look at the server failed last, if it did.
    pub(super) fn of(error: &Error, last: Option<&Error>, address: &str) -> Self {
        let address = address.to_owned();
        match &*error.kind {
            ErrorKind::Command(command) => Self::Answered {
                code: Code(command.code),
                message: command.message.clone(),
            },
            ErrorKind::Authentication { message, .. } => Self::NotLetIn {
                address,
                reason: message.clone(),
            },
            // The driver has waited for a server that can be asked, and there was none.
            ErrorKind::ServerSelection { .. } => match last {
                Some(last) => match Self::of(last, None, &address) {
                    Self::Cut { address, reason } => Self::Unreachable { address, reason },
                    other => other,
                },
                None => Self::Unreachable {
                    address,
                    reason: "no connection in time".to_owned(),
                },
            },
            ErrorKind::Io(error) => Self::of_io(error, address),
            ErrorKind::InvalidTlsConfig { message, .. } => Self::Tls {
                address,
                reason: message.clone(),
            },
            ErrorKind::ConnectionPoolCleared { message, .. } | ErrorKind::DnsResolve { message, .. } => {
                Self::Unreachable {
                    address,
                    reason: message.clone(),
                }
            }
            // Not what the error says of itself as a whole: labels, and the answer byte by byte.
            other => Self::Garbage {
                address,
                reason: other.to_string(),
            },
        }
    }

    fn of_io(error: &io::Error, address: String) -> Self {
        let reason = error.to_string();
        match error.kind() {
            io::ErrorKind::ConnectionRefused
            | io::ErrorKind::TimedOut
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::AddrNotAvailable
            | io::ErrorKind::NotFound => Self::Unreachable { address, reason },
            // As the TLS library tells what it does not accept.
            io::ErrorKind::InvalidData => Self::Tls { address, reason },
            _ => Self::Cut { address, reason },
        }
    }

    /// The code, where the server answered with one.
    pub const fn code(&self) -> Option<Code> {
        match self {
            Self::Answered { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// Whether what was asked for may have been done all the same.
    pub const fn is_undecided(&self) -> bool {
        matches!(self, Self::Silent { .. } | Self::Cut { .. })
    }

    /// Whether the server is not there, as far as can be told: the process may not run, or be frozen.
    pub const fn is_absence(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Silent { .. } | Self::Cut { .. })
    }

    /// Whether the server has not let the agent in, or lets it do nothing.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::NotLetIn { .. } | Self::NoCredentials(_) => true,
            Self::Answered { code, .. } => code.is_refusal(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: io::ErrorKind) -> Fault {
        Fault::of_io(&io::Error::from(kind), "h:1".to_owned())
    }

    #[test]
    fn what_was_sent_and_not_answered_is_undecided() {
        assert!(of(io::ErrorKind::UnexpectedEof).is_undecided());
        assert!(of(io::ErrorKind::ConnectionReset).is_undecided());
        assert!(!of(io::ErrorKind::ConnectionRefused).is_undecided());
        assert!(of(io::ErrorKind::ConnectionRefused).is_absence());
    }

    #[test]
    fn no_trust_is_no_absence() {
        let fault = of(io::ErrorKind::InvalidData);
        assert!(matches!(fault, Fault::Tls { .. }) && !fault.is_absence());
    }

    #[test]
    fn an_error_is_told_in_the_servers_words_and_by_its_code() {
        let fault = Fault::Answered {
            code: Code::NOT_WRITABLE_PRIMARY,
            message: "not primary".to_owned(),
        };
        assert_eq!(fault.to_string(), "not primary (10107 NotWritablePrimary)");
        assert!(!fault.is_refusal());
    }
}
