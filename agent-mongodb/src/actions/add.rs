//! `cluster.add`: run on a member, takes another mongod into the set.
//!
//! The server takes in whatever is named to it: one that is dead, one of another set of the same name, one with another key,
//! and a member under a second name, which throws that member out. So the node is asked first who it is. What it does not
//! tell to a stranger (its key, and the set that its data are of) only the set itself finds out: it is admitted without a
//! vote, where it can do no harm, is given its vote once it has copied the data, and is withdrawn where the set finds that
//! it does not belong to it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use agent_sdk::action::{ActionError, Converge, Invocation, Kind, Next};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::outcome::UNCOMMITTED;
use super::reach;
use super::wishes::Wishes;
use crate::ask::hello::{self, Hello};
use crate::ask::set::{Current, Member, Part, same_host};
use crate::ask::status::Seen;
use crate::ask::{Kind as Process, MemberState, SetStatus};
use crate::client::Fault;
use crate::sight::Sight;

/// Takes another mongod into the set.
pub struct Add(Arc<Sight>);

/// Which one, and as what.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddArgs {
    /// Member address of the other node, host:port, as its agent shows it.
    pub node: String,
    /// 1 to vote, which is the default, 0 not to.
    #[serde(default)]
    #[schemars(range(max = 1))]
    pub votes: Option<u8>,
    /// The higher, the sooner it is elected; 0 for never. 1 by default, or 0 where it cannot be elected.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1000))]
    pub priority: Option<f64>,
    /// Whether clients are not shown it. False by default.
    #[serde(default)]
    pub hidden: Option<bool>,
    /// Whether it votes only, and holds no data. False by default.
    #[serde(default)]
    pub arbiter: Option<bool>,
    /// By how many seconds it stays behind on purpose; such a member is hidden unless `hidden` says otherwise. 0 by default.
    #[serde(default)]
    pub delay_s: Option<u32>,
    /// Tags, for write concerns and reads.
    #[serde(default)]
    pub tags: Option<BTreeMap<String, String>>,
}

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
    /// Whether this action has changed anything.
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

/// A step. `version`: of the configuration that it was decided on.
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
        /// Of the configuration.
        version: i64,
    },
    /// Makes it what it is to be.
    Promote {
        /// Its number.
        id: i64,
        /// Its name.
        host: String,
        /// As what it stays.
        part: Part,
        /// Of the configuration.
        version: i64,
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
        /// Of the configuration.
        version: i64,
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
            Self::Promote { id, host, part, .. } => {
                write!(f, "give {host}, member {id}, its vote, and priority {}", part.priority)
            }
            Self::Withdraw { id, host, why, .. } => write!(f, "take {host}, member {id}, out again: {why}"),
        }
    }
}

