//! A shard: the unit of data that is replicated by itself (Behaviours → Sharding of Data, Replication).

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a node is to a shard (Attributes → Shard replication state).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplicationState {
    /// The node takes the shard's updates and passes them on.
    Primary,
    /// The node holds an up-to-date copy and applies what the primary passes on.
    Secondary,
    /// The node's copy is being filled again from another node.
    Recovering,
    /// The node holds, or should hold, a copy, and what it is cannot be told; with the reason.
    Other(String),
}

impl ReplicationState {
    /// Which of the four it is, without the reason.
    pub const fn role(&self) -> Role {
        match self {
            Self::Primary => Role::Primary,
            Self::Secondary => Role::Secondary,
            Self::Recovering => Role::Recovering,
            Self::Other(_) => Role::Other,
        }
    }

    /// Why the state is what it is, for the one that has a reason.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Other(reason) => Some(reason),
            Self::Primary | Self::Secondary | Self::Recovering => None,
        }
    }
}

/// The four replication states by name, as preconditions ask for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Role {
    /// [`ReplicationState::Primary`]
    Primary,
    /// [`ReplicationState::Secondary`]
    Secondary,
    /// [`ReplicationState::Recovering`]
    Recovering,
    /// [`ReplicationState::Other`]
    Other,
}

impl Role {
    /// The role's name on the wire, upper snake case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Primary => "PRIMARY",
            Self::Secondary => "SECONDARY",
            Self::Recovering => "RECOVERING",
            Self::Other => "OTHER",
        }
    }
}

/// What a commit offset or a lag is counted in. For one shard it never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
    /// Anything else by its name: `offset`, `zxid`, `entries`.
    Named(Cow<'static, str>),
}

impl Unit {
    /// A unit with a name known at compile time.
    pub const fn named(name: &'static str) -> Self {
        Self::Named(Cow::Borrowed(name))
    }

    /// The unit's name.
    pub fn name(&self) -> &str {
        match self {
            Self::Seconds => "seconds",
            Self::Milliseconds => "milliseconds",
            Self::Named(name) => name,
        }
    }
}

/// How far a copy is behind its primary (Attributes → Shard replication lag).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lag {
    /// The gap, in `unit`.
    pub value: i64,
    /// What the gap is counted in.
    pub unit: Unit,
}

/// One shard on one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shard {
    /// The same text on every node of the cluster (Attributes → Shard ID).
    pub id: String,
    /// What this node is to the shard.
    pub role: ReplicationState,
    /// The last persisted write, where it can be read just now. It goes down only with a lost write.
    pub commit_offset: Option<i64>,
    /// What `commit_offset` is counted in: known, and the same, also while the offset cannot be read.
    pub offset_unit: Unit,
    /// How far this copy is behind; missing for a primary, and where the node alone cannot tell.
    pub lag: Option<Lag>,
}

impl Shard {
    /// A shard whose offset and lag are not known yet.
    pub fn new(id: impl Into<String>, role: ReplicationState, offset_unit: Unit) -> Self {
        Self {
            id: id.into(),
            role,
            commit_offset: None,
            offset_unit,
            lag: None,
        }
    }

    /// The same shard at this offset.
    #[must_use]
    pub fn at(mut self, commit_offset: i64) -> Self {
        self.commit_offset = Some(commit_offset);
        self
    }

    /// The same shard, this far behind.
    #[must_use]
    pub fn behind(mut self, value: i64, unit: Unit) -> Self {
        self.lag = Some(Lag { value, unit });
        self
    }
}
