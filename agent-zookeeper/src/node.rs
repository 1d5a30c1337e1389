//! What a server is, from what was seen of it. Pure.
//!
//! The one trap is membership: a server outside the ensemble follows it, calls itself a follower and serves writes. Only
//! the config node tells, so nothing is `Healthy` here whose own id is not in it.

use agent_sdk::datastore::StoreError;
use agent_sdk::spec::{NodeStatus, ReplicationState, Shard, Unit};

use crate::ensemble::Ensemble;
use crate::member::Member;
use crate::session::Membership;
use crate::srvr::{Mode, Srvr, SrvrError};
use crate::words::WordError;

/// What was seen of a server at one time.
#[derive(Debug)]
pub struct Facts {
    /// Its answer to `srvr`.
    pub answer: Result<Srvr, NoAnswer>,
    /// Its id, where known without a session.
    pub known_id: Option<u64>,
    /// Its config node, when it serves; else why it was not read.
    pub membership: Result<Membership, String>,
    /// Its id as it says itself when asked, where nothing else tells.
    pub said_id: Option<u64>,
    /// Whether this agent is about to take it into an ensemble.
    pub joining: bool,
}

/// Why there is no answer to `srvr`.
#[derive(Debug)]
pub enum NoAnswer {
    /// The word has none.
    Word(WordError),
    /// It is none of a server's.
    Srvr(SrvrError),
}

/// Where a server stands to the ensemble.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// One of its members.
    Member,
    /// The whole store by itself, without quorum code.
    Standalone,
    /// Not a member, though it may follow one.
    Outside,
    /// Not to be told, for this reason.
    Unknown(String),
}

impl std::fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Word(error) => error.fmt(f),
            Self::Srvr(error) => write!(f, "what listens there is no ZooKeeper server: {error}"),
        }
    }
}

impl Facts {
    /// Id of the server.
    pub fn id(&self) -> Option<u64> {
        let told = || {
            self.membership
                .as_ref()
                .ok()
                .and_then(|membership| membership.server_id)
        };
        self.known_id.or_else(told).or(self.said_id)
    }

    /// The ensemble that the server shows.
    pub fn ensemble(&self) -> Option<&Ensemble> {
        self.membership.as_ref().ok()?.ensemble.as_ref()
    }

    /// The server's own entry, when it is a member.
    pub fn entry(&self) -> Option<&Member> {
        self.ensemble()?.get(self.id()?)
    }

    /// Where the server stands.
    pub fn place(&self) -> Place {
        match &self.membership {
            Err(reason) => Place::Unknown(reason.clone()),
            Ok(Membership { ensemble: None, .. }) => Place::Standalone,
            Ok(Membership {
                ensemble: Some(_),
                server_id,
            }) => match (disagreement(self.known_id, *server_id), self.id(), self.entry()) {
                (Some(reason), ..) => Place::Unknown(reason),
                (_, _, Some(_)) => Place::Member,
                (_, Some(_), None) => Place::Outside,
                (_, None, None) => Place::Unknown(
                    "the server's id is not known: set store.data_directory or store.server_id".to_owned(),
                ),
            },
        }
    }

    /// How the node is. `last` is how it was seen last.
    pub fn status(&self, last: Option<&str>) -> NodeStatus {
        match &self.answer {
            Err(NoAnswer::Word(error)) => silent_status(error, last),
            Err(error @ NoAnswer::Srvr(_)) => NodeStatus::unknown(error.to_string()),
            Ok(srvr) => self.serving_status(srvr.mode),
        }
    }

    fn serving_status(&self, mode: Mode) -> NodeStatus {
        if mode == Mode::ReadOnly {
            return NodeStatus::unhealthy("the server is cut off from a quorum and serves reads only");
        }
        match self.place() {
            Place::Member => NodeStatus::healthy(),
            Place::Standalone => {
                NodeStatus::healthy().with_reason("the server is standalone: it can be in no ensemble as it is")
            }
            Place::Outside if self.joining => NodeStatus::joining(),
            Place::Outside => {
                let members = self.ensemble().map(Ensemble::ids).unwrap_or_default();
                NodeStatus::not_in_cluster().with_reason(format!(
                    "the server calls itself {}, and the ensemble that it follows has the members {members}",
                    mode.name()
                ))
            }
            Place::Unknown(reason) => NodeStatus::unknown(reason),
        }
    }

