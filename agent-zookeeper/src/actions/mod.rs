//! The four actions that change an ensemble.
//!
//! `cluster.add` and `cluster.join` are one change seen from two sides: a server is admitted, by a member or by itself;
//! `admit` decides it for both. `cluster.remove` is the reverse, `cluster.init` changes nothing: an ensemble of one
//! is one by its configuration, and init verifies that it is. Each change is one request, guarded by the version that
//! was read; `change` is that request as a step, made durable before it is sent, and `doubt` keeps account of what was
//! sent and not answered.

mod add;
mod admit;
mod change;
mod doubt;
mod init;
mod join;
mod joiner;
mod remove;

pub use add::{Add, AddArgs};
pub use change::{Change, Edit, Outcome};
pub use doubt::Accounted;
pub(crate) use doubt::Doubt;
pub use init::{Init, Initialised};
pub use join::{Join, JoinArgs};
pub use remove::{Remove, Removed};
