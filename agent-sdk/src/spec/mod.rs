//! The specification's vocabulary as plain types.
//!
//! Every other room speaks in these words, so they know nothing of any room: no I/O, no HTTP, no SQL, no store. Each
//! type names the place in the specification that it comes from ("Attributes" and "Behaviours" are the two tables of
//! the document *Attributes and Behaviours*; their rows are meant by the names after the arrow). How the types look on
//! the wire is decided by the dialects in `api`, not here.

mod attributes;
mod kind;
mod node;
mod plan;
mod record;
mod shard;
mod timestamp;
mod version;

pub use attributes::{AttributeError, Attributes, Map};
pub use kind::{KindError, KindName, WellKnown};
pub use node::{Addresses, Identity, NodeState, NodeStatus};
pub use plan::{Plan, PlannedStep};
pub(crate) use record::UNDECIDED;
pub use record::{ErrorRecord, Preconditions, Record, Requester, RequesterError, State, Transition};
pub use shard::{Lag, ReplicationState, Role, Shard, Unit};
#[cfg(test)]
pub(crate) use timestamp::stepped;
pub use timestamp::{Timestamp, TimestampError};
pub use version::{AgentVersion, StoreVersion};