    /// Id of the cluster that the running process is in. `outside`: it was not a member when that was last seen.
    pub fn cluster_id(&self, configured: &str, outside: bool) -> Result<Option<String>, StoreError> {
        let inside = Ok(Some(configured.to_owned()));
        match &self.answer {
            Ok(_) => match self.place() {
                Place::Member | Place::Standalone => inside,
                Place::Outside => Ok(None),
                Place::Unknown(reason) => Err(StoreError::refused(anyhow::anyhow!(reason))),
            },
            Err(NoAnswer::Word(WordError::NotServing)) if outside => Ok(None),
            Err(NoAnswer::Word(WordError::NotServing)) => inside,
            Err(error) => Err(store_error(error)),
        }
    }

    /// The one shard, while the server is in an ensemble. `outside` as for [`Facts::cluster_id`].
    pub fn shards(&self, configured: &str, outside: bool) -> Result<Vec<Shard>, StoreError> {
        let shard = |role| Shard::new(configured, role, UNIT);
        match &self.answer {
            Ok(srvr) => Ok(match self.place() {
                Place::Outside => Vec::new(),
                Place::Member | Place::Standalone => vec![shard(role(srvr.mode)).at(srvr.zxid)],
                Place::Unknown(reason) => vec![shard(ReplicationState::Other(reason)).at(srvr.zxid)],
            }),
            Err(NoAnswer::Word(WordError::NotServing)) if outside => Ok(Vec::new()),
            Err(error @ NoAnswer::Word(WordError::NotServing)) => {
                Ok(vec![shard(ReplicationState::Other(error.to_string()))])
            }
            Err(error) => Err(store_error(error)),
        }
    }

    /// How it is in a few words, for the time when it is gone.
    pub fn summary(&self) -> Option<String> {
        let mode = match &self.answer {
            Ok(srvr) => srvr.mode.name(),
            Err(NoAnswer::Word(WordError::NotServing)) => return Some("running and not serving".to_owned()),
            Err(_) => return None,
        };
        Some(match self.place() {
            Place::Member => format!("{mode}, a member of the ensemble"),
            Place::Standalone => mode.to_owned(),
            Place::Outside => format!(
                "{mode} outside of the ensemble: such a server exits at its next start, until its own dynamic file names it again"
            ),
            Place::Unknown(_) => format!("{mode}, its membership unknown"),
        })
    }
}

/// Why an id that is known otherwise is not that of the server that answers: a session tells its lowest eight bits, unless
/// they are 0. Whoever answers then is another server, or the agent is configured for another.
pub fn disagreement(known: Option<u64>, told: Option<u64>) -> Option<String> {
    let (known, told) = (known?, told?);
    (known & 0xff != told).then(|| format!("the configuration says server {known}, the server says {told}"))
}

/// What commit offsets are counted in.
pub const UNIT: Unit = Unit::named("zxid");

fn role(mode: Mode) -> ReplicationState {
    match mode {
        Mode::Leader | Mode::Standalone => ReplicationState::Primary,
        Mode::Follower | Mode::Observer => ReplicationState::Secondary,
        Mode::ReadOnly => ReplicationState::Other("the server is cut off and serves reads only".to_owned()),
    }
}

fn silent_status(error: &WordError, last: Option<&str>) -> NodeStatus {
    let reason = match last {
        Some(last) => format!("{error}; last seen {last}"),
        None => error.to_string(),
    };
    match error {
        WordError::Unreachable { .. } | WordError::Silent { .. } | WordError::Closed(_) => {
            NodeStatus::unavailable(reason)
        }
        WordError::NotServing => NodeStatus::unhealthy(error.to_string()),
        WordError::NotWhitelisted(_) | WordError::Endless(_) | WordError::NotText(_) => {
            NodeStatus::unknown(error.to_string())
        }
    }
}

fn store_error(error: &NoAnswer) -> StoreError {
    let cause = anyhow::anyhow!("{error}");
    match error {
        NoAnswer::Word(WordError::NotWhitelisted(_) | WordError::NotServing) => StoreError::refused(cause),
        NoAnswer::Word(WordError::Endless(_) | WordError::NotText(_)) | NoAnswer::Srvr(_) => StoreError::garbled(cause),
        NoAnswer::Word(WordError::Unreachable { .. } | WordError::Silent { .. } | WordError::Closed(_)) => {
            StoreError::unreachable(cause)
        }
    }
}

/// Whether this sighting says anything about membership: `Some(true)` outside, `Some(false)` inside.
pub fn seen_outside(facts: &Facts) -> Option<bool> {
    match (&facts.answer, facts.place()) {
        (Ok(_), Place::Outside) => Some(true),
        (Ok(_), Place::Member | Place::Standalone) => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
