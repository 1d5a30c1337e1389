//! What a vendor implements to act on a node.
//!
//! Two traits, smallest first: [`Action`] runs; [`Converge`] is what every action on a cluster is made of, and gives
//! `run` and `plan` from the same reading and the same decision. Both begin with a [`Kind`]: the name, the arguments
//! and the result. The [`Catalogue`] holds what an agent offers, with the types erased.

mod catalogue;
mod converge;
mod error;
mod invocation;
pub(crate) mod json;
mod reference;
mod wellknown;

use std::future::Future;
use std::time::Duration;

pub use crate::spec::{Plan, PlannedStep};
pub(crate) use catalogue::Handler;
pub use catalogue::{Absent, ArgsError, Catalogue, CatalogueError, Entry};
pub use converge::{Converge, Next};
pub use error::{ActionError, Fault};
pub(crate) use invocation::{CheckpointSink, SaveError, Seat};
pub use invocation::{Interrupt, Invocation};
pub use wellknown::{NoArgs, NodeArgs};

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A kind of action: its name, what it takes and what it gives (Behaviours → Agent Actions, last paragraph).
pub trait Kind: Send + Sync + 'static {
    /// Full name, `scope/name`. Scopes at `replicante.io` are the specification's.
    const KIND: &'static str;
    /// What it does, in one sentence for the operator.
    const SUMMARY: &'static str;
    /// How much running time one invocation has, 1 s to 24 days: attempts and the pauses between them, downtime not.
    const DEADLINE: Duration;
    /// What it takes. Checked when the action is scheduled; keys that it does not know are refused.
    type Args: DeserializeOwned + JsonSchema + Send + Sync;
    /// What it gives back when it is done.
    type Output: Serialize + JsonSchema + Send;
}

/// An action: a handler that the agent runs, one at a time, in the order of acceptance.
///
/// **Guarantees the agent gives**: that the action runs is on disk before the first instruction of `run`; a checkpoint
/// is on disk before [`Invocation::checkpoint`] returns; delivery is *at least once*: after a crash `run` begins again,
/// with the last checkpoint and a higher attempt number.
///
/// **Assumptions**: `run` may be begun again at any point and finds out by reading how far it had come. It is dropped at
/// an await when its deadline, or the agent's stop, and the grace after it are over. What it leaves running (tasks, threads) must
/// not block the runtime, which is the runner's own.
///
/// **Errors**: [`ActionError::Retry`] is tried again with growing pauses until the deadline, [`ActionError::Final`]
/// ends the action.
pub trait Action: Kind {
    /// Whether [`Action::plan`] has something to say.
    const PLANS: bool = false;

    /// Acts.
    fn run(
        &self,
        args: &Self::Args,
        invocation: &mut Invocation,
    ) -> impl Future<Output = Result<Self::Output, ActionError>> + Send;

    /// What `run` would do now, without doing it.
    fn plan(&self, args: &Self::Args) -> impl Future<Output = Result<Plan, ActionError>> + Send {
        let _ = args;
        async { Err(ActionError::NoPlan) }
    }
}
