//! `info/shards`: what the node holds, and how far it is.

use std::collections::{BTreeMap, BTreeSet};

use super::judge::{Case, Judge, value};
use super::{Check, read};
use crate::client::Exchange;
use crate::gather::{Sample, Seen};
use crate::model::{Amount, NodeState, Role, Shard};
use crate::verdict::Severity::{Must, Should};

const WHERE: &str = "docs/wire.md#the-shards";

const NONE: &str = "the node holds no shard";
const NO_OFFSET: &str = "no shard tells a commit offset";
const NO_LAG: &str = "no shard tells a replication lag";

pub(super) const CHECKS: &[Check] = &[
    read(
        "shards.list",
        Must,
        "the shards on a node are listed",
        WHERE,
        |case, judge| {
            for sample in case.agents.iter().flat_map(|agent| &agent.samples) {
                if value(judge, &sample.shards).is_some_and(|shards| shards.value().is_some()) {
                    judge.holds();
                }
            }
        },
    ),
    read(
        "shard.id",
        Must,
        "a shard has an id of its own",
        WHERE,
        |case, judge| {
            for sample in case.agents.iter().flat_map(|agent| &agent.samples) {
                let Some(shards) = value(judge, &sample.shards).and_then(|shards| shards.value()) else {
                    continue;
                };
                let mut ids = BTreeSet::new();
                for id in shards.iter().filter_map(|shard| shard.id.value()) {
                    if ids.insert(id) {
                        judge.holds();
                    } else {
                        judge.broken(&sample.shards.exchange, "each shard once", format!("{id:?} twice"));
                    }
                }
                if shards.is_empty() {
                    judge.blind(NONE);
                }
            }
        },
    ),
    read(
        "shard.state",
        Must,
        "a shard's replication state is one of the four",
        WHERE,
        |case, judge| {
            each(case, judge, NONE, |_, shard, judge| {
                if shard.role.value().is_some() {
                    judge.holds();
                }
            });
        },
    ),
    read(
        "shard.offset",
        Must,
        "a commit offset is an integer of 64 bits with its sign",
        WHERE,
        |case, judge| {
            amounts(
                case,
                judge,
                NO_OFFSET,
                |shard| shard.offset.value(),
                |_, amount, judge| {
                    if amount.value.value().is_some() {
                        judge.holds();
                    }
                },
            );
        },
    ),
    read(
        "shard.offset.unit",
        Should,
        "a commit offset tells its unit",
        WHERE,
        |case, judge| {
            amounts(
                case,
                judge,
                NO_OFFSET,
                |shard| shard.offset.value(),
                |_, amount, judge| {
                    if amount.unit.value().is_some() {
                        judge.holds();
                    }
                },
            );
        },
    ),
    read(
        "shard.offset.unit.steady",
        Should,
        "the unit of a shard's commit offset does not change",
        WHERE,
        |case, judge| {
            for agent in case.agents {
                series(agent, judge, |before, now, judge| {
                    if let (Some(was), Some(is)) = (before.1.unit.value(), now.1.unit.value()) {
                        if was == is {
                            judge.holds();
                        } else {
                            judge.broken_by(&[before.0, now.0], format!("the unit {was:?} again"), format!("{is:?}"));
                        }
                    }
                });
            }
        },
    ),
    read(
        "shard.offset.forward",
        Must,
        "a commit offset does not go back on a healthy node",
        WHERE,
        |case, judge| {
            for agent in case.agents {
                series(agent, judge, |before, now, judge| {
                    let (Some(was), Some(is)) = (before.1.value.value(), now.1.value.value()) else {
                        return;
                    };
                    if before.1.unit.value() != now.1.unit.value() || is >= was {
                        judge.holds();
                    } else {
                        judge.broken_by(&[before.0, now.0], format!("{was} or more"), is.to_string());
                    }
                });
            }
        },
    ),
    read(
        "shard.lag",
        Must,
        "a replication lag is an integer of 64 bits with its sign",
        WHERE,
        |case, judge| {
            amounts(
                case,
                judge,
                NO_LAG,
                |shard| shard.lag.value(),
                |_, amount, judge| {
                    if amount.value.value().is_some() {
                        judge.holds();
                    }
                },
            );
        },
    ),
    read(
        "shard.lag.unit",
        Must,
        "a replication lag tells its unit",
        WHERE,
        |case, judge| {
            amounts(
                case,
                judge,
                NO_LAG,
                |shard| shard.lag.value(),
                |_, amount, judge| {
                    if amount.unit.value().is_some() {
                        judge.holds();
                    }
                },
            );
        },
    ),
    read(
        "shard.lag.primary",
        Should,
        "what is behind is a copy: a primary is behind nobody",
        WHERE,
        |case, judge| {
            each(case, judge, NONE, |exchange, shard, judge| {
                let lag = shard.lag.value().and_then(|lag| lag.value.value());
                match (shard.role.value(), lag) {
                    (Some(Role::Primary), Some(lag)) if *lag != 0 => {
                        judge.broken(exchange, "no lag, or 0, on a primary", format!("a lag of {lag}"));
                    }
                    _ => judge.holds(),
                }
            });
        },
    ),
];

/// Every shard of every look.
fn each(case: &Case<'_>, judge: &mut Judge, none: &str, mut look: impl FnMut(&Exchange, &Shard, &mut Judge)) {
    for sample in case.agents.iter().flat_map(|agent| &agent.samples) {
        let Some(shards) = value(judge, &sample.shards).and_then(|shards| shards.value()) else {
            continue;
        };
        if shards.is_empty() {
            judge.blind(none);
        }
        for shard in shards {
            look(&sample.shards.exchange, shard, judge);
        }
    }
}

fn amounts(
    case: &Case<'_>,
    judge: &mut Judge,
    none: &str,
    of: impl Fn(&Shard) -> Option<&Amount>,
    mut look: impl FnMut(&Exchange, &Amount, &mut Judge),
) {
    each(case, judge, NONE, |exchange, shard, judge| match of(shard) {
        Some(amount) => look(exchange, amount, judge),
        None => judge.idle(none),
    });
}

type Told1<'a> = (&'a Exchange, &'a Amount);

/// Each two offsets of a shard that follow each other while the node is healthy.
fn series(agent: &Seen, judge: &mut Judge, mut look: impl FnMut(Told1<'_>, Told1<'_>, &mut Judge)) {
    let mut last: BTreeMap<&String, Told1<'_>> = BTreeMap::new();
    let mut found = false;
    for sample in &agent.samples {
        let Some(shards) = sample.shards.value().and_then(|shards| shards.value()) else {
            continue;
        };
        // Where a node is not healthy, writes may have been lost.
        if !is_healthy(sample) {
            last.clear();
            continue;
        }
        for shard in shards {
            let (Some(id), Some(offset)) = (shard.id.value(), shard.offset.value()) else {
                continue;
            };
            found = true;
            let now = (&sample.shards.exchange, offset);
            if let Some(before) = last.insert(id, now) {
                look(before, now, judge);
            }
        }
    }
    if !found {
        judge.idle("no shard of a healthy node tells a commit offset");
    }
}

fn is_healthy(sample: &Sample) -> bool {
    sample.node.value().and_then(|node| node.state.value()) == Some(&NodeState::Healthy)
}