impl AddArgs {
    fn wishes(&self) -> Wishes {
        Wishes {
            votes: self.votes,
            priority: self.priority,
            hidden: self.hidden,
            arbiter: self.arbiter,
            delay_s: self.delay_s,
            tags: self.tags.clone(),
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

/// Whether a node that the set does not have can be taken in, by what it says of itself.
fn stranger(host: &str, other: Option<&Result<Hello, Fault>>, view: &View) -> Result<(), ActionError> {
    let hello = match other {
        Some(Ok(hello)) => hello,
        Some(Err(fault @ Fault::Garbage { .. })) => return Err(ActionError::last("not_a_member", fault.to_string())),
        Some(Err(fault)) => return Err(ActionError::retry("member_unreachable", fault.to_string())),
        None => {
            return Err(ActionError::retry(
                "member_unreachable",
                format!("{host} was not asked yet"),
            ));
        }
    };
    let member = match &hello.kind {
        Process::Outside => return Ok(()),
        Process::Standalone | Process::Router => return Err(reach::no_member(&hello.kind)),
        Process::Member(member) => member,
    };
    let config = &view.current.config;
    let own = member.me.as_deref().filter(|_| member.set == config.set);
    Err(match own.and_then(|me| config.member(me)) {
        Some(known) => ActionError::last(
            "same_node",
            format!("{host} is {} under another name, and a member already", known.host),
        ),
        // It may not have heard yet that it was removed.
        None if own.is_some_and(|me| same_host(me, host)) && knows(&member.members, view) => {
            ActionError::retry("not_now", format!("{host} still takes itself for a member of the set"))
        }
        None => ActionError::last(
            "other_set",
            format!(
                "{host} is a member of a set of its own, {}, with {}",
                member.set,
                member.members.join(", ")
            ),
        ),
    })
}

fn knows(members: &[String], view: &View) -> bool {
    members.iter().any(|host| view.current.config.member(host).is_some())
}

/// What the set has found out about a member that does not belong to it; none while all may be well.
fn verdict(seen: &Seen) -> Option<(&'static str, String)> {
    let host = &seen.host;
    if seen.is_keyless && !seen.is_up {
        let why = format!("{host} does not accept the set's key: it has another, or runs without access control");
        return Some(("other_key", why));
    }
    let complaint = seen.complaint.as_ref().filter(|_| !seen.is_up)?;
    if complaint.contains("--replSet") {
        return Some((
            "not_a_member",
            format!("{host} runs without --replSet now: {complaint}"),
        ));
    }
    let other = ["do not match", "did not match", "does not match"];
    other
        .iter()
        .any(|words| complaint.contains(words))
        .then(|| ("other_set", format!("{host} is of another set: {complaint}")))
}

impl Kind for Add {
    const KIND: &'static str = "agent.replicante.io/cluster.add";
    const SUMMARY: &'static str = "Takes another mongod, started for this set and in none yet, into the set: done when it is a secondary and votes.";
    // The first copy of the data is part of it.
    const DEADLINE: Duration = Duration::from_secs(24 * 3600);
    type Args = AddArgs;
    type Output = Added;
}

impl Converge for Add {
    type View = View;
    type Step = Step;

    async fn observe(&self, args: &AddArgs, _: Option<&Step>) -> Result<View, ActionError> {
        let address = reach::address(&args.node)?;
        args.wishes().over(&Part::default())?;
        let primary = reach::primary(&self.0).await?;
        let other = match primary.current.config.member(&args.node) {
            Some(_) => None,
            None => Some(hello::ask(&self.0.stranger(address)).await),
        };
        Ok(View {
            current: primary.current,
            status: primary.status,
            other,
        })
    }

    fn decide(args: &AddArgs, view: &View, last: Option<&Step>) -> Result<Next<Step, Added>, ActionError> {
        let wanted = args.wishes().over(&Part::default())?;
        let node = reach::address(&args.node)?.to_string();
        let config = &view.current.config;
        let version = config.version;
        let Some(member) = config.member(&node) else {
            if let Some(Step::Withdraw { code, why, .. }) = last {
                return Err(ActionError::last(code.clone(), why.clone()));
            }
            stranger(&node, view.other.as_ref(), view)?;
            if wanted.is_voter() && !config.has_vote_left() {
                return Err(reach::too_many_voters());
            }
            let (id, host, begins) = (config.next_id(), node, probation(&wanted));
            let promote = (begins != wanted).then(|| Step::Promote {
                id,
                host: host.clone(),
                part: wanted,
                version: version.saturating_add(1),
            });
            return Ok(Next::Do {
                now: Step::Admit {
                    id,
                    host,
                    part: begins,
                    version,
                },
                then: promote.into_iter().collect(),
            });
        };
        let ours = last.is_some_and(|step| step.made(member));
        settle(view, member, &wanted, ours, last.is_some())
    }

    async fn apply(&self, _: &AddArgs, step: &Step, _: &Invocation) -> Result<(), ActionError> {
        match step {
            Step::Admit {
                id,
                host,
                part,
                version,
            } => {
                let member = Member {
                    id: *id,
                    host: host.clone(),
                    role: part.clone(),
                };
                reach::change(&self.0, *version, false, |config| config.with(&member)).await
            }
            Step::Promote { id, part, version, .. } => {
                reach::change(&self.0, *version, false, |config| config.changed(*id, part)).await
            }
            Step::Withdraw { id, version, .. } => {
                reach::change(&self.0, *version, false, |config| config.without(*id)).await
            }
        }
    }

    fn unchecked(args: &AddArgs, view: &View) -> Vec<String> {
        let is_blank = |other: &Result<Hello, Fault>| other.as_ref().is_ok_and(|hello| hello.kind == Process::Outside);
        match view.current.config.member(&args.node) {
            Some(_) => Vec::new(),
            None if !view.other.as_ref().is_some_and(is_blank) => Vec::new(),
            None => vec!["whether the node has the set's key: the set finds out when it has admitted it".to_owned()],
        }
    }
}

/// What a node that is in the configuration calls for. `ours`: this action has put it there.
fn settle(
    view: &View,
    member: &Member,
    wanted: &Part,
    ours: bool,
    changed: bool,
) -> Result<Next<Step, Added>, ActionError> {
    let config = &view.current.config;
    let (id, host, version) = (member.id, member.host.clone(), config.version);
    let is_wanted = member.role == *wanted;
    if !ours && !is_wanted {
        let message = format!(
            "{host} is a member already, as {}, and not as asked, {}: mongodb.com/member.configure changes that, also for one \
             that was left without a vote by an add that was cut short",
            words(&member.role),
            words(wanted)
        );
        return Err(ActionError::last("member_differs", message));
    }
    let Some(seen) = view.status.member(&member.host) else {
        return Ok(Next::Wait(format!("the primary has heard of {host}")));
    };
    if let Some((code, why)) = verdict(seen) {
        if !ours {
            return Err(ActionError::retry(code, why));
        }
        return Ok(Next::Do {
            now: Step::Withdraw {
                id,
                host,
                code: code.to_owned(),
                why,
                version,
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
        return Ok(Next::Do {
            now: Step::Promote {
                id,
                host,
                part: wanted.clone(),
                version,
            },
            then: Vec::new(),
        });
    }
    if view.current.committed == Some(false) {
        return Ok(Next::Wait(UNCOMMITTED.to_owned()));
    }
    if member.role.is_voter() && !reach::counts(config, &view.status) {
        return Ok(Next::Wait(format!("the vote of {host} counts")));
    }
    Ok(Next::Done(Added {
        cluster_id: config.set.clone(),
        node: host,
        member_id: id,
        voter: member.role.is_voter(),
        changed,
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
    /// Whether this step, or one before it, is what made the member.
    fn made(&self, member: &Member) -> bool {
        let (Self::Admit { id, host, .. } | Self::Promote { id, host, .. } | Self::Withdraw { id, host, .. }) = self;
        *id == member.id && same_host(host, &member.host)
    }
}

#[cfg(test)]
mod tests;
