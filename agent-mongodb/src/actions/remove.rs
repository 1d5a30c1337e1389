//! `cluster.remove`: run on a member, takes a member out of the set.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use agent_sdk::action::{ActionError, Converge, Invocation, Kind, Next};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::majority::{Votes, could_elect};
use super::outcome::{UNCOMMITTED, unanswered};
use super::{reach, step_down};
use crate::ask::set::{self, Basis, Current, Member, same_host};
use crate::ask::{MemberState, SetConfig, SetStatus, hello};
use crate::client::Link;
use crate::code::Code;
use crate::sight::Sight;

/// Takes a member out of the set.
pub struct Remove(Arc<Sight>);

/// Which one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveArgs {
    /// Member address of the node, host:port, as its agent shows it. It need not run.
    pub node: String,
    /// Whether to remove it also where no majority of votes would be left, or none is there already. Where there is no primary
    /// the set takes it from this member alone: writes that only others have are lost. Only when those others never come
    /// back.
    #[serde(default)]
    pub force: bool,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Removed {
    /// Name of the set.
    pub cluster_id: String,
    /// Name of the node.
    pub node: String,
    /// Names of the members that are left.
    pub members: Vec<String>,
    /// Whether there was anything to change.
    pub changed: bool,
}

/// What was read.
#[derive(Debug)]
pub struct View {
    /// Name of the primary; none where there is none, and the set is as the member beside the agent sees it.
    primary: Option<String>,
    current: Current,
    status: SetStatus,
    /// The name of the member that the node is, where it is named by another one.
    alias: Option<String>,
}

/// A step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// Has the primary hand over, since it cannot be removed as such.
    StepDown {
        /// Its name.
        host: String,
        /// In which term it is the primary.
        term: Option<i64>,
    },
    /// Takes the member out.
    Remove {
        /// Its number.
        id: i64,
        /// Its name.
        host: String,
        /// The configuration that this was decided on.
        basis: Basis,
        /// Without a majority.
        forced: bool,
    },
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StepDown { host, .. } => write!(f, "have {host} step down as the primary"),
            Self::Remove {
                id, host, forced: true, ..
            } => write!(f, "take {host}, member {id}, out of the set, without a majority"),
            Self::Remove { id, host, .. } => write!(f, "take {host}, member {id}, out of the set"),
        }
    }
}

impl Remove {
    pub(crate) const fn new(sight: Arc<Sight>) -> Self {
        Self(sight)
    }

    /// The set as the member beside the agent sees it, where there is no primary.
    async fn alone(&self) -> Result<View, ActionError> {
        let facts = self.0.look_anew().await;
        reach::member(&facts)?;
        let status = match &facts.set {
            Some(Ok(status)) => status.clone(),
            Some(Err(fault)) => return Err(unanswered(fault)),
            None => {
                return Err(ActionError::retry(
                    "unreachable",
                    "the member was not asked for its state",
                ));
            }
        };
        let within = self.0.server().timeouts.answer();
        let config = set::ask(self.0.known(), within)
            .await
            .map_err(|fault| unanswered(&fault))?;
        Ok(View {
            primary: None,
            current: Current {
                config,
                committed: None,
            },
            status,
            alias: None,
        })
    }

    /// Takes the member out without a majority: on the primary where there is one, else by what this member alone says. It is
    /// looked once more whether that is needed: a forced change switches off what keeps two histories of the set apart.
    async fn force(&self, invocation: &Invocation, id: i64, host: &str, basis: Basis) -> Result<(), ActionError> {
        let (link, config, status) = match reach::primary(&self.0).await {
            Ok(primary) => (primary.link, primary.current.config, primary.status),
            Err(ActionError::Retry(fault)) if fault.code() == "no_primary" => {
                let View { current, status, .. } = self.alone().await?;
                let link = self.0.primary(&self.0.server().address);
                elects(&current.config, &status)?;
                (link, current.config, status)
            }
            Err(error) => return Err(error),
        };
        let is_same = config.basis() == basis && config.has(id, host);
        if !is_same || (status.state == MemberState::Primary && Votes::without(id, &config, &status).is_majority()) {
            return Err(reach::superseded());
        }
        reach::replace(&self.0, invocation, &link, config.without(id), true).await
    }

    /// The set without the mongod beside the agent, as that one heard of it last: it keeps the configuration in which it is
    /// not any more.
    async fn left(&self, node: &str, acted: bool) -> Result<View, ActionError> {
        let within = self.0.server().timeouts.answer();
        let config = set::ask(self.0.known(), within).await.map_err(|fault| {
            if fault.code() == Some(Code::NOT_YET_INITIALIZED) {
                // One that starts says so as well, and this action may have talked to its set.
                let never = "the mongod beside the agent says that it was never in a set";
                return if acted {
                    ActionError::retry("not_now", never)
                } else {
                    ActionError::last("not_in_cluster", never)
                };
            }
            unanswered(&fault)
        })?;
        if config.member(node).is_some() {
            let message = "the mongod beside the agent is in its set's configuration, and not in the set: it starts, or its name is none of its own";
            return Err(ActionError::retry("not_now", message));
        }
        let status = SetStatus::nothing(&config.set);
        Ok(View {
            primary: None,
            current: Current {
                config,
                committed: None,
            },
            status,
            alias: None,
        })
    }

    /// Whether the mongod beside the agent is meant.
    fn is_own(&self, node: &str) -> bool {
        let server = self.0.server();
        let own = [Some(&server.address), server.member_address.as_ref()];
        own.into_iter().flatten().any(|own| same_host(&own.to_string(), node))
    }
}

