//! A controller that is to vote: what it is, as it says itself.
//!
//! Kafka does not check that an endpoint is that of the voter whom it is given for: a wrong one is taken, and later the
//! quorum is lost for good. So the id and the listeners come from the node's own configuration, the directory from what the
//! quorum sees of its copy, and whoever listens at the endpoint is asked whether it is that node.

use agent_sdk::action::ActionError;
use agent_sdk::config::Address;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use uuid::Uuid;

use crate::ask::changes::Voter;
use crate::ask::cluster::{self, Side};
use crate::ask::quorum::Replica;
use crate::ask::{AskError, Configuration, Quorum, configuration};
use crate::client::Link;
use crate::config::Validated;
use crate::storage::{read_id, write_id};

/// A controller that is to vote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// node.id.
    pub id: i32,
    /// directory.id of the directory that holds its metadata log, as Kafka writes it.
    pub directory_id: String,
    /// Its listeners for controllers, each as a name and an address.
    pub listeners: Vec<(String, Address)>,
}

/// How far a controller is on its way to a vote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stand {
    /// It votes.
    Voter,
    /// It is ready.
    Ready(Candidate),
    /// A copy on another disk votes in its name.
    Replaced(Uuid),
    /// Not yet, for this reason.
    NotYet(String),
    /// Its own configuration makes it a voter at its start.
    ByItself,
}

impl Candidate {
    /// As a request takes it.
    pub(super) fn voter(&self) -> Option<Voter<'_>> {
        Some(Voter {
            id: self.id,
            directory: read_id(&self.directory_id).ok()?,
            listeners: &self.listeners,
        })
    }
}

/// How far the controller of this configuration is. `directory`: its directory, where known otherwise than by the quorum. A
/// disk that was replaced leaves its old copy listed, as a voter for good and as an observer for minutes: where the
/// directory is not known, the copy that was up to date last is the node's.
pub(super) fn stand(own: &Configuration, directory: Option<Uuid>, quorum: &Quorum) -> Stand {
    let id = own.node_id;
    let mine = |copy: &&Replica| {
        copy.id == id && (directory.is_none() || copy.directory.is_none() || copy.directory == directory)
    };
    let newest = |copies: &'_ [Replica]| copies.iter().filter(mine).max_by_key(|copy| copy.caught_up_ms).cloned();
    let (voter, observer) = (newest(&quorum.voters), newest(&quorum.observers));
    let behind = |voter: &Replica| {
        observer
            .as_ref()
            .is_some_and(|it| it.caught_up_ms >= voter.caught_up_ms)
    };
    match &voter {
        Some(_) if directory.is_some() => return Stand::Voter,
        Some(voter) if !behind(voter) && quorum.is_up_to_date(voter) => return Stand::Voter,
        Some(_) if observer.is_none() => {
            return Stand::NotYet("the quorum has not heard of it for a while".to_owned());
        }
        Some(_) | None => {}
    }
    if own.joins_by_itself {
        return Stand::ByItself;
    }
    let listeners: Vec<_> = own.controller_addresses().cloned().collect();
    if listeners.is_empty() {
        return Stand::NotYet("it tells no listener for controllers that others could reach".to_owned());
    }
    let Some(observer) = observer else {
        return Stand::NotYet("it does not follow the quorum yet".to_owned());
    };
    let Some(directory) = observer.directory else {
        return Stand::NotYet("the quorum does not know its directory".to_owned());
    };
    if !quorum.is_up_to_date(&observer) {
        return Stand::NotYet("it follows the quorum, and is behind".to_owned());
    }
    if let Some(old) = quorum.voter(id, None).and_then(|voter| voter.directory) {
        return Stand::Replaced(old);
    }
    Stand::Ready(Candidate {
        id,
        directory_id: write_id(directory),
        listeners,
    })
}

/// The voter of this id is another disk of it, perhaps one that is gone.
pub(super) fn replaced(id: i32, old: Uuid) -> ActionError {
    ActionError::last(
        "other_directory",
        format!(
            "node {id} is a voter with the directory {}, which is not the one that it has now: remove that voter first \
             (cluster.remove with roles [controller])",
            write_id(old)
        ),
    )
}

/// Asks whoever listens at the candidate's endpoint whether it is that node, of this cluster: by the listener of the name that
/// the agent asks controllers by, for others may ask for something else of those who connect.
///
/// **Errors**: whoever listens there is another; nobody answers; the agent cannot ask controllers.
pub(super) async fn confirm(
    process: &Validated,
    candidate: &Candidate,
    listener: Option<&str>,
    cluster_id: &str,
) -> Result<(), ActionError> {
    let unconfirmed = |message: String| ActionError::retry("endpoint_unconfirmed", message);
    let Some(way) = &process.controller else {
        let message = "the agent is not told how controllers are asked: set store.controller";
        return Err(ActionError::last("not_configured", message));
    };
    let named = candidate
        .listeners
        .iter()
        .find(|(name, _)| Some(name.as_str()) == listener);
    let Some((name, address)) = named.or_else(|| candidate.listeners.first()) else {
        return Ok(());
    };
    let endpoint = way.to_stranger(address.clone());
    let mut link = Link::new(endpoint.map_err(|error| ActionError::last("not_trusted", error.to_string()))?);
    let end = || Instant::now() + process.timeouts.answer();
    let untold = |error: AskError| unconfirmed(format!("its listener {name} cannot be asked: {error}"));
    let cluster = cluster::ask(&mut link, Side::Controllers, end())
        .await
        .map_err(untold)?;
    let own = configuration::ask(&mut link, &[candidate.id], end())
        .await
        .map_err(untold)?;
    if own.is_some() && cluster.id.as_deref() == Some(cluster_id) {
        return Ok(());
    }
    let id = candidate.id;
    Err(unconfirmed(format!(
        "whoever listens at {address}, its listener {name}, is not node {id} of cluster {cluster_id}"
    )))
}
