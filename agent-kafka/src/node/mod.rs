//! What a process is, from what was seen of it. Pure.
//!
//! Two things look healthy in Kafka that are not, and shape all of this. A cluster whose quorum is lost answers as ever:
//! only the quorum itself tells. And a broker's port is closed until it is unfenced: what a starting node is, its
//! controller's listener says, where it has one.

use agent_sdk::datastore::StoreError;
use agent_sdk::spec::NodeStatus;

use crate::ask::cluster::Cluster;
use crate::ask::quorum::Replica;
use crate::ask::{AskError, Configuration, Directory, Quorum};
use crate::client::versions::Versions;
use crate::client::{Code, Fault};
use crate::storage::Storage;

/// What was seen of a process at one time.
#[derive(Debug)]
pub struct Facts {
    /// Its log directories, as they lie on the disk.
    pub storage: Storage,
    /// Its id, where known without asking it.
    pub known_id: Option<i32>,
    /// What listens for clients; none where the agent is told of no such listener.
    pub broker: Option<Result<Broker, AskError>>,
    /// What listens for controllers.
    pub controller: Option<Result<Controller, AskError>>,
    /// The quorum.
    pub quorum: Result<Quorum, AskError>,
    /// What was seen before.
    pub before: Before,
    /// Whether this agent is about to take it into a cluster.
    pub joining: bool,
}

/// What listens for clients.
#[derive(Debug)]
pub struct Broker {
    /// What it knows.
    pub versions: Versions,
    /// The cluster as it sees it.
    pub cluster: Cluster,
    /// Who it is.
    pub own: Own,
    /// Its log directories; none where it does not tell.
    pub directories: Option<Vec<Directory>>,
    /// Whether it is in sync for any of its partitions; none where it has none, or that was not to be found out.
    pub in_sync: Option<bool>,
}

/// What listens for controllers.
#[derive(Debug)]
pub struct Controller {
    /// What it knows.
    pub versions: Versions,
    /// The cluster's controllers as it sees them.
    pub cluster: Cluster,
    /// Who it is.
    pub own: Own,
}

/// Who answers.
#[derive(Debug)]
pub enum Own {
    /// The node beside the agent, with its configuration.
    Itself(Configuration),
    /// Another node.
    Another,
    /// It does not tell, for this reason.
    Untold(String),
}

/// What was seen of the same process shortly before.
#[derive(Debug, Clone, Copy, Default)]
pub struct Before {
    /// Its broker took clients, and was in sync.
    pub served: bool,
    /// It was a voter.
    pub voted: bool,
}

/// Where a controller stands to the quorum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Vote {
    /// It leads.
    Leads,
    /// It votes.
    Votes,
    /// It follows, and does not vote.
    Observes,
    /// The quorum does not know it.
    Unknown,
}

impl Vote {
    /// In a word.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Leads => "leader",
            Self::Votes => "voter",
            Self::Observes => "observer",
            Self::Unknown => "none",
        }
    }

    /// Whether its vote counts.
    pub const fn counts(&self) -> bool {
        matches!(self, Self::Leads | Self::Votes)
    }
}

impl Facts {
    /// The broker, where it answers.
    pub fn live_broker(&self) -> Option<&Broker> {
        self.broker.as_ref()?.as_ref().ok()
    }

    /// The controller, where it answers.
    pub fn live_controller(&self) -> Option<&Controller> {
        self.controller.as_ref()?.as_ref().ok()
    }

    /// Its own configuration, where it tells.
    pub fn configuration(&self) -> Option<&Configuration> {
        let owns = [
            self.live_broker().map(|broker| &broker.own),
            self.live_controller().map(|it| &it.own),
        ];
        owns.into_iter().flatten().find_map(|own| match own {
            Own::Itself(configuration) => Some(configuration),
            Own::Another | Own::Untold(_) => None,
        })
    }

    /// Its id.
    pub fn id(&self) -> Option<i32> {
        self.known_id.or_else(|| self.configuration().map(|own| own.node_id))
    }

