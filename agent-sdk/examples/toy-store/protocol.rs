//! What is said to a node and between nodes.
//!
//! One JSON object per line over TCP, at most [`LINE_CAP`] bytes each way; one answer per request, in order; a connection
//! may carry many. `{"do": "status"}` is answered by `{"ok": {…}}` or `{"error": {"code": "…", "message": "…"}}`.
//!
//! | `do` | with | asked of | `ok` |
//! |---|---|---|---|
//! | `status` | | any node | [`Status`], from this node's memory alone |
//! | `write` | `data` | the primary | `offset`, `epoch`, once a majority holds it on disk |
//! | `read` | `from` | any node | `from`, `entries`, `committed`: only what a majority is known to hold |
//! | `init` | `cluster_id`? | a node in no cluster | [`Status`], as the primary of a cluster of one |
//! | `join` | `node` (a member's address), `if_version`? | the node to let in | [`Membership`] |
//! | `add` | `node` (the new node's address), `if_version`? | any member | [`Membership`] |
//! | `remove` | `node` (a member's name or address), `if_version`? | any member | [`Membership`] |
//! | `pull`, `vote`, `stand`, `adopt` | see [`Request`] | nodes among themselves | |
//!
//! `join`, `add` and `remove` answer within [`CHANGE_DEADLINE`], `write` within [`WRITE_DEADLINE`]. What was already so is
//! answered with `changed: false` and leaves the configuration's version alone. There is no authentication: this store
//! is for a loopback interface and for learning from.

use serde::{Deserialize, Serialize};
use std::time::Duration;

use crate::log::Entry;
use crate::membership::Member;

/// Bytes in a line, its end included. A peer that sends more is cut off, so nobody can make a node buffer more.
pub(crate) const LINE_CAP: usize = 64 * 1024;
/// Bytes of entries in one answer: what remains of a line is for its envelope.
pub(crate) const BATCH_BYTES: usize = 48 * 1024;
/// Bytes of one entry as it is stored, so that every entry fits a batch.
pub(crate) const ENTRY_BYTES: usize = 32 * 1024;
/// How long a node works on a membership change. Askers should wait a little longer.
pub(crate) const CHANGE_DEADLINE: Duration = Duration::from_secs(10);
/// How long a write waits for its majority.
pub(crate) const WRITE_DEADLINE: Duration = Duration::from_secs(3);

