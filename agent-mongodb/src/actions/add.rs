//! `cluster.add`: run on a member, takes another mongod into the set.
//!
//! The server takes in whatever is named to it: one that is dead, one of another set of the same name, one with another key,
//! and a member under a second name, which throws that member out. So the node is asked first who it is. What it does not
//! tell to a stranger (its key, and the set that its data are of) only the set itself finds out: it is admitted without a
//! vote, where it can do no harm, is given its vote once it has copied the data, and is withdrawn where the set finds that
//! it does not belong to it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use agent_sdk::action::{ActionError, Converge, Invocation, Kind, Next};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::outcome::UNCOMMITTED;
use super::wishes::NewMember;
use super::{candidate, reach};
use crate::ask::hello::{self, Hello};
use crate::ask::set::{Basis, Current, Member, Part, same_host};
use crate::ask::status::Seen;
use crate::ask::{Kind as Process, MemberState, SetStatus};
use crate::client::Fault;
use crate::sight::Sight;

/// Takes another mongod into the set.
pub struct Add(Arc<Sight>);

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Added {
    /// Name of the set.
    pub cluster_id: String,
    /// Name of the member.
    pub node: String,
    /// Its number in the set.
    pub member_id: i64,
    /// Whether it votes.
    pub voter: bool,
    /// Whether there was anything to change.
    pub changed: bool,
}

/// What was read.
#[derive(Debug)]
pub struct View {
    current: Current,
    status: SetStatus,
    /// What the other node says of itself; none where the set has it already.
    other: Option<Result<Hello, Fault>>,
}

/// A step. `basis`: the configuration that it was decided on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// Makes it a member, as yet without a vote where it could have none.
    Admit {
        /// Its number to be.
        id: i64,
        /// Its name.
        host: String,
        /// As what it begins.
        part: Part,
        /// The configuration.
        basis: Basis,
    },
    /// It was seen in the set: from now on, if it is gone, somebody has removed it.
    Follow {
        /// Its number.
        id: i64,
        /// Its name.
        host: String,
        /// As what it began.
        part: Part,
    },
    /// Makes it what it is to be.
    Promote {
        /// Its number.
        id: i64,
        /// Its name.
        host: String,
        /// As what it stays.
        part: Part,
        /// The configuration.
        basis: Basis,
    },
    /// Takes it out again.
    Withdraw {
        /// Its number.
        id: i64,
        /// Its name.
        host: String,
        /// Why, as a code.
        code: String,
        /// Why.
        why: String,
        /// The configuration.
        basis: Basis,
    },
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Admit { id, host, part, .. } => {
                let vote = if part.is_voter() {
                    "with a vote"
                } else {
                    "without a vote"
                };
                write!(f, "admit {host} as member {id}, {vote}")
            }
            Self::Follow { id, host, .. } => write!(f, "wait until {host}, member {id}, follows"),
            Self::Promote { id, host, part, .. } => {
                write!(f, "give {host}, member {id}, its vote, and priority {}", part.priority)
            }
            Self::Withdraw { id, host, why, .. } => write!(f, "take {host}, member {id}, out again: {why}"),
        }
    }
}

impl Add {
    pub(crate) const fn new(sight: Arc<Sight>) -> Self {
        Self(sight)
    }
}

/// As what a member begins that is to be this.
fn probation(part: &Part) -> Part {
    // An arbiter without a vote is none.
    if part.arbiter {
        return part.clone();
    }
    Part {
        votes: 0,
        priority: 0.0,
        ..part.clone()
    }
}

impl Kind for Add {
    const KIND: &'static str = "agent.replicante.io/cluster.add";
    const SUMMARY: &'static str = "Takes another mongod, started for this set and in none yet, into the set: done when it is a secondary and votes.";
    // The first copy of the data is part of it.
    const DEADLINE: Duration = Duration::from_secs(24 * 3600);
    type Args = NewMember;
    type Output = Added;
}

impl Converge for Add {
    type View = View;
    type Step = Step;

    async fn observe(&self, args: &NewMember, last: Option<&Step>) -> Result<View, ActionError> {
        let address = reach::address(&args.node)?;
        args.part()?;
        let primary = reach::primary(&self.0).await?;
        let other = match primary.current.config.member(&args.node) {
            Some(_) => None,
            None => Some(hello::ask(&self.0.stranger(address)).await),
        };
        // Once it was seen in the set, or is out of it again, what to say of it is known.
        if let (Some(Ok(other)), None | Some(Step::Admit { .. })) = (&other, last) {
            candidate::is_none_of(&self.0, &args.node, other, &primary).await?;
        }
        Ok(View {
            current: primary.current,
            status: primary.status,
            other,
        })
    }

    fn decide(args: &NewMember, view: &View, last: Option<&Step>) -> Result<Next<Step, Added>, ActionError> {
        let wanted = args.part()?;
        let node = reach::address(&args.node)?.to_string();
        let config = &view.current.config;
        let basis = config.basis();
        let Some(member) = config.member(&node) else {
            match last {
                Some(Step::Withdraw { code, why, .. }) => {
                    return Err(ActionError::last(code.clone(), why.clone()));
                }
                Some(Step::Follow { host, .. } | Step::Promote { host, .. }) => {
                    let message = format!("{host} was a member, and somebody has removed it meanwhile");
                    return Err(ActionError::last("removed_meanwhile", message));
                }
                Some(Step::Admit { .. }) | None => {}
            }
            candidate::can_be_taken_in(&node, view.other.as_ref(), config)?;
            if wanted.is_voter() && !config.has_vote_left() {
                return Err(reach::too_many_voters());
            }
            let (id, host, begins) = (config.next_id(), node, probation(&wanted));
            let promote = (begins != wanted).then(|| Step::Promote {
                id,
                host: host.clone(),
                part: wanted,
                basis: Basis {
                    version: basis.version.saturating_add(1),
                    ..basis
                },
            });
            return Ok(Next::Do {
                now: Step::Admit {
                    id,
                    host,
                    part: begins,
                    basis,
                },
                then: promote.into_iter().collect(),
            });
        };
        settle(view, member, &wanted, last)
    }