    /// What it knows of the protocol, where it answers.
    pub fn versions(&self) -> Option<&Versions> {
        let broker = self.live_broker().map(|broker| &broker.versions);
        broker.or_else(|| self.live_controller().map(|controller| &controller.versions))
    }

    /// The cluster's id, as the process tells it.
    pub fn told_cluster_id(&self) -> Option<&str> {
        let broker = self.live_broker().map(|broker| &broker.cluster);
        let cluster = broker.or_else(|| self.live_controller().map(|controller| &controller.cluster))?;
        Some(&cluster.id)
    }

    /// Whether it is a broker: as it says, else as the agent is told.
    pub fn is_broker(&self) -> bool {
        self.configuration().map_or(self.broker.is_some(), |own| own.is_broker)
    }

    /// Whether it is a controller.
    pub fn is_controller(&self) -> bool {
        self.configuration()
            .map_or(self.controller.is_some(), |own| own.is_controller)
    }

    /// Its copy of the metadata log, as the quorum knows it.
    pub fn replica(&self) -> Option<&Replica> {
        let (quorum, id, directory) = (self.quorum.as_ref().ok()?, self.id()?, self.directory());
        quorum.voter(id, directory).or_else(|| quorum.observer(id, directory))
    }

    /// Where it stands to the quorum; none where that is not known.
    pub fn vote(&self) -> Option<Vote> {
        let (quorum, id, directory) = (self.quorum.as_ref().ok()?, self.id()?, self.directory());
        Some(match (quorum.voter(id, directory), quorum.observer(id, directory)) {
            (Some(_), _) if quorum.leader == Some(id) => Vote::Leads,
            (Some(_), _) => Vote::Votes,
            (None, Some(_)) => Vote::Observes,
            (None, None) => Vote::Unknown,
        })
    }

    /// The id of the directory that holds its metadata log, where the agent may read it.
    pub fn directory(&self) -> Option<uuid::Uuid> {
        self.storage.format()?.directory_id
    }

    /// How the node is. `last` is how it was seen last.
    pub fn status(&self, last: Option<&str>) -> NodeStatus {
        if self.live_broker().is_none() && self.live_controller().is_none() {
            return self.silent(last);
        }
        let found = self.disagreement().map(NodeStatus::unknown);
        let found = found.or_else(|| self.half_open()).or_else(|| self.without_quorum());
        let found = found.or_else(|| self.as_broker()).or_else(|| self.as_controller());
        found.unwrap_or_else(NodeStatus::healthy)
    }

    /// Nobody answers.
    fn silent(&self, last: Option<&str>) -> NodeStatus {
        if let Storage::Blank(directory) = &self.storage {
            let reason = format!("the log directory {} is not formatted", directory.display());
            return NodeStatus::not_in_cluster().with_reason(reason);
        }
        let errors = || self.errors();
        let mut reason = errors().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        if let Storage::Unclear(unclear) = &self.storage {
            reason = format!("{reason}; {unclear}");
        }
        if let Some(last) = last {
            reason = format!("{reason}; last seen {last}");
        }
        if errors().any(|error| !is_absence(error)) {
            NodeStatus::unknown(reason)
        } else {
            NodeStatus::unavailable(reason)
        }
    }

    fn errors(&self) -> impl Iterator<Item = &AskError> {
        let broker = self.broker.as_ref().and_then(|broker| broker.as_ref().err());
        let controller = self
            .controller
            .as_ref()
            .and_then(|controller| controller.as_ref().err());
        broker.into_iter().chain(controller)
    }

