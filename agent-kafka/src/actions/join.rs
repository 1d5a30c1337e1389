//! `cluster.join`: takes this node into the cluster of a member, from a blank disk to a voter and an unfenced broker.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use agent_sdk::action::{ActionError, Converge, Invocation, Kind, Next};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::candidate::{self, Candidate, Stand};
use super::outcome::{of_change, static_voters, unanswered};
use super::reach::{self, MemberArgs};
use super::storage::{self, Given, Started, Up, Way};
use crate::ask::{Quorum, changes};
use crate::client::Code;
use crate::node::Facts;
use crate::sight::Sight;

/// Takes this node into the cluster of a member.
pub struct Join {
    sight: Arc<Sight>,
    started: Started,
}

/// Where the node is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Joined {
    /// Id of the cluster.
    pub cluster_id: String,
    /// node.id of this node.
    pub node_id: i32,
    /// Whether it votes.
    pub voter: bool,
    /// Whether it is an unfenced broker.
    pub broker: bool,
    /// Whether this action has changed anything.
    pub changed: bool,
}

/// What was read.
#[derive(Debug)]
pub struct View {
    facts: Arc<Facts>,
    /// The member's cluster.
    cluster_id: String,
    starts: bool,
    started: bool,
    /// Whether the member's cluster can change its voters; none where it was not asked.
    dynamic: Option<bool>,
}

/// A step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Format or start.
    Up(Up),
    /// Make it a voter.
    AddVoter(Candidate),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Up(up) => up.fmt(f),
            Self::AddVoter(candidate) => {
                write!(
                    f,
                    "add voter {} with directory {}",
                    candidate.id, candidate.directory_id
                )
            }
        }
    }
}

impl Join {
    pub(crate) fn new(sight: Arc<Sight>) -> Self {
        Self {
            sight,
            started: Started::default(),
        }
    }

    /// The cluster of the member, and whether it can change its voters.
    async fn target(&self, args: &MemberArgs) -> Result<(String, bool), ActionError> {
        let address = reach::address(&args.node)?;
        let mut told = reach::stranger(self.sight.process(), &address).await?;
        let versions = told.link.versions(self.sight.process().timeouts.answer()).await;
        let dynamic = versions.is_ok_and(|versions| reach::has_dynamic_voters(&versions));
        let id = told.cluster.id.ok_or_else(|| {
            ActionError::retry(
                "member_unready",
                format!("{address} has loaded nothing of its cluster's metadata yet"),
            )
        })?;
        Ok((id, dynamic))
    }
}

impl Kind for Join {
    const KIND: &'static str = "agent.replicante.io/cluster.join";
    const SUMMARY: &'static str = "Formats this node's storage for the cluster of a member, starts the process, and makes it a voter and a broker.";
    const DEADLINE: Duration = Duration::from_secs(600);
    type Args = MemberArgs;
    type Output = Joined;
}

impl Converge for Join {
    type View = View;
    type Step = Step;

    const POLL: Duration = Duration::from_millis(500);

    async fn observe(&self, args: &MemberArgs, last: Option<&Step>) -> Result<View, ActionError> {
        let process = self.sight.process();
        let facts = self.sight.look_anew().await;
        let written = facts.storage.format().and_then(|format| format.cluster_id.clone());
        let (cluster_id, dynamic) = match (last, written) {
            // What this action has formatted the storage for is the member's cluster, also when that member is gone.
            (Some(_), Some(written)) => (written, None),
            _ => self.target(args).await.map(|(id, dynamic)| (id, Some(dynamic)))?,
        };
        let stand = match (facts.configuration(), &facts.quorum) {
            (Some(own), Ok(quorum)) if own.is_controller => Some(candidate::stand(own, facts.directory(), quorum)),
            _ => None,
        };
        let listener = reach::controller_listener(process, &facts);
        if let Some(Stand::Ready(candidate)) = &stand {
            candidate::confirm(process, candidate, listener, &cluster_id).await?;
        }
        if last.is_some() {
            // On its way until a reading says that it has arrived.
            let voter = !facts.is_controller() || stand == Some(Stand::Voter);
            let broker = !facts.is_broker()
                || facts
                    .live_broker()
                    .zip(facts.id())
                    .is_some_and(|(it, id)| it.cluster.is_unfenced(id));
            self.sight.set_joining(!(voter && broker));
        }
        Ok(View {
            facts,
            cluster_id,
            starts: !process.start_command.is_empty(),
            started: self.started.is_recent(),
            dynamic,
        })
    }

