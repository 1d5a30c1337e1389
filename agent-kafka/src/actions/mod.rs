//! The actions on a cluster.
//!
//! `cluster.init` and `cluster.join` bring the node beside the agent up from a blank disk: both format, start and wait
//! (`storage`); what comes then differs. `cluster.join` and `cluster.add` make a controller a voter, seen from two sides:
//! `candidate` finds out what is to be added, always from the node itself. `cluster.remove` is the reverse. Who
//! leads partitions, and where their replicas are, is changed by two kinds of Kafka's own, `elect` and `drain`.
//!
//! Each reads, decides by a pure function, makes its decision durable, applies it and reads again. A change whose answer did
//! not come is decided by that reading; `outcome` says what an answer calls for.

mod add;
mod candidate;
mod drain;
mod elect;
mod init;
mod join;
mod outcome;
mod reach;
mod remove;
mod storage;

pub use add::{Add, Added};
pub use candidate::Candidate;
pub use drain::{Batch, Drain, DrainArgs, Drained, Target};
pub use elect::{Elect, ElectArgs, Elected, Round};
pub use init::{Init, InitArgs, Initialised};
pub use join::{Join, Joined};
pub use reach::MemberArgs;
pub use remove::{Remove, RemoveArgs, Removed};
