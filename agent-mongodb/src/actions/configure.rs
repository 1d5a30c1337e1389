//! `mongodb.com/member.configure`: makes one member something else to the set.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use agent_sdk::action::{ActionError, Converge, Invocation, Kind, Next};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::majority::Votes;
use super::outcome::UNCOMMITTED;
use super::reach;
use super::wishes::Wishes;
use crate::ask::SetStatus;
use crate::ask::set::{Basis, Current, Part};
use crate::sight::Sight;

/// Makes one member something else to the set.
pub struct Configure(Arc<Sight>);

/// Which one, and what.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigureArgs {
    /// Member address of the member, host:port, as its agent shows it.
    pub node: String,
    /// 1 to vote, 0 not to. Without a vote its priority is 0.
    #[serde(default)]
    #[schemars(range(max = 1))]
    pub votes: Option<u8>,
    /// The higher, the sooner it is elected; 0 for never.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1000))]
    pub priority: Option<f64>,
    /// Whether clients are not shown it. Its priority is 0 then.
    #[serde(default)]
    pub hidden: Option<bool>,
    /// By how many seconds it stays behind on purpose. Its priority is 0 then, and it is hidden unless `hidden` says
    /// otherwise.
    #[serde(default)]
    pub delay_s: Option<u32>,
    /// Tags, for write concerns and reads, in place of all that it has.
    #[serde(default)]
    pub tags: Option<BTreeMap<String, String>>,
}

/// What the member is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Configured {
    /// Name of the set.
    pub cluster_id: String,
    /// Name of the member.
    pub node: String,
    /// 1 where it votes, 0 where not.
    pub votes: i64,
    /// The higher, the sooner it is elected.
    pub priority: f64,
    /// Whether clients are not shown it.
    pub hidden: bool,
    /// By how many seconds it stays behind on purpose.
    pub delay_s: i64,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Whether there was anything to change.
    pub changed: bool,
}

/// What was read.
#[derive(Debug)]
pub struct View {
    primary: String,
    current: Current,
    status: SetStatus,
}

/// The one step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Number of the member.
    pub id: i64,
    /// Its name.
    pub host: String,
    /// What it was before: to go back, ask for this.
    pub before: Part,
    /// What it is to be.
    pub part: Part,
    /// The configuration that this was decided on.
    pub basis: Basis,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            id, host, before, part, ..
        } = self;
        write!(f, "change {host}, member {id}: ")?;
        let changes = [
            ("votes", before.votes.to_string(), part.votes.to_string()),
            ("priority", before.priority.to_string(), part.priority.to_string()),
            ("hidden", before.hidden.to_string(), part.hidden.to_string()),
            ("delay_s", before.delay_s.to_string(), part.delay_s.to_string()),
            ("tags", format!("{:?}", before.tags), format!("{:?}", part.tags)),
        ];
        let mut first = true;
        for (name, old, new) in changes.iter().filter(|(_, old, new)| old != new) {
            let comma = if std::mem::take(&mut first) { "" } else { ", " };
            write!(f, "{comma}{name} from {old} to {new}")?;
        }
        Ok(())
    }
}

impl ConfigureArgs {
    fn wishes(&self) -> Wishes {
        Wishes {
            votes: self.votes,
            priority: self.priority,
            hidden: self.hidden,
            arbiter: None,
            delay_s: self.delay_s,
            tags: self.tags.clone(),
        }
    }
}

fn nothing_asked() -> ActionError {
    let message = "nothing is asked for: give votes, priority, hidden, delay_s or tags";
    ActionError::last("nothing_asked", message)
}

impl Configure {
    pub(crate) const fn new(sight: Arc<Sight>) -> Self {
        Self(sight)
    }
}

impl Kind for Configure {
    const KIND: &'static str = "mongodb.com/member.configure";
    const SUMMARY: &'static str =
        "Changes the priority, vote, visibility, delay or tags of one member; the checkpoint keeps what it was before.";
    const DEADLINE: Duration = Duration::from_secs(300);
    type Args = ConfigureArgs;
    type Output = Configured;
}

impl Converge for Configure {
    type View = View;
    type Step = Step;

    async fn observe(&self, args: &ConfigureArgs, _: Option<&Step>) -> Result<View, ActionError> {
        reach::address(&args.node)?;
        if args.wishes().is_empty() {
            return Err(nothing_asked());
        }
        let primary = reach::primary(&self.0).await?;
        Ok(View {
            primary: primary.host,
            current: primary.current,
            status: primary.status,
        })
    }

