//! The invocation record: what is asked of an action and what became of it (Attributes → Agent Action Invocation
//! Records).

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use thiserror::Error;
use uuid::Uuid;

use super::{KindName, NodeState, Role, Timestamp};

/// Where an action is on its way. The lawful steps between states are in `ledger::transition`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// Accepted, waiting for its turn.
    New,
    /// The one that runs, or waits for its next attempt.
    Running,
    /// Ended as it should. Final.
    Done,
    /// Ended otherwise; the record's error says how. Final.
    Failed,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::New, Self::Running, Self::Done, Self::Failed];

    /// The state's name on the wire, upper case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "NEW",
            Self::Running => "RUNNING",
            Self::Done => "DONE",
            Self::Failed => "FAILED",
        }
    }

    /// Whether nothing follows it.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Failed)
    }
}

/// Who asked for an action: 1 to 200 visible characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requester(String);

/// A requester that cannot be recorded.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("a requester has 1 to 200 visible characters")]
pub struct RequesterError;

impl Requester {
    /// Who asks when a request through the agent's API does not say.
    pub const DEFAULT: &'static str = "AGENT_API";

    /// Checks a requester.
    pub fn parse(text: &str) -> Result<Self, RequesterError> {
        let visible = |c: char| !c.is_control() && (c == ' ' || !c.is_whitespace());
        if (1..=200).contains(&text.chars().count()) && !text.trim().is_empty() && text.chars().all(visible) {
            Ok(Self(text.to_owned()))
        } else {
            Err(RequesterError)
        }
    }

    /// The requester's name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Requester {
    fn default() -> Self {
        Self(Self::DEFAULT.to_owned())
    }
}

impl fmt::Display for Requester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What must hold right before an action's first attempt. One of each list, all lists; a shard that is not on the node
/// does not hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Preconditions {
    /// The node is in one of these states.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub node_status: Vec<NodeState>,
    /// By shard: this node is one of these to it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub shards: BTreeMap<String, Vec<Role>>,
}

/// A request that was sent to the store was not answered, and what came of it could not be read back.
pub(crate) const UNDECIDED: &str = "undecided";

/// Why an action failed, or why its last attempt did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorRecord {
    /// Stable, lower snake case.
    pub code: String,
    /// For people.
    pub message: String,
    /// Whether the same request may succeed later.
    pub retryable: bool,
}

impl ErrorRecord {
    /// What a client's request to cancel leaves of an action whose last attempt failed with `last`.
    ///
    /// What was sent and not answered stays undecided: that it was cancelled must not hide that a request is out there.
    pub(crate) fn cancelled(last: Option<&Self>) -> Self {
        if let Some(undecided) = last.filter(|error| error.code == UNDECIDED) {
            return undecided.clone();
        }
        Self {
            code: "cancelled".to_owned(),
            message: "the action was cancelled by a client".to_owned(),
            retryable: false,
        }
    }

    /// What the end of an action's running time leaves: with the reason of its last attempt, which is `last`, or else the
    /// one that the record tells.
    ///
    /// What was sent and not answered stays undecided, however long it was tried to read it back.
    pub(crate) fn out_of_time(record: &Record, last: Option<&Self>) -> Self {
        let last = last.or(record.error.as_ref());
        let why = last.map_or_else(String::new, |error| {
            format!("; its last attempt: {} ({})", error.message, error.code)
        });
        let code = match last {
            Some(error) if error.code == UNDECIDED => UNDECIDED,
            _ => "deadline",
        };
        Self {
            code: code.to_owned(),
            message: format!("the action did not end within its {} s{why}", record.deadline_s),
            retryable: true,
        }
    }
}

/// One invocation record.
#[derive(Debug, Clone)]
pub struct Record {
    /// Unique for good; chosen by the client or made by the agent.
    pub id: Uuid,
    /// Which action.
    pub kind: KindName,
    /// Its arguments, in the very text that came; none when they were null or not given.
    pub args: Option<Box<RawValue>>,
    /// Kept for the client.
    pub headers: BTreeMap<String, String>,
    /// Who asked.
    pub requester: Requester,
    /// What must hold before the first attempt.
    pub preconditions: Option<Preconditions>,
    /// Seconds of running time that the action has, pauses between attempts included, downtime not.
    pub deadline_s: u32,
    /// W3C `traceparent` of the request, kept beside the headers.
    pub trace: Option<String>,
    /// When the client says it made the action, else when it came.
    pub created_ts: Timestamp,
    /// When the agent recorded it.
    pub scheduled_ts: Timestamp,
    /// When it first ran.
    pub started_ts: Option<Timestamp>,
    /// When it entered its final state.
    pub finished_ts: Option<Timestamp>,
    /// Where it is on its way.
    pub state: State,
    /// Its last checkpoint.
    pub state_payload: Option<Box<RawValue>>,
    /// What it gave back, when `Done`.
    pub output: Option<Box<RawValue>>,
    /// Why it failed, or why its last attempt did.
    pub error: Option<ErrorRecord>,
    /// How often it was started: 0 before the first time.
    pub attempt: u32,
    /// Whether a client asked for its end.
    pub cancel_requested: bool,
    /// One more with each transition; 1 when accepted.
    pub version: u64,
}

/// One step in a record's history.
#[derive(Debug, Clone)]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_requester_is_1_to_200_visible_characters() {
        assert!(Requester::parse("CORE_API").is_ok());
        assert!(Requester::parse("Ann of operations").is_ok());
        assert!(Requester::parse(&"é".repeat(200)).is_ok());
        for bad in ["", "   ", "a\nb", "a\u{7f}", "a\tb", &"a".repeat(201)] {
            assert_eq!(Requester::parse(bad), Err(RequesterError), "{bad:?}");
        }
    }
}