    /// Why what answers is not the node that the agent is for.
    fn disagreement(&self) -> Option<String> {
        let another = |own: &Own| matches!(own, Own::Another);
        let broker = self.live_broker().is_some_and(|broker| another(&broker.own));
        if broker
            || self
                .live_controller()
                .is_some_and(|controller| another(&controller.own))
        {
            let whom = self.known_id.map_or_else(|| "this one".to_owned(), |id| id.to_string());
            let side = if broker { "broker" } else { "controller" };
            return Some(format!(
                "the process that listens at store.{side}.address is another node, not {whom}"
            ));
        }
        if let Storage::Blank(directory) = &self.storage {
            let directory = directory.display();
            return Some(format!(
                "{directory} is not formatted, and a process answers: store.log_directories are not those of this process"
            ));
        }
        let written = self.storage.format().and_then(|format| format.cluster_id.as_deref());
        let both = |told: &str| written.filter(|written| *written != told).map(str::to_owned);
        let told = [
            self.live_broker().map(|broker| broker.cluster.id.as_str()),
            self.live_controller().map(|controller| controller.cluster.id.as_str()),
        ];
        let mut told = told.into_iter().flatten();
        told.find_map(|told| {
            let written = both(told)?;
            Some(format!(
                "the log directories are of cluster {written}, and the process is in cluster {told}"
            ))
        })
    }

    /// One of its two listeners answers, the other does not.
    fn half_open(&self) -> Option<NodeStatus> {
        let error = self.errors().next()?;
        let of_broker = self.live_broker().is_none() && self.broker.is_some();
        if (of_broker && !self.is_broker()) || (!of_broker && !self.is_controller()) {
            // The agent is told of a listener that this process does not have.
            return None;
        }
        Some(match (of_broker, error.is_refused()) {
            (true, true) if self.before.served => {
                NodeStatus::leaving().with_reason("the broker has stopped, and the process is about to")
            }
            (true, true) => NodeStatus::joining().with_reason("the broker starts, and is not unfenced yet"),
            _ if !is_absence(error) => NodeStatus::unknown(error.to_string()),
            _ => NodeStatus::unhealthy(format!("one of two listeners does not answer: {error}")),
        })
    }

    /// Whether there is a quorum that works.
    fn without_quorum(&self) -> Option<NodeStatus> {
        let error = match &self.quorum {
            Ok(quorum) if quorum.works() => return None,
            Ok(quorum) => {
                let leader = quorum
                    .leader
                    .map_or_else(|| "no leader".to_owned(), |id| format!("leader {id}"));
                return Some(NodeStatus::unhealthy(format!(
                    "the quorum has {leader} and no majority"
                )));
            }
            Err(error) => error,
        };
        Some(match error.code() {
            Some(Code::UNSUPPORTED_VERSION) => NodeStatus::joining().with_reason("the node loads the metadata log"),
            Some(Code::CLUSTER_AUTHORIZATION_FAILED) => NodeStatus::unknown(format!(
                "the agent may not see the quorum, and so not whether there is one: {error}"
            )),
            _ => NodeStatus::unhealthy(format!("no quorum answers: {error}")),
        })
    }

    fn as_broker(&self) -> Option<NodeStatus> {
        let broker = self.live_broker()?;
        let id = self.id()?;
        match broker.cluster.member(id) {
            None if broker.cluster.lists_fenced => {
                return Some(NodeStatus::not_in_cluster().with_reason(format!("no broker {id} is registered")));
            }
            None => {
                let reason =
                    format!("broker {id} is fenced, or not registered any more: this release does not tell which");
                return Some(NodeStatus::unhealthy(reason));
            }
            Some(member) if member.fenced => {
                return Some(NodeStatus::unhealthy(
                    "the broker is fenced: the controllers do not hear from it",
                ));
            }
            Some(_) => {}
        }
        let failed = broker.directories.iter().flatten().filter(|directory| directory.failed);
        let failed: Vec<_> = failed.map(|directory| directory.path.as_str()).collect();
        if !failed.is_empty() {
            return Some(NodeStatus::unhealthy(format!(
                "log directories have failed: {}",
                failed.join(", ")
            )));
        }
        match broker.in_sync {
            Some(false) if self.before.served => {
                Some(NodeStatus::leaving().with_reason("the broker has handed over all its partitions"))
            }
            Some(false) => Some(NodeStatus::unhealthy(
                "the broker is in sync for none of its partitions: it catches up",
            )),
            Some(true) | None => None,
        }
    }

