//! What a process is, from what was seen of it. Pure.
//!
//! Two things look healthy in Kafka that are not, and shape all of this. A cluster whose quorum is lost answers as ever:
//! only the quorum itself tells. And a broker's port is closed until it is unfenced: what a starting node is, its
//! controller's listener says, where it has one.

mod status;

pub(crate) use status::is_absence;

use agent_sdk::datastore::StoreError;

use crate::ask::cluster::Cluster;
use crate::ask::quorum::Replica;
use crate::ask::{AskError, Configuration, Directory, Quorum};
use crate::client::Fault;
use crate::client::versions::Versions;
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
    /// What its broker did.
    pub service: Service,
    /// Its broker was unfenced.
    pub unfenced: bool,
    /// It was a voter.
    pub voted: bool,
}

/// What a broker did for its partitions shortly before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Service {
    /// Nothing, or nobody looked.
    #[default]
    None,
    /// It took clients, and was in sync.
    InSync,
    /// It was in sync, and then for nothing any more, as one that is told to stop.
    HandedOver,
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

    /// Why it does not tell its configuration, where it answers and does not.
    pub fn untold(&self) -> Option<&str> {
        let owns = [
            self.live_broker().map(|broker| &broker.own),
            self.live_controller().map(|it| &it.own),
        ];
        owns.into_iter().flatten().find_map(|own| match own {
            Own::Untold(reason) => Some(reason.as_str()),
            Own::Itself(_) | Own::Another => None,
        })
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
        cluster.id.as_deref()
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

    /// The name of the listener by which the agent asks controllers, its own node's and others'. `port`: of its own node's.
    pub fn controller_listener(&self, port: u16) -> Option<&str> {
        self.configuration()?.controller_listener(port)
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

    /// Id of the cluster that the running process is in.
    pub fn cluster_id(&self) -> Result<Option<String>, StoreError> {
        if matches!(self.storage, Storage::Blank(_)) && !self.is_anybody_there() {
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
        match self.live_controller() {
            Some(_) => Some(StoreError::refused(anyhow::anyhow!(
                "the controller has loaded nothing of its log yet"
            ))),
            None => self.errors().next().map(store_error),
        }
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

/// Whether the connection is gone. A process that stops takes connections for a moment longer, and closes them.
pub(crate) const fn is_cut(error: &AskError) -> bool {
    matches!(
        error.fault(),
        Some(Fault::Connect(_) | Fault::Closed { .. } | Fault::Broken { .. })
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
pub(crate) mod tests;