impl Kind for Remove {
    const KIND: &'static str = "agent.replicante.io/cluster.remove";
    const SUMMARY: &'static str =
        "Takes a member, dead or alive, out of the set; the primary hands over first. Its data stay where they are.";
    const DEADLINE: Duration = Duration::from_secs(300);
    type Args = RemoveArgs;
    type Output = Removed;
}

impl Converge for Remove {
    type View = View;
    type Step = Step;

    async fn observe(&self, args: &RemoveArgs, last: Option<&Step>) -> Result<View, ActionError> {
        let address = reach::address(&args.node)?;
        match reach::primary(&self.0).await {
            Ok(primary) => {
                let alias = match primary.current.config.member(&args.node) {
                    Some(_) => None,
                    None => alias(&self.0.stranger(address), &primary.current.config).await,
                };
                Ok(View {
                    primary: Some(primary.host),
                    current: primary.current,
                    status: primary.status,
                    alias,
                })
            }
            Err(ActionError::Retry(fault)) if fault.code() == "no_primary" && args.force => self.alone().await,
            // It has heard that it is out before anybody could read it.
            Err(ActionError::Final(fault))
                if fault.code() == "not_in_cluster" && (last.is_some() || self.is_own(&args.node)) =>
            {
                self.left(&args.node, last.is_some()).await
            }
            Err(error) => Err(error),
        }
    }

    fn decide(args: &RemoveArgs, view: &View, last: Option<&Step>) -> Result<Next<Step, Removed>, ActionError> {
        let View { current, status, .. } = view;
        let config = &current.config;
        let Some(member) = config.member(&args.node) else {
            if let Some(known) = &view.alias {
                let message = format!(
                    "{} is {known} under another name, and a member: it is removed by that name",
                    args.node
                );
                return Err(ActionError::last("same_node", message));
            }
            if current.committed == Some(false) {
                return Ok(Next::Wait(UNCOMMITTED.to_owned()));
            }
            return Ok(Next::Done(Removed {
                cluster_id: config.set.clone(),
                node: args.node.trim().to_owned(),
                members: config.members.iter().map(|member| member.host.clone()).collect(),
                changed: matches!(last, Some(Step::Remove { .. })),
            }));
        };
        if config.members.len() == 1 {
            let message = "the last member of a set cannot be taken out of it: stop it, and remove its data";
            return Err(ActionError::last("last_member", message));
        }
        if view.primary.is_none() {
            elects(config, status)?;
        }
        let votes = Votes::without(member.id, config, status);
        if !votes.is_majority() && !args.force {
            let message = format!(
                "{}; with force the member is taken out all the same, and writes that only others have are lost",
                votes.lack()
            );
            return Err(ActionError::last("no_majority", message));
        }
        if view.primary.is_none() && status.own().is_some_and(|own| own.host == member.host) {
            let message = "without a primary a member cannot take itself out: run this beside one that stays";
            return Err(ActionError::last("itself", message));
        }
        let remove = Step::Remove {
            id: member.id,
            host: member.host.clone(),
            basis: config.basis(),
            forced: !votes.is_majority() || view.primary.is_none(),
        };
        if view.primary.as_ref() == Some(&member.host) {
            if !has_successor(config, status, member) {
                let message = format!(
                    "{} is the primary, and no other member could take over now: none is a secondary that may be elected",
                    member.host
                );
                return Err(ActionError::retry("no_successor", message));
            }
            return Ok(Next::Do {
                now: Step::StepDown {
                    host: member.host.clone(),
                    term: status.term,
                },
                then: vec![remove],
            });
        }
        Ok(Next::Do {
            now: remove,
            then: Vec::new(),
        })
    }

    async fn apply(&self, _: &RemoveArgs, step: &Step, invocation: &Invocation) -> Result<(), ActionError> {
        match step {
            Step::StepDown { host, .. } => {
                let facts = self.0.facts().await;
                let link = reach::link(&self.0, &facts, host)?;
                step_down::hand_over(&link, &step_down::Manner::default(), self.0.server().timeouts.change()).await
            }
            Step::Remove {
                id,
                host,
                basis,
                forced: true,
            } => self.force(invocation, *id, host, *basis).await,
            Step::Remove { id, host, basis, .. } => {
                reach::change(&self.0, invocation, *basis, |config| {
                    config.has(*id, host).then(|| config.without(*id))
                })
                .await
            }
        }
    }
}

/// Where there is no primary and a majority of the votes is there, one is about to be elected, and nothing is to be forced.
fn elects(config: &SetConfig, status: &SetStatus) -> Result<(), ActionError> {
    if could_elect(config, status) {
        let message = "the set has no primary, and a majority of its votes is there: it is about to elect one";
        return Err(ActionError::retry("no_primary", message));
    }
    Ok(())
}

/// The name by which the set knows a node, where it is a member by another name than it was asked by.
async fn alias(link: &Link, config: &SetConfig) -> Option<String> {
    let hello = hello::ask(link).await.ok()?;
    let member = hello.member().filter(|member| member.set == config.set)?;
    let known = config.member(member.me.as_deref()?)?;
    Some(known.host.clone())
}

/// Whether another member could be the primary now.
fn has_successor(config: &SetConfig, status: &SetStatus, leaving: &Member) -> bool {
    config.members.iter().any(|member| {
        let seen = status.member(&member.host);
        member.id != leaving.id
            && member.role.priority > 0.0
            && seen.is_some_and(|seen| seen.is_up && seen.state == MemberState::Secondary)
    })
}

#[cfg(test)]
mod tests;