    fn as_controller(&self) -> Option<NodeStatus> {
        if !self.is_controller() {
            return None;
        }
        let vote = self.vote()?;
        if vote.counts() {
            let (quorum, replica) = (self.quorum.as_ref().ok()?, self.replica()?);
            let behind = vote == Vote::Votes && replica.end.is_some() && !quorum.is_up_to_date(replica);
            return behind.then(|| NodeStatus::unhealthy("its copy of the metadata log is behind: it catches up"));
        }
        let voters = self.quorum.as_ref().map(Quorum::voter_ids).unwrap_or_default();
        let standing = format!("the controller is no voter: those are {voters:?}");
        let alive = self.live_broker().is_some();
        Some(match (alive, self.before.voted, self.joining) {
            (_, _, true) => NodeStatus::joining().with_reason(standing),
            (true, true, _) => NodeStatus::leaving().with_reason(format!("{standing}; its broker still is registered")),
            (true, false, _) => NodeStatus::joining().with_reason(format!("{standing}; its broker is registered")),
            (false, ..) => NodeStatus::not_in_cluster().with_reason(standing),
        })
    }

    /// Id of the cluster that the running process is in.
    pub fn cluster_id(&self) -> Result<Option<String>, StoreError> {
        if let (None, Storage::Blank(_)) = (self.told_cluster_id(), &self.storage) {
            return Ok(None);
        }
        if let Some(error) = self.unanswered() {
            return Err(error);
        }
        if let Some(reason) = self.disagreement() {
            return Err(StoreError::refused(anyhow::anyhow!(reason)));
        }
        let inside = !self.is_outside();
        Ok(self.told_cluster_id().filter(|_| inside).map(str::to_owned))
    }

    /// Why nothing can be said of the running process, where nobody answers.
    pub fn unanswered(&self) -> Option<StoreError> {
        if self.told_cluster_id().is_some() {
            return None;
        }
        self.errors().next().map(store_error)
    }

    /// Whether it runs outside of any cluster.
    pub fn is_outside(&self) -> bool {
        self.status(None).state() == agent_sdk::spec::NodeState::NotInCluster
    }

    /// How it is in a few words, for the time when it is gone.
    pub fn summary(&self) -> Option<String> {
        let broker = self.live_broker().and_then(|broker| {
            let unfenced = broker.cluster.is_unfenced(self.id()?);
            Some(if unfenced {
                "an unfenced broker"
            } else {
                "a fenced broker"
            })
        });
        let controller = self.live_controller().map(|_| match self.vote() {
            Some(Vote::Leads) => "the leader of the quorum",
            Some(Vote::Votes) => "a voter",
            Some(Vote::Observes | Vote::Unknown) => "a controller without a vote",
            None => "a controller",
        });
        let both: Vec<_> = broker.into_iter().chain(controller).collect();
        (!both.is_empty()).then(|| both.join(" and "))
    }
}

/// Whether an error means that nobody is there, and not that somebody is there who does not fit.
fn is_absence(error: &AskError) -> bool {
    matches!(
        error.fault(),
        Some(Fault::Connect(_) | Fault::Silent { .. } | Fault::Closed { .. } | Fault::Broken { .. })
    )
}

/// What the framework is told of an error.
pub fn store_error(error: &AskError) -> StoreError {
    let cause = anyhow::anyhow!("{error}");
    match error.fault() {
        None | Some(Fault::Tls(_) | Fault::Login(_) | Fault::Unsupported(_) | Fault::Answered { .. }) => {
            StoreError::refused(cause)
        }
        Some(Fault::Garbage { .. } | Fault::Unfit { .. }) => StoreError::garbled(cause),
        Some(_) => StoreError::unreachable(cause),
    }
}

#[cfg(test)]
mod tests;
