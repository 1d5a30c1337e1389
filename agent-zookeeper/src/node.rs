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
mod tests {
    use agent_sdk::spec::NodeState;

    use super::*;

    fn facts(mode: &str, own: Option<u64>, config: &str) -> Facts {
        Facts {
            answer: Ok(Srvr::parse(&format!("Zxid: 0x100000007\nMode: {mode}")).unwrap()),
            known_id: own,
            membership: Ok(Membership {
                ensemble: Ensemble::parse(config.as_bytes()).unwrap(),
                server_id: Some(own.unwrap_or(2)),
            }),
            said_id: None,
            joining: false,
        }
    }

    fn without(error: WordError) -> Facts {
        Facts {
            answer: Err(NoAnswer::Word(error)),
            known_id: Some(1),
            membership: Err("not asked".into()),
            said_id: None,
            joining: false,
        }
    }

    fn silent() -> WordError {
        WordError::Silent {
            address: "h:1".parse().unwrap(),
            within: std::time::Duration::from_secs(1),
        }
    }

    const ONE: &str = "server.1=h:1:2;3\nversion=100000000";

    #[test]
    fn a_server_outside_says_follower_and_is_not_in_the_cluster() {
        for mode in ["leader", "follower", "observer"] {
            assert_eq!(facts(mode, Some(1), ONE).status(None), NodeStatus::healthy());
            let mut outside = facts(mode, Some(2), ONE);
            assert_eq!(outside.status(None).state(), NodeState::NotInCluster, "{mode}");
            assert_eq!(outside.shards("zk", false).unwrap(), []);
            assert_eq!(outside.cluster_id("zk", false).unwrap(), None);
            outside.joining = true;
            assert_eq!(outside.status(None), NodeStatus::joining());
        }
        // Without a file or a configured id the session tells: 2.
        assert_eq!(
            facts("follower", None, ONE).status(None).state(),
            NodeState::NotInCluster
        );
    }

    #[test]
    fn a_server_of_another_id_than_is_configured_is_unknown() {
        let mut other = facts("follower", Some(1), "server.1=h:1:2;3\nserver.2=h:4:5;6\nversion=1");
        assert_eq!(other.status(None), NodeStatus::healthy());
        let tell = |facts: &mut Facts, id| facts.membership.as_mut().unwrap().server_id = id;
        tell(&mut other, Some(2));
        let reason = "the configuration says server 1, the server says 2";
        assert_eq!(other.status(None), NodeStatus::unknown(reason));
        assert!(other.cluster_id("zk", false).is_err());
        assert_eq!(seen_outside(&other), None);
        // The session has the lowest eight bits only.
        for (known, told, agree) in [(257, 1, true), (258, 1, false), (1, 1, true)] {
            assert_eq!(disagreement(Some(known), Some(told)).is_none(), agree, "{known} {told}");
        }
        assert_eq!(
            (disagreement(None, Some(1)), disagreement(Some(256), None)),
            (None, None)
        );
        let mut alone = facts("standalone", Some(1), "");
        tell(&mut alone, Some(2));
        assert_eq!(alone.status(None).state(), NodeState::Healthy);
    }

    #[test]
    fn nothing_is_healthy_that_is_not_known_to_be_a_member() {
        let mut unread = facts("leader", Some(1), ONE);
        unread.membership = Err("no right to read it".into());
        assert_eq!(unread.status(None), NodeStatus::unknown("no right to read it"));
        assert_eq!(
            unread.shards("zk", false).unwrap()[0].role.role(),
            agent_sdk::spec::Role::Other
        );
        let mut nameless = facts("leader", None, ONE);
        if let Ok(membership) = &mut nameless.membership {
            membership.server_id = None;
        }
        assert_eq!(nameless.status(None).state(), NodeState::Unknown);
        assert_eq!(
            facts("read-only", Some(1), ONE).status(None).state(),
            NodeState::Unhealthy
        );
    }

    #[test]
    fn roles_and_offsets_come_from_srvr() {
        let shard = |mode| facts(mode, Some(1), ONE).shards("zk", false).unwrap().remove(0);
        assert_eq!(
            shard("leader"),
            Shard::new("zk", ReplicationState::Primary, UNIT).at(0x1_0000_0007)
        );
        assert_eq!(shard("follower").role, ReplicationState::Secondary);
        assert_eq!(shard("observer").role, ReplicationState::Secondary);
        assert_eq!(shard("observer").lag, None);
        let alone = facts("standalone", None, "");
        assert_eq!(alone.shards("zk", false).unwrap()[0].role, ReplicationState::Primary);
        assert_eq!(alone.status(None).state(), NodeState::Healthy);
    }

    #[test]
    fn each_way_not_to_answer_has_its_state() {
        let state = |error| without(error).status(None).state();
        let address = || "h:1".parse().unwrap();
        assert_eq!(state(silent()), NodeState::Unavailable);
        assert_eq!(state(WordError::Closed(address())), NodeState::Unavailable);
        assert_eq!(state(WordError::NotServing), NodeState::Unhealthy);
        assert_eq!(state(WordError::NotWhitelisted("srvr")), NodeState::Unknown);
        assert_eq!(state(WordError::Endless(address())), NodeState::Unknown);
        assert_eq!(state(WordError::NotText(address())), NodeState::Unknown);
        let last = without(silent()).status(Some("follower outside of the ensemble"));
        assert!(
            last.reason().unwrap().contains("last seen follower outside"),
            "{last:?}"
        );
    }

    #[test]
    fn a_server_that_does_not_serve_keeps_its_shard_unless_it_was_outside() {
        let shards = without(WordError::NotServing).shards("zk", false).unwrap();
        assert!(shards[0].role.reason().unwrap().contains("not serving"));
        assert_eq!(without(WordError::NotServing).shards("zk", true).unwrap(), []);
        assert_eq!(
            without(WordError::NotServing)
                .cluster_id("zk", false)
                .unwrap()
                .as_deref(),
            Some("zk")
        );
        assert!(matches!(
            without(silent()).shards("zk", false),
            Err(StoreError::Unreachable(_))
        ));
    }
}
