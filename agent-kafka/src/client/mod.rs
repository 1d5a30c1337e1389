//! The client: asks a listener of a Kafka process, a broker's or a controller's, and says exactly what came of it.
//!
//! `kafka-protocol` has the messages. What is here is the way they take: [`link`] keeps a way to one listener, over one
//! [`connection`] after the other; each begins with what both sides know ([`versions`]), and with TLS ([`tls`]) and
//! SASL ([`login`]) where the [`endpoint`] asks for them. [`call`] lists the requests, [`shape`] holds every answer
//! against its fields before it is decoded, [`error`] sorts what can go wrong, and [`code`] names what brokers answer.
//!
//! **Guarantees**
//!
//! - Every call has one deadline, for all that it does. A node that is stopped, frozen or cut off costs no more.
//! - An answer has at most as many bytes as the endpoint says, and takes at most [`shape::DECODED`] times as many to
//!   decode, whoever listens there. Nothing that comes makes it panic.
//! - A request that changes something is sent at most once. Where it is not known whether it was carried out, the error
//!   says so ([`error::Fault::Undecided`]); any other error means that it was not.
//! - User and password are in no error and no log.
//!
//! **Left to others**: pauses between attempts, which error codes within an answer mean what for the question at hand,
//! who leads what, and more than one request at a time (a second link).
//!
//! Lengths are in bytes, times in [`Duration`](std::time::Duration)s on the monotonic clock.

mod answers;
pub mod call;
pub mod code;
pub mod connection;
pub mod deadline;
pub mod endpoint;
pub mod error;
#[cfg(test)]
mod fake;
pub mod frame;
pub mod link;
pub mod login;
#[cfg(test)]
pub(crate) mod recorded;
#[cfg(test)]
mod recording;
mod sasl;
pub mod scram;
pub mod shape;
pub mod tls;
pub mod versions;
mod wire;

pub use call::Call;
pub use code::Code;
pub use endpoint::Endpoint;
pub use error::{ClientError, Fault};
pub use link::Link;
