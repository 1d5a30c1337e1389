//! Why a request has no answer that can be used, by who has to do something about it.
//!
//! | what | who |
//! |---|---|
//! | [`Connect`](Fault::Connect), [`Silent`](Fault::Silent), [`Closed`](Fault::Closed), [`Broken`](Fault::Broken) | the node or the network: asking again may help |
//! | [`Garbage`](Fault::Garbage), [`Unsupported`](Fault::Unsupported), [`Answered`](Fault::Answered), [`Unfit`](Fault::Unfit) | whoever gave the address: something else listens there, or another release |
//! | [`Tls`](Fault::Tls), [`Login`](Fault::Login) | whoever gave certificates and credentials |
//! | [`Undecided`](Fault::Undecided) | whoever asked: read back whether it was done |
//!
//! A request that changes something and fails with anything but `Undecided` was not carried out.

use std::fmt;
use std::io;
use std::time::Duration;

use thiserror::Error;

use super::code::Code;
use super::frame::Announced;
use super::login::LoginError;
use super::shape::Misfit;
use super::versions::Unsupported;
use agent_sdk::config::Address;

/// What went wrong, and with whom.
#[derive(Debug, Error)]
#[error("{address}: {fault}")]
pub struct ClientError {
    /// Who was asked.
    pub address: Address,
    /// What went wrong.
    pub fault: Fault,
}

/// What went wrong.
#[derive(Debug, Error)]
pub enum Fault {
    /// Nobody listens, or the way is cut.
    #[error("no connection: {0}")]
    Connect(io::Error),
    /// The deadline of the call is over.
    #[error("no {awaiting} within {} ms", .within.as_millis())]
    Silent {
        /// What was waited for.
        awaiting: Awaiting,
        /// How long the whole call was given.
        within: Duration,
    },
    /// The connection was closed by the other side, also within an answer. A broker does so with what it is not made
    /// for.
    #[error("closed instead of {awaiting} ({})", awaiting.why_closed())]
    Closed {
        /// What was waited for.
        awaiting: Awaiting,
    },
    /// The connection broke.
    #[error("connection lost instead of {awaiting}: {cause}")]
    Broken {
        /// What was waited for.
        awaiting: Awaiting,
        /// How.
        cause: io::Error,
    },
    /// No certificate that is trusted, or no TLS at all.
    #[error("no TLS: {0}")]
    Tls(String),
    /// The credentials are missing or refused.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// What came is no answer of a Kafka process.
    #[error("not {awaiting}: {what}")]
    Garbage {
        /// What was waited for.
        awaiting: Awaiting,
        /// What is wrong with it.
        what: Garbage,
    },
    /// There is no version that both sides know.
    #[error(transparent)]
    Unsupported(#[from] Unsupported),
    /// A request that the client makes for itself was answered with an error.
    #[error("{api} was answered with {code}")]
    Answered {
        /// What was asked.
        api: &'static str,
        /// With what.
        code: Code,
    },
    /// The request has a field that its version has no place for.
    #[error("{api} cannot be asked this way: {reason}")]
    Unfit {
        /// What was to be asked.
        api: &'static str,
        /// Why not.
        reason: String,
    },
    /// A request that changes something was sent, in part at least, and its answer did not come or cannot be read.
    #[error("it is not known whether {api} was carried out: {cause}")]
    Undecided {
        /// What was asked.
        api: &'static str,
        /// What became of the answer.
        cause: Box<Fault>,
    },
}

impl Fault {
    /// Whether the same request may be answered a moment later without anybody doing anything about it. Not so for one
    /// that is undecided: it may have been carried out.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Connect(_) | Self::Silent { .. } | Self::Closed { .. } | Self::Broken { .. } => true,
            Self::Answered { code, .. } => code.is_passing(),
            Self::Tls(_)
            | Self::Login(_)
            | Self::Garbage { .. }
            | Self::Unsupported(_)
            | Self::Unfit { .. }
            | Self::Undecided { .. } => false,
        }
    }

    /// Whether the request was sent and may have been carried out.
    pub const fn is_undecided(&self) -> bool {
        matches!(self, Self::Undecided { .. })
    }

    pub(super) const fn at(self, address: Address) -> ClientError {
        ClientError { address, fault: self }
    }
}

/// What a call waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Awaiting {
    /// The connection.
    Connection,
    /// The end of the handshake of TLS.
    Tls,
    /// An answer to the request of this name.
    Answer(&'static str),
}

impl Awaiting {
    /// Why a broker that is well would close a connection at this point.
    const fn why_closed(self) -> &'static str {
        match self {
            Self::Connection | Self::Tls => "also what a listener without TLS does with those who speak it",
            Self::Answer(_) => {
                "also what a listener for TLS or SASL does with those who come without, and any listener with a request \
                 that it does not know"
            }
        }
    }
}

impl fmt::Display for Awaiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection => f.write_str("connection"),
            Self::Tls => f.write_str("TLS handshake"),
            Self::Answer(api) => write!(f, "answer to {api}"),
        }
    }
}

/// Why bytes are no answer.
#[derive(Debug, Error)]
pub enum Garbage {
    /// It announces a length that no answer has.
    #[error(transparent)]
    Length(#[from] Announced),
    /// It is the answer to something else.
    #[error("it answers request {got}, not {expected}")]
    Correlation {
        /// The number of the request.
        expected: i32,
        /// The number that came back.
        got: i32,
    },
    /// Its fields are not those of the answer.
    #[error(transparent)]
    Shape(#[from] Misfit),
    /// A field has no meaning, such as a text that is not UTF-8, or null where something has to be.
    #[error("{0}")]
    Field(String),
}
