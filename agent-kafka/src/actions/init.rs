//! `cluster.init`: makes this node the first of a cluster, from a blank disk. There is no request for it: a node is the first
//! of its cluster by how its storage is formatted.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use agent_sdk::action::{ActionError, Converge, Invocation, Kind, Next};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::outcome::unanswered;
use super::storage::{self, Given, Started, Up, Way};
use crate::client::Code;
use crate::node::Facts;
use crate::sight::Sight;
use crate::storage::{Storage, new_id, read_id};

/// Makes this node the first of a cluster.
pub struct Init {
    sight: Arc<Sight>,
    started: Started,
}

/// Which cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InitArgs {
    /// Id of the cluster, as kafka-storage.sh random-uuid makes it. When not given: that of the storage where it is formatted already, else a new one.
    #[serde(default)]
    pub cluster_id: Option<String>,
}

/// The cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Initialised {
    /// Id of the cluster.
    pub cluster_id: String,
    /// node.id of this node.
    pub node_id: i32,
    /// Ids of the voters.
    pub voters: Vec<i32>,
    /// Whether this action has changed anything.
    pub changed: bool,
}

/// What was read.
#[derive(Debug)]
pub struct View {
    facts: Arc<Facts>,
    /// For a cluster that has no id yet.
    new_id: String,
    starts: bool,
    started: bool,
}

/// A step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step(Up);

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Init {
    pub(crate) fn new(sight: Arc<Sight>) -> Self {
        Self {
            sight,
            started: Started::default(),
        }
    }
}

impl Kind for Init {
    const KIND: &'static str = "agent.replicante.io/cluster.init";
    const SUMMARY: &'static str =
        "Formats this node's storage as the first node of a cluster, starts the process, and waits until it leads.";
    const DEADLINE: Duration = Duration::from_secs(600);
    type Args = InitArgs;
    type Output = Initialised;
}

/// The cluster's id: as given, as the last step made it durable, as the storage has it, else a new one.
fn cluster_id(args: &InitArgs, view: &View, last: Option<&Step>) -> Result<String, ActionError> {
    if let Some(given) = &args.cluster_id {
        read_id(given).map_err(|error| ActionError::last("bad_cluster_id", error.to_string()))?;
        return Ok(given.clone());
    }
    if let Some(Step(Up::Format { cluster_id, .. })) = last {
        return Ok(cluster_id.clone());
    }
    let written = view.facts.storage.format().and_then(|format| format.cluster_id.clone());
    Ok(written.unwrap_or_else(|| view.new_id.clone()))
}

impl Converge for Init {
    type View = View;
    type Step = Step;

    async fn observe(&self, _: &InitArgs, _: Option<&Step>) -> Result<View, ActionError> {
        Ok(View {
            facts: self.sight.look_anew().await,
            new_id: new_id(),
            starts: !self.sight.process().start_command.is_empty(),
            started: self.started.is_recent(),
        })
    }

    fn decide(args: &InitArgs, view: &View, last: Option<&Step>) -> Result<Next<Step, Initialised>, ActionError> {
        let facts = &view.facts;
        let cluster_id = cluster_id(args, view, last)?;
        let done = |node_id, quorum: &crate::ask::Quorum| {
            Next::Done(Initialised {
                cluster_id: cluster_id.clone(),
                node_id,
                voters: quorum.voter_ids(),
                changed: last.is_some(),
            })
        };
        if facts.controller.is_none() {
            let message = "a cluster begins with a controller, and the agent is told of none: set store.controller";
            return Err(ActionError::last("not_configured", message));
        }
        if let (Storage::Formatted(format), None) = (&facts.storage, last)
            && !format.has_log
            && !facts.vote().is_some_and(|vote| vote.counts())
        {
            return Err(ActionError::last(
                "formatted_to_join",
                "the storage is formatted for a node that joins a cluster: use cluster.join, or wipe it",
            ));
        }
        let given = Given {
            facts,
            last: last.map(|Step(step)| step),
            cluster_id: &cluster_id,
            first: true,
            starts: view.starts,
            started: view.started,
        };
        match storage::decide(&given)? {
            Way::Do(now) => {
                let then = match now {
                    Up::Format { .. } if view.starts => vec![Step(Up::Start)],
                    Up::Format { .. } | Up::Start => Vec::new(),
                };
                return Ok(Next::Do { now: Step(now), then });
            }
            Way::Wait(reason) => return Ok(Next::Wait(reason)),
            Way::There => {}
        }
        if let Some(reason) = facts.disagreement() {
            return Err(ActionError::last("other_cluster", reason));
        }
        let Some(id) = facts.id() else {
            return Err(ActionError::retry(
                "not_told",
                facts.untold().unwrap_or("the node does not tell its id"),
            ));
        };
        let quorum = match &facts.quorum {
            Ok(quorum) if quorum.works() => quorum,
            Err(error) if error.code() == Some(Code::CLUSTER_AUTHORIZATION_FAILED) => return Err(unanswered(error)),
            Ok(_) | Err(_) => return Ok(Next::Wait("the node elects itself".to_owned())),
        };
        if !facts.vote().is_some_and(|vote| vote.counts()) {
            return Err(ActionError::last(
                "formatted_to_join",
                format!(
                    "the node follows a quorum of {:?} and does not vote: use cluster.join",
                    quorum.voter_ids()
                ),
            ));
        }
        let unfenced = facts.live_broker().is_some_and(|broker| broker.cluster.is_unfenced(id));
        if facts.is_broker() && !unfenced {
            return Ok(Next::Wait("the broker registers".to_owned()));
        }
        Ok(done(id, quorum))
    }

    async fn apply(&self, _: &InitArgs, Step(step): &Step, _: &Invocation) -> Result<(), ActionError> {
        storage::apply(self.sight.process(), step, &self.started).await
    }

    fn unchecked(_: &InitArgs, view: &View) -> Vec<String> {
        match &view.facts.storage {
            Storage::Blank(_) => vec![
                "whether the command that formats succeeds".to_owned(),
                "the cluster's id, where none is given: a new one is made when the action runs".to_owned(),
                "whether another cluster of a given id lives: nobody would notice".to_owned(),
            ],
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
