//! The answers of `/api/v1`, as a client reads them.
//!
//! Keys that a newer agent adds are ignored. Arguments, checkpoints and outputs keep the text that came, so that no
//! number changes on its way.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::spec::PlannedStep;
use crate::spec::{ErrorRecord, NodeState, Preconditions, Role, State, Timestamp};

/// Version of the agent's program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentVersion {
    /// Release number.
    pub number: String,
    /// Revision of the source.
    pub checkout: Option<String>,
    /// Whether the source had changes of its own.
    pub taint: Option<String>,
}

/// Version of the store's process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreVersion {
    /// Release number.
    pub number: String,
    /// Revision of the store's source.
    pub checkout: Option<String>,
    /// The store's own words.
    pub extra: Option<String>,
}

/// `GET /info/node`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeInfo {
    /// Unique within the cluster.
    pub node_id: String,
    /// How the node is.
    pub node_status: NodeState,
    /// Why.
    pub node_status_reason: Option<String>,
    /// The agent's version.
    pub agent_version: AgentVersion,
    /// What kind of store it is.
    pub store_id: String,
    /// The store's version.
    pub store_version: StoreVersion,
    /// Where the node is reached: `client`, `member` and others, each in the store's own form.
    pub addresses: BTreeMap<String, Option<String>>,
    /// What is known without the store's process.
    pub attributes: BTreeMap<String, Value>,
}

/// `GET /info/store`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoreInfo {
    /// The cluster that the running process is in.
    pub cluster_id: Option<String>,
    /// What only the store's process knows.
    pub attributes: BTreeMap<String, Value>,
}

/// `GET /info/shards`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardsInfo {
    /// Each shard on the node.
    pub shards: Vec<ShardInfo>,
}

/// One shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardInfo {
    /// The same text on every node.
    pub shard_id: String,
    /// What the node is to the shard.
    pub replication_state: Role,
    /// Why, for [`Role::Other`].
    pub replication_state_reason: Option<String>,
    /// The last persisted write.
    pub commit_offset: Option<Amount>,
    /// How far this copy is behind.
    pub replication_lag: Option<Amount>,
}

/// A number and what it counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// How many.
    pub value: i64,
    /// Of what.
    pub unit: String,
}

/// `POST /actions`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scheduled {
    /// The id of the new record.
    pub id: Uuid,
}

/// One page of `GET /actions/queue` or `/actions/finished`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Page {
    /// Records without their larger parts.
    pub actions: Vec<Summary>,
    /// Where the next page begins; none at the end.
    pub next: Option<String>,
}

/// A record without its larger parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Unique for good.
    pub id: Uuid,
    /// Which action.
    pub kind: String,
    /// Who asked.
    pub requester: String,
    /// When the client made it.
    pub created_ts: Timestamp,
    /// When the agent recorded it.
    pub scheduled_ts: Timestamp,
    /// When it first ran.
    pub started_ts: Option<Timestamp>,
    /// When it ended.
    pub finished_ts: Option<Timestamp>,
    /// Where it is on its way.
    pub state: State,
    /// Why it failed, or why its last attempt did.
    pub error: Option<ErrorRecord>,
    /// How often it was started.
    pub attempt: u32,
    /// Whether a client asked for its end.
    pub cancel_requested: bool,
    /// Seconds of running time that it has.
    pub deadline_s: u32,
    /// One more with each transition.
    pub version: u64,
}

/// `GET /actions/{id}`: the whole invocation record.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Record {
    /// Unique for good.
    pub id: Uuid,
    /// Which action.
    pub kind: String,
    /// Its arguments.
    pub args: Option<Box<RawValue>>,
    /// Kept for the client.
    pub headers: BTreeMap<String, String>,
    /// Who asked.
    pub requester: String,
    /// When the client made it.
    pub created_ts: Timestamp,
    /// When the agent recorded it.
    pub scheduled_ts: Timestamp,
    /// When it first ran.
    pub started_ts: Option<Timestamp>,
    /// When it ended.
    pub finished_ts: Option<Timestamp>,
    /// Where it is on its way.
    pub state: State,
    /// Its last checkpoint.
    pub state_payload: Option<Box<RawValue>>,
    /// What it gave back.
    pub output: Option<Box<RawValue>>,
    /// Why it failed, or why its last attempt did.
    pub error: Option<ErrorRecord>,
    /// How often it was started.
    pub attempt: u32,
    /// Whether a client asked for its end.
    pub cancel_requested: bool,
    /// What had to hold before the first attempt.
    pub preconditions: Option<Preconditions>,
    /// Seconds of running time that it has.
    pub deadline_s: u32,
    /// One more with each transition.
    pub version: u64,
}

impl Record {
    /// The output as a type; none when there is none, or it is not of that type.
    pub fn output_as<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_str(self.output.as_deref()?.get()).ok()
    }

    /// The last checkpoint as a type; none when there is none, or it is not of that type.
    pub fn payload_as<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_str(self.state_payload.as_deref()?.get()).ok()
    }
}

/// One page of `GET /actions/{id}/history`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct History {
    /// Steps, oldest first.
    pub transitions: Vec<Transition>,
    /// Where the next page begins; none at the end.
    pub next: Option<String>,
}

/// One step of a record.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Transition {
    /// The record's version after the step.
    pub version: u64,
    /// When.
    pub at: Timestamp,
    /// The state after the step.
    pub state: State,
    /// The attempt at the step.
    pub attempt: u32,
    /// The checkpoint made with the step.
    pub state_payload: Option<Box<RawValue>>,
    /// The error that the step records.
    pub error: Option<ErrorRecord>,
}

/// `GET /kinds`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kinds {
    /// What the agent can do.
    pub kinds: Vec<KindInfo>,
    /// Well-known kinds that this store has no use for.
    pub absent: Vec<AbsentKind>,
}

/// One kind of action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KindInfo {
    /// Full name.
    pub kind: String,
    /// What it does.
    pub summary: String,
    /// JSON Schema of its arguments.
    pub args: Value,
    /// JSON Schema of its output.
    pub output: Value,
    /// Seconds of running time that one invocation has.
    pub deadline_s: u32,
    /// Whether it can tell what it would do.
    pub plan: bool,
}

/// A well-known kind that this store has no use for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AbsentKind {
    /// Full name.
    pub kind: String,
    /// Why not.
    pub reason: String,
    /// What to do instead.
    pub instead: String,
}

/// `POST /kinds/…/plan`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanAnswer {
    /// Which kind.
    pub kind: String,
    /// Whether the goal holds already.
    pub done: bool,
    /// What would be done, in order.
    pub steps: Vec<PlannedStep>,
    /// Why it would fail, when it would.
    pub refused: Option<ErrorRecord>,
    /// What only acting would show.
    pub unchecked: Vec<String>,
}