    async fn apply(&self, _: &NewMember, step: &Step, invocation: &Invocation) -> Result<(), ActionError> {
        match step {
            Step::Admit { id, host, part, basis } => {
                let member = Member {
                    id: *id,
                    host: host.clone(),
                    role: part.clone(),
                };
                reach::change(&self.0, invocation, *basis, |config| Some(config.with(&member))).await
            }
            Step::Follow { .. } => Ok(()),
            Step::Promote { id, host, part, basis } => {
                reach::change(&self.0, invocation, *basis, |config| {
                    config.has(*id, host).then(|| config.changed(*id, part))
                })
                .await
            }
            Step::Withdraw { id, host, basis, .. } => {
                reach::change(&self.0, invocation, *basis, |config| {
                    config.has(*id, host).then(|| config.without(*id))
                })
                .await
            }
        }
    }

    fn unchecked(args: &NewMember, view: &View) -> Vec<String> {
        let is_blank = |other: &Result<Hello, Fault>| other.as_ref().is_ok_and(|hello| hello.kind == Process::Outside);
        match view.current.config.member(&args.node) {
            Some(_) => Vec::new(),
            None if !view.other.as_ref().is_some_and(is_blank) => Vec::new(),
            None => vec!["whether the node has the set's key: the set finds out when it has admitted it".to_owned()],
        }
    }
}

/// What a node that is in the configuration calls for.
fn settle(view: &View, member: &Member, wanted: &Part, last: Option<&Step>) -> Result<Next<Step, Added>, ActionError> {
    let config = &view.current.config;
    let (id, host, basis) = (member.id, member.host.clone(), config.basis());
    let is_wanted = member.role == *wanted;
    let ours = last.is_some_and(|step| step.made(member, wanted));
    if !ours && !is_wanted {
        let message = format!(
            "{host} is a member already, as {}, and not as asked, {}: mongodb.com/member.configure changes that, also for one \
             that was left without a vote by an add that was cut short",
            words(&member.role),
            words(wanted)
        );
        return Err(ActionError::last("member_differs", message));
    }
    if ours && matches!(last, Some(Step::Admit { .. })) {
        return Ok(Next::Do {
            now: Step::Follow {
                id,
                host,
                part: member.role.clone(),
            },
            then: Vec::new(),
        });
    }
    let Some(seen) = view.status.member(&member.host) else {
        return Ok(Next::Wait(format!("the primary has heard of {host}")));
    };
    if let Some((code, why)) = candidate::verdict(seen) {
        // One that is let in for good may only be out of step for a while, as when keys are changed.
        if !ours || !matches!(last, Some(Step::Follow { .. } | Step::Withdraw { .. })) {
            return Err(ActionError::retry(code, why));
        }
        return Ok(Next::Do {
            now: Step::Withdraw {
                id,
                host,
                code: code.to_owned(),
                why,
                basis,
            },
            then: Vec::new(),
        });
    }
    let settled = if member.role.arbiter {
        seen.state == MemberState::Arbiter
    } else {
        matches!(seen.state, MemberState::Secondary | MemberState::Primary)
    };
    if !settled || !(seen.is_up || seen.is_self) {
        return Ok(Next::Wait(waiting(seen)));
    }
    if !is_wanted {
        if wanted.is_voter() && !member.role.is_voter() && !config.has_vote_left() {
            return Err(reach::too_many_voters());
        }
        return Ok(Next::Do {
            now: Step::Promote {
                id,
                host,
                part: wanted.clone(),
                basis,
            },
            then: Vec::new(),
        });
    }
    if view.current.committed == Some(false) {
        return Ok(Next::Wait(UNCOMMITTED.to_owned()));
    }
    if member.role.is_voter() && !reach::counts(&host, config, &view.status) {
        return Ok(Next::Wait(format!("the vote of {host} counts")));
    }
    Ok(Next::Done(Added {
        cluster_id: config.set.clone(),
        node: host,
        member_id: id,
        voter: member.role.is_voter(),
        changed: last.is_some(),
    }))
}

fn waiting(seen: &Seen) -> String {
    let Seen { host, state, .. } = seen;
    let more = match (&seen.complaint, &seen.source) {
        (Some(complaint), _) => format!(": {complaint}"),
        (None, Some(source)) => format!(", and copies from {source}"),
        (None, None) => String::new(),
    };
    format!("{host} follows: it is {} now{more}", state.name())
}

fn words(part: &Part) -> String {
    serde_json::to_string(part).unwrap_or_default()
}

impl Step {
    /// Whether this step, or one before it, is what made the member: its number and name, and what it is, are those that this
    /// action has given it, or is about to.
    fn made(&self, member: &Member, wanted: &Part) -> bool {
        let (Self::Admit { id, host, .. }
        | Self::Follow { id, host, .. }
        | Self::Promote { id, host, .. }
        | Self::Withdraw { id, host, .. }) = self;
        let is_as_made = member.role == *wanted || member.role == probation(wanted);
        *id == member.id && same_host(host, &member.host) && is_as_made
    }
}

#[cfg(test)]
mod tests;