/// Everything a node understands.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Request {
    Status {},
    Write {
        data: String,
    },
    Read {
        from: u64,
    },
    Init {
        cluster_id: Option<String>,
    },
    Join {
        node: String,
        if_version: Option<u64>,
    },
    Add(Change),
    Remove(Change),
    /// A secondary asks for what comes after its `offset`; asking again from further on is how it says what it holds.
    Pull(Pull),
    /// A candidate asks for a vote.
    Vote(Ballot),
    /// The primary asks a member that holds everything to take over at once.
    Stand {
        cluster_id: String,
        epoch: u64,
    },
    /// The primary tells a node outside to start copying from these members.
    Adopt {
        cluster_id: String,
        epoch: u64,
        members: Vec<Member>,
    },
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    pub(crate) node: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) if_version: Option<u64>,
    /// Set by a member that passes the request on, which happens once: two members wrong about each other do not loop.
    #[serde(default)]
    pub(crate) forwarded: bool,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pull {
    pub(crate) cluster_id: String,
    pub(crate) name: String,
    pub(crate) epoch: u64,
    pub(crate) offset: u64,
    /// Epoch of the entry before `offset`, 0 at the start: if the primary has another there, the logs differ.
    pub(crate) last_epoch: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Pulled {
    pub(crate) epoch: u64,
    pub(crate) length: u64,
    pub(crate) committed: u64,
    pub(crate) entries: Vec<Entry>,
    /// The logs differ before the offset asked for: ask again from here, and cut nothing until they agree.
    pub(crate) retry_from: Option<u64>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ballot {
    pub(crate) cluster_id: String,
    pub(crate) candidate: String,
    pub(crate) epoch: u64,
    pub(crate) last_epoch: u64,
    pub(crate) length: u64,
    /// Only asks whether a vote would be given: binds nobody, so that a node that was cut off does not depose a primary.
    pub(crate) trial: bool,
    /// The primary asked for this election: hearing from it is no reason to refuse.
    pub(crate) handover: bool,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Voted {
    pub(crate) granted: bool,
    pub(crate) epoch: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    /// Leads its epoch, and a majority was heard from lately.
    Primary,
    /// A member that has caught up with what its primary held when they met. It may lag since: `lag` says so.
    Secondary,
    /// Has a cluster, but is not a member yet, or has not caught up since it started, last led or last lost entries.
    Recovering,
    /// In no cluster.
    None,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Status {
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) version: String,
    pub(crate) cluster_id: Option<String>,
    pub(crate) role: Role,
    pub(crate) epoch: u64,
    /// Entries in this node's log on disk, those of elections and membership changes included.
    pub(crate) commit_offset: u64,
    /// Of those, how many a majority is known to hold. 0 after a start, until the primary was heard.
    pub(crate) committed: u64,
    /// Entries behind the primary, by its last answer; null when it never gave one.
    pub(crate) lag: Option<u64>,
    /// The primary as far as this node has heard lately; null means that it knows of none.
    pub(crate) primary: Option<Member>,
    pub(crate) members: Vec<Member>,
    pub(crate) config_version: u64,
}

/// The answer to a membership change; `changed` is false when there was nothing to do.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Membership {
    pub(crate) changed: bool,
    pub(crate) config_version: u64,
    pub(crate) members: Vec<Member>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    Ok(serde_json::Value),
    Error(Fault),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Code {
    /// Not a request, or too large. Asking again is of no use.
    BadRequest,
    /// Another node leads (`primary` names it, when known), or none does yet. Ask there, or later.
    NotPrimary,
    /// What was asked for is in the log, but no majority held it in time: it is **undecided**, so read before asking again.
    NoQuorum,
    /// The node is in a cluster (`cluster_id` names it).
    AlreadyInitialised,
    /// The node asked, or the one named as a member, is in no cluster.
    NotInCluster,
    /// The other node is in another cluster (`cluster_id` names it).
    OtherCluster,
    /// The primary has committed a configuration without the asking node.
    NotMember,
    /// The other node does not answer. Nothing was changed.
    Unreachable,
    /// The change was passed on to another node, which did not answer: it is **undecided**, so read before asking again.
    Unanswered,
    /// Another member has this name.
    NameTaken,
    /// A member came back with an empty directory: remove it, then add it, or its old promises would be forgotten.
    LostItsData,
    /// The only member cannot be removed.
    LastMember,
    /// The configuration is not the one in `if_version`. Nothing was changed.
    VersionChanged,
    /// The new node did not catch up, or an earlier change did not finish, in time. Nothing was changed; ask again.
    NotReady,
    /// The node cannot use its disk and is stopping.
    Disk,
}

#[derive(Debug, Clone, thiserror::Error, Serialize, Deserialize)]
#[error("{message}")]
pub(crate) struct Fault {
    pub(crate) code: Code,
    pub(crate) message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) primary: Option<Member>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cluster_id: Option<String>,
}

impl Fault {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            primary: None,
            cluster_id: None,
        }
    }

    pub(crate) fn in_cluster(code: Code, id: &str) -> Self {
        let message = format!("the node is in cluster {id}");
        Self {
            cluster_id: Some(id.to_owned()),
            ..Self::new(code, message)
        }
    }

    pub(crate) fn not_primary(primary: Option<Member>) -> Self {
        let message = match &primary {
            Some(member) => format!("the primary is {} at {}", member.name, member.address),
            None => "there is no primary at the moment, as far as this node knows".to_owned(),
        };
        Self {
            primary,
            ..Self::new(Code::NotPrimary, message)
        }
    }
}

/// The only I/O errors that reach an answer are those of the node's own files.
impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        Self::new(Code::Disk, error.to_string())
    }
}
