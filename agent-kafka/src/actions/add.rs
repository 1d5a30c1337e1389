//! `cluster.add`: run on a member, makes another node's controller a voter. Brokers need no adding: they register by
//! themselves.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use agent_sdk::action::{ActionError, Converge, Invocation, Kind, Next};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::candidate::{self, Candidate, Stand};
use super::join::{add_voter, is_static};
use super::outcome::{static_voters, unanswered};
use super::reach::{self, MemberArgs, Told};
use crate::ask::{Configuration, Quorum, configuration};
use crate::node::Facts;
use crate::sight::Sight;

/// Makes another node's controller a voter.
pub struct Add(Arc<Sight>);

/// What became of the node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Added {
    /// Id of the cluster.
    pub cluster_id: String,
    /// node.id of the other node.
    pub node_id: i32,
    /// Whether it votes.
    pub voter: bool,
    /// Whether this action has changed anything.
    pub changed: bool,
}

/// What was read.
#[derive(Debug)]
pub struct View {
    /// The member beside the agent.
    facts: Arc<Facts>,
    /// Its quorum.
    quorum: Quorum,
    cluster_id: String,
    /// The other node's own words; none as long as the cluster has not heard of it.
    other: Option<Configuration>,
    /// Where it was asked.
    node: String,
}

/// The one step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step(Candidate);

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(Candidate { id, directory_id, .. }) = self;
        write!(f, "add voter {id} with directory {directory_id}")
    }
}

impl Add {
    pub(crate) const fn new(sight: Arc<Sight>) -> Self {
        Self(sight)
    }

    /// Asks the other node who it is: one of those that the cluster has heard of.
    async fn other(&self, told: &mut Told, quorum: &Quorum) -> Result<Option<Configuration>, ActionError> {
        let heard = quorum.voters.iter().chain(&quorum.observers).map(|replica| replica.id);
        let mut ids: Vec<i32> = heard
            .chain(told.cluster.members.iter().map(|member| member.id))
            .collect();
        ids.sort_unstable();
        ids.dedup();
        let end = Instant::now() + self.0.process().timeouts.answer();
        configuration::ask(&mut told.link, &ids, end)
            .await
            .map_err(|error| unanswered(&error))
    }
}

impl Kind for Add {
    const KIND: &'static str = "agent.replicante.io/cluster.add";
    const SUMMARY: &'static str =
        "Makes the controller of another node, which runs and follows this cluster already, a voter.";
    const DEADLINE: Duration = Duration::from_secs(300);
    type Args = MemberArgs;
    type Output = Added;
}

impl Converge for Add {
    type View = View;
    type Step = Step;

    async fn observe(&self, args: &MemberArgs, _: Option<&Step>) -> Result<View, ActionError> {
        let address = reach::address(&args.node)?;
        let facts = self.0.look_anew().await;
        let (quorum, cluster_id) = reach::member(&facts)?;
        let mut told = reach::stranger(self.0.process(), &address).await?;
        match &told.cluster.id {
            Some(same) if *same == cluster_id => {}
            Some(other) => {
                return Err(ActionError::last(
                    "other_cluster",
                    format!("{address} is in cluster {other}, and this node in {cluster_id}"),
                ));
            }
            // It may be of any cluster.
            None => {
                let message = format!("{address} has loaded nothing of its cluster's metadata yet");
                return Err(ActionError::retry("member_unready", message));
            }
        }
        let other = self.other(&mut told, &quorum).await?;
        let stand = other.as_ref().map(|other| candidate::stand(other, None, &quorum));
        if let Some(Stand::Ready(candidate)) = &stand {
            let listener = reach::controller_listener(self.0.process(), &facts);
            candidate::confirm(self.0.process(), candidate, listener, &cluster_id).await?;
        }
        Ok(View {
            facts,
            quorum,
            cluster_id,
            other,
            node: address.to_string(),
        })
    }

    fn decide(_: &MemberArgs, view: &View, last: Option<&Step>) -> Result<Next<Step, Added>, ActionError> {
        let wait = |reason: String| Ok(Next::Wait(reason));
        let Some(other) = &view.other else {
            return wait(format!("the cluster has not heard of the node at {}", view.node));
        };
        let done = |voter| {
            Next::Done(Added {
                cluster_id: view.cluster_id.clone(),
                node_id: other.node_id,
                voter,
                changed: last.is_some(),
            })
        };
        if !other.is_controller {
            let brokers = view.facts.live_broker().map(|broker| &broker.cluster);
            let unfenced = brokers.is_none_or(|cluster| cluster.is_unfenced(other.node_id));
            return if unfenced {
                Ok(done(false))
            } else {
                wait("the broker registers, and is not unfenced yet".to_owned())
            };
        }
        match candidate::stand(other, None, &view.quorum) {
            Stand::Voter => Ok(done(true)),
            Stand::ByItself => {
                wait("the controller makes itself a voter (controller.quorum.auto.join.enable)".to_owned())
            }
            Stand::NotYet(reason) => wait(format!("the controller is no voter yet: {reason}")),
            Stand::Replaced(old) => Err(candidate::replaced(other.node_id, old)),
            Stand::Ready(_) if is_static(&view.facts, &view.quorum) => Err(static_voters()),
            Stand::Ready(candidate) => Ok(Next::Do {
                now: Step(candidate),
                then: Vec::new(),
            }),
        }
    }

    async fn apply(&self, _: &MemberArgs, Step(candidate): &Step, _: &Invocation) -> Result<(), ActionError> {
        add_voter(&self.0, candidate).await
    }
}

#[cfg(test)]
mod tests;
