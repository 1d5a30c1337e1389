//! Bringing a command to one mongod and its answer back.
//!
//! The driver does the protocol; what is added here is what an agent needs beyond it.
//!
//! - A [`Link`] is to one server, asks no other, and keeps a connection for each command at a time and one with which the driver
//!   looks whether the server is there: as seldom as it may while all is well, at once when a command needs to know.
//! - Every command ends in time, also where the server is frozen: the driver would wait for its answer for ever.
//! - The driver says that no server is available where it has not been let in, or where what listens is none. [`Fault`]
//!   tells these apart.

mod fault;
mod link;
mod options;
mod read;

pub use fault::Fault;
pub use link::Link;
pub use read::Read;