    fn decide(args: &ConfigureArgs, view: &View, last: Option<&Step>) -> Result<Next<Step, Configured>, ActionError> {
        let View {
            primary,
            current,
            status,
        } = view;
        let wishes = args.wishes();
        if wishes.is_empty() {
            return Err(nothing_asked());
        }
        let config = &current.config;
        let Some(member) = config.member(&args.node) else {
            let message = format!("{} is no member of {}", args.node, config.set);
            return Err(ActionError::last("node_unknown", message));
        };
        let part = wishes.over(&member.role)?;
        if part == member.role {
            if current.committed == Some(false) {
                return Ok(Next::Wait(UNCOMMITTED.to_owned()));
            }
            if part.is_voter() && !reach::counts(&member.host, config, status) {
                return Ok(Next::Wait(format!("the vote of {} counts", member.host)));
            }
            return Ok(Next::Done(Configured {
                cluster_id: config.set.clone(),
                node: member.host.clone(),
                votes: part.votes,
                priority: part.priority,
                hidden: part.hidden,
                delay_s: part.delay_s,
                tags: part.tags,
                changed: last.is_some(),
            }));
        }
        if *primary == member.host && part.priority <= 0.0 {
            let message = format!(
                "{primary} is the primary, and could not be it as this: have it step down first (mongodb.com/primary.step-down)"
            );
            return Err(ActionError::last("is_primary", message));
        }
        if !member.role.is_voter() && part.is_voter() && !config.has_vote_left() {
            return Err(reach::too_many_voters());
        }
        if member.role.is_voter() && !part.is_voter() {
            let votes = Votes::without(member.id, config, status);
            if !votes.is_majority() {
                return Err(ActionError::last("no_majority", votes.lack()));
            }
        }
        Ok(Next::Do {
            now: Step {
                id: member.id,
                host: member.host.clone(),
                before: member.role.clone(),
                part,
                basis: config.basis(),
            },
            then: Vec::new(),
        })
    }

    async fn apply(&self, _: &ConfigureArgs, step: &Step, invocation: &Invocation) -> Result<(), ActionError> {
        reach::change(&self.0, invocation, step.basis, |config| {
            let there = config.has(step.id, &step.host);
            there.then(|| config.changed(step.id, &step.part))
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::majority::tests::set;

    fn view(states: &[i32]) -> View {
        let (config, status) = set(states);
        View {
            primary: "h0:1".to_owned(),
            current: Current {
                config,
                committed: Some(true),
            },
            status,
        }
    }

    fn args(node: usize) -> ConfigureArgs {
        ConfigureArgs {
            node: format!("h{node}:1"),
            ..ConfigureArgs::default()
        }
    }

    fn code(args: &ConfigureArgs, states: &[i32]) -> String {
        match Configure::decide(args, &view(states), None).unwrap_err() {
            ActionError::Final(fault) => fault.code().to_owned(),
            other => other.to_string(),
        }
    }

    #[test]
    fn a_change_tells_what_it_changes_and_what_follows_from_it() {
        let hide = ConfigureArgs {
            hidden: Some(true),
            ..args(1)
        };
        let Next::Do { now, .. } = Configure::decide(&hide, &view(&[1, 2, 2]), None).unwrap() else {
            panic!("it is not hidden")
        };
        assert_eq!(
            now.to_string(),
            "change h1:1, member 1: priority from 1 to 0, hidden from false to true"
        );
        assert!(now.before.priority > 0.0, "to go back");
    }

    #[test]
    fn what_is_so_already_is_done() {
        let same = ConfigureArgs {
            votes: Some(1),
            ..args(1)
        };
        let mut view = view(&[1, 2, 2]);
        let decide = |view: &View| Configure::decide(&same, view, None).unwrap();
        assert!(matches!(
            decide(&view),
            Next::Done(Configured {
                changed: false,
                votes: 1,
                ..
            })
        ));
        view.status.voting = Some(2);
        assert!(matches!(decide(&view), Next::Wait(_)), "its vote is held back");
        view.current.committed = Some(false);
        assert!(matches!(decide(&view), Next::Wait(_)));
    }

    #[test]
    fn what_would_harm_is_refused() {
        let silence = |node| ConfigureArgs {
            votes: Some(0),
            ..args(node)
        };
        assert_eq!(code(&silence(0), &[1, 2, 2]), "is_primary");
        assert_eq!(code(&silence(1), &[1, 2, 8]), "no_majority");
        assert_eq!(code(&silence(9), &[1, 2]), "node_unknown");
        let eighth = ConfigureArgs {
            votes: Some(1),
            ..args(7)
        };
        assert_eq!(code(&eighth, &[1, 2, 2, 2, 2, 2, 2, -2]), "too_many_voters");
        assert_eq!(code(&args(1), &[1, 2]), "nothing_asked");
    }
}
