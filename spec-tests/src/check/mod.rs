//! The rules, one check each, with an id that never means anything else.
//!
//! A check is a pure function over what was gathered. Its rule is written once for both dialects: answers were read into
//! one model, and what did not fit was laid to the check whose rule it breaks.

mod actions;
mod attributes;
mod cluster;
mod dialects;
mod judge;
mod kinds;
mod lists;
mod looks;
mod node;
mod records;
mod shards;
mod stress;
mod wire;

pub use judge::{Case, Judge};

use crate::dialect::Dialect;
use crate::verdict::{Level, Severity};

/// One rule.
pub struct Check {
    /// Permanent: in reports, baselines and documents.
    pub id: &'static str,
    /// The rule, in our words.
    pub rule: &'static str,
    /// How much it binds.
    pub severity: Severity,
    /// The lowest level at which it can be seen.
    pub level: Level,
    /// In which dialects.
    pub dialects: &'static [Dialect],
    /// The fewest agents that it takes.
    pub agents: usize,
    /// Where `docs/wire.md` shows the right answer.
    pub reference: &'static str,
    /// Looks at what was gathered.
    pub judge: fn(&Case<'_>, &mut Judge),
}

const BOTH: &[Dialect] = &Dialect::ALL;
const V1: &[Dialect] = &[Dialect::V1];
const UNSTABLE: &[Dialect] = &[Dialect::Unstable];

/// Every check, in the order in which reports show them.
pub fn all() -> impl Iterator<Item = &'static Check> {
    let looked = [
        node::CHECKS,
        attributes::CHECKS,
        shards::CHECKS,
        cluster::CHECKS,
        records::CHECKS,
        lists::CHECKS,
        wire::CHECKS,
        kinds::CHECKS,
        dialects::CHECKS,
    ];
    looked
        .into_iter()
        .chain(actions::CHECKS)
        .chain(stress::CHECKS)
        .flatten()
}

/// The check with this id.
pub fn find(id: &str) -> Option<&'static Check> {
    all().find(|check| check.id == id)
}

/// A check over one agent, in both dialects.
const fn at(
    level: Level,
    id: &'static str,
    severity: Severity,
    rule: &'static str,
    reference: &'static str,
    judge: fn(&Case<'_>, &mut Judge),
) -> Check {
    Check {
        id,
        rule,
        severity,
        level,
        dialects: BOTH,
        agents: 1,
        reference,
        judge,
    }
}

/// The same at level `read`.
const fn read(
    id: &'static str,
    severity: Severity,
    rule: &'static str,
    reference: &'static str,
    judge: fn(&Case<'_>, &mut Judge),
) -> Check {
    at(Level::Read, id, severity, rule, reference, judge)
}

impl Check {
    const fn only(self, dialects: &'static [Dialect]) -> Self {
        Self { dialects, ..self }
    }

    const fn with_agents(self, agents: usize) -> Self {
        Self { agents, ..self }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_are_given_once_and_every_check_says_where_the_right_answer_stands() {
        let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../");
        let mut ids = BTreeSet::new();
        for check in all() {
            assert!(ids.insert(check.id), "{} is there twice", check.id);
            let (file, heading) = check.reference.split_once('#').unwrap_or((check.reference, ""));
            let text = std::fs::read_to_string(format!("{docs}{file}")).unwrap();
            let anchors: Vec<_> = text
                .lines()
                .filter_map(|line| line.strip_prefix("## "))
                .map(|heading| heading.to_lowercase().replace(' ', "-"))
                .collect();
            assert!(
                heading.is_empty() || anchors.iter().any(|anchor| anchor == heading),
                "{}: {}",
                check.id,
                check.reference
            );
        }
        assert!(find("node.id").is_some() && find("no.such").is_none());
    }
}
