//! What a caller wants a member to be. What is not said follows from what is, so that the server has nothing to refuse: who
//! has no vote, is hidden or stays behind on purpose is not elected.

use std::collections::BTreeMap;

use agent_sdk::action::ActionError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ask::set::Part;

/// A node that is to be a member, and as what.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMember {
    /// Member address of the node, host:port, as its agent shows it.
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

impl NewMember {
    /// What it is to be.
    pub(super) fn part(&self) -> Result<Part, ActionError> {
        let wishes = Wishes {
            votes: self.votes,
            priority: self.priority,
            hidden: self.hidden,
            arbiter: self.arbiter,
            delay_s: self.delay_s,
            tags: self.tags.clone(),
        };
        wishes.over(&Part::default())
    }
}

/// Each none where nothing is said.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Wishes {
    pub votes: Option<u8>,
    pub priority: Option<f64>,
    pub hidden: Option<bool>,
    pub arbiter: Option<bool>,
    pub delay_s: Option<u32>,
    pub tags: Option<BTreeMap<String, String>>,
}

fn invalid(message: &str) -> ActionError {
    ActionError::last("invalid_member", message)
}

impl Wishes {
    /// Whether nothing is wished for.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The part with these wishes over what it is without them.
    ///
    /// **Errors**: wishes that cannot go together.
    pub(super) fn over(&self, base: &Part) -> Result<Part, ActionError> {
        let arbiter = self.arbiter.unwrap_or(base.arbiter);
        let votes = self.votes.map_or(base.votes, i64::from);
        let delay_s = self.delay_s.map_or(base.delay_s, i64::from);
        // Clients that read from it would be shown the past.
        let starts_delay = delay_s > 0 && base.delay_s == 0;
        let hidden = self.hidden.unwrap_or(base.hidden || starts_delay);
        let unelectable = [
            (arbiter, "an arbiter holds no data"),
            (votes == 0, "it has no vote"),
            (hidden, "it is hidden"),
            (delay_s > 0, "it stays behind on purpose"),
        ];
        let why = unelectable.iter().find_map(|(holds, why)| holds.then_some(*why));
        let priority = match (self.priority, why) {
            (Some(priority), Some(why)) if priority > 0.0 => {
                return Err(invalid(&format!("its priority has to be 0, since {why}")));
            }
            (Some(priority), _) => priority,
            (None, Some(_)) => 0.0,
            (None, None) => base.priority,
        };
        if !(0.0..=1000.0).contains(&priority) {
            return Err(invalid("a priority is from 0 to 1000"));
        }
        if !(0..=1).contains(&votes) {
            return Err(invalid("a member has one vote or none"));
        }
        if arbiter && (votes == 0 || hidden || delay_s > 0) {
            return Err(invalid("an arbiter votes, and can be neither hidden nor delayed"));
        }
        Ok(Part {
            votes,
            priority,
            hidden,
            arbiter,
            delay_s,
            tags: self.tags.clone().unwrap_or_else(|| base.tags.clone()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over(wishes: &Wishes) -> Result<Part, String> {
        wishes.over(&Part::default()).map_err(|error| error.to_string())
    }

    #[test]
    fn without_wishes_a_member_stays_as_it_is() {
        assert_eq!(over(&Wishes::default()).unwrap(), Part::default());
        let part = Part {
            votes: 0,
            priority: 0.0,
            delay_s: 60,
            hidden: false,
            ..Part::default()
        };
        assert_eq!(Wishes::default().over(&part).unwrap(), part);
        assert!(Wishes::default().is_empty());
    }

    #[test]
    fn who_cannot_be_elected_has_priority_0() {
        for wishes in [
            Wishes {
                votes: Some(0),
                ..Wishes::default()
            },
            Wishes {
                hidden: Some(true),
                ..Wishes::default()
            },
            Wishes {
                delay_s: Some(60),
                ..Wishes::default()
            },
            Wishes {
                arbiter: Some(true),
                ..Wishes::default()
            },
        ] {
            assert!(over(&wishes).unwrap().priority.abs() < f64::EPSILON, "{wishes:?}");
            let contrary = Wishes {
                priority: Some(2.0),
                ..wishes
            };
            assert!(over(&contrary).unwrap_err().contains("priority has to be 0"));
        }
    }

    #[test]
    fn who_stays_behind_is_hidden_unless_it_is_said_otherwise() {
        let delayed = |hidden| Wishes {
            delay_s: Some(60),
            hidden,
            ..Wishes::default()
        };
        assert!(over(&delayed(None)).unwrap().hidden);
        assert!(!over(&delayed(Some(false))).unwrap().hidden);
    }

    #[test]
    fn what_no_member_can_be_is_refused() {
        let wrong = |wishes: Wishes| over(&wishes).unwrap_err();
        let priority = |priority| {
            wrong(Wishes {
                priority: Some(priority),
                ..Wishes::default()
            })
        };
        assert!(priority(-1.0).contains("0 to 1000") && priority(f64::NAN).contains("0 to 1000"));
        let arbiter = Wishes {
            arbiter: Some(true),
            votes: Some(0),
            ..Wishes::default()
        };
        assert!(wrong(arbiter).contains("an arbiter votes"));
    }
}
