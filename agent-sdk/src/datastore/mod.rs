//! What a vendor implements to show a node, and how the agent looks at it.
//!
//! A [`DataStore`] only answers; everything about *asking* is the agent's: deadlines, one call in flight for any number
//! of callers, what to say when the store does not answer. That is [`Observer`]'s work.

mod error;
mod flight;
mod memory;
mod observe;
#[cfg(test)]
mod tests;

use std::future::Future;

pub use error::StoreError;
pub(crate) use memory::Memory;
pub use observe::{Configured, NodeInfo, ObserveError, Observer, ShardsInfo, StoreInfo};

use crate::spec::{Attributes, Identity, Map, NodeStatus, Shard};

/// One node of a data store, as its agent sees it.
///
/// **Guarantees the agent gives**: at most one call of each method is waited for at a time, whatever the number of
/// clients; every call has a deadline (`observe.deadline_ms`, 2 s by default) and its future is dropped when that is
/// over; methods run on a runtime apart from the one that serves HTTP.
///
/// **Assumptions**: methods are cheap, have no side effects and ask nobody but the node itself (Attributes, second
/// paragraph). Dropping a future at any await is safe.
pub trait DataStore: Send + Sync + 'static {
    /// What kind of store this is, such as `zookeeper`: the same for every node.
    const STORE_ID: &'static str;

    /// How the node is. It cannot fail: whatever goes wrong is one of the seven states.
    fn status(&self) -> impl Future<Output = NodeStatus> + Send;

    /// Who the node is. It cannot fail either: what is not known is missing.
    fn identity(&self) -> impl Future<Output = Identity> + Send;

    /// Id of the node's cluster, the same on every node of it; `None` while the running process is in no cluster.
    fn cluster_id(&self) -> impl Future<Output = Result<Option<String>, StoreError>> + Send;

    /// Every shard on the node, in one go: a store with ten thousand costs a handful of requests.
    fn shards(&self) -> impl Future<Output = Result<Vec<Shard>, StoreError>> + Send;

    /// One of the two attribute maps. An attribute that cannot be read is left out ([`Attributes::insert_known`]).
    fn attributes(&self, which: Map) -> impl Future<Output = Attributes> + Send;
}