    fn decide(_: &MemberArgs, view: &View, last: Option<&Step>) -> Result<Next<Step, Joined>, ActionError> {
        let facts = &view.facts;
        let up = last.and_then(|step| match step {
            Step::Up(up) => Some(up),
            Step::AddVoter(_) => None,
        });
        let given = Given {
            facts,
            last: up,
            cluster_id: &view.cluster_id,
            first: false,
            starts: view.starts,
            started: view.started,
        };
        match storage::decide(&given)? {
            // Formatting for such a cluster goes by other options, and a controller could never vote.
            Way::Do(Up::Format { .. }) if view.dynamic == Some(false) => return Err(static_voters()),
            Way::Do(now) => {
                let then = match now {
                    Up::Format { .. } if view.starts => vec![Step::Up(Up::Start)],
                    Up::Format { .. } | Up::Start => Vec::new(),
                };
                return Ok(Next::Do {
                    now: Step::Up(now),
                    then,
                });
            }
            Way::Wait(reason) => return Ok(Next::Wait(reason)),
            Way::There => {}
        }
        if let Some(reason) = facts.disagreement() {
            return Err(ActionError::last("other_cluster", reason));
        }
        if let Some(candidate) = as_controller(view)? {
            return Ok(candidate);
        }
        let Some(id) = facts.id() else {
            return Ok(Next::Wait("the node does not tell its id yet".to_owned()));
        };
        let unfenced = facts.live_broker().is_some_and(|broker| broker.cluster.is_unfenced(id));
        if facts.is_broker() && !unfenced {
            return Ok(Next::Wait("the broker registers, and is not unfenced yet".to_owned()));
        }
        Ok(Next::Done(Joined {
            cluster_id: view.cluster_id.clone(),
            node_id: id,
            voter: facts.vote().is_some_and(|vote| vote.counts()),
            broker: unfenced,
            changed: last.is_some(),
        }))
    }

    async fn apply(&self, _: &MemberArgs, step: &Step, _: &Invocation) -> Result<(), ActionError> {
        let process = self.sight.process();
        self.sight.set_joining(true);
        let applied = match step {
            Step::Up(up) => storage::apply(process, up, &self.started).await,
            Step::AddVoter(candidate) => add_voter(&self.sight, candidate).await,
        };
        if applied.is_err() {
            self.sight.set_joining(false);
        }
        applied
    }

    fn unchecked(_: &MemberArgs, view: &View) -> Vec<String> {
        match view.facts.versions() {
            None => vec![
                "whether the node, once it is started, is let in by the others, and can be made a voter".to_owned(),
            ],
            Some(_) => Vec::new(),
        }
    }
}

/// What is left to do for a vote; none where the node has one, or is no controller.
fn as_controller(view: &View) -> Result<Option<Next<Step, Joined>>, ActionError> {
    let facts = &view.facts;
    if !facts.is_controller() {
        return Ok(None);
    }
    let wait = |reason: &str| Ok(Some(Next::Wait(reason.to_owned())));
    let quorum = match &facts.quorum {
        Ok(quorum) if quorum.works() => quorum,
        Ok(_) => return wait("the quorum has no majority"),
        Err(error) if error.code() == Some(Code::CLUSTER_AUTHORIZATION_FAILED) => return Err(unanswered(error)),
        Err(error) => return wait(&format!("the quorum does not answer: {error}")),
    };
    let Some(own) = facts.configuration() else {
        let reason = facts.untold().unwrap_or("the node does not tell its configuration");
        return Err(ActionError::retry("not_told", reason));
    };
    match candidate::stand(own, facts.directory(), quorum) {
        Stand::Voter => Ok(None),
        Stand::ByItself => wait("the controller makes itself a voter (controller.quorum.auto.join.enable)"),
        Stand::Replaced(old) => Err(candidate::replaced(own.node_id, old)),
        Stand::NotYet(reason) => wait(&format!("the controller is no voter yet: {reason}")),
        Stand::Ready(_) if is_static(facts, quorum) => Err(static_voters()),
        Stand::Ready(candidate) => Ok(Some(Next::Do {
            now: Step::AddVoter(candidate),
            then: Vec::new(),
        })),
    }
}

/// Whether the voters are laid down in the nodes' configuration. Those have no directories.
pub(super) fn is_static(facts: &Facts, quorum: &Quorum) -> bool {
    let dynamic = facts.versions().is_some_and(reach::has_dynamic_voters);
    !dynamic && quorum.voters.iter().all(|voter| voter.directory.is_none())
}

/// Sends the change.
pub(super) async fn add_voter(sight: &Sight, candidate: &Candidate) -> Result<(), ActionError> {
    let facts = sight.facts().await;
    let mut link = reach::for_change(sight.process(), &facts).await?;
    let cluster_id = facts.told_cluster_id().unwrap_or_default();
    let voter = candidate.voter();
    let voter =
        voter.ok_or_else(|| ActionError::last("checkpoint_unreadable", "the candidate's directory is no id"))?;
    let end = Instant::now() + sight.process().timeouts.change();
    let sent = changes::add_voter(&mut link, cluster_id, &voter, end).await;
    sent.map_err(|error| of_change(&error))
}

#[cfg(test)]
mod tests;
