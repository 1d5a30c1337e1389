//! `info/shards`: what the node holds, and how far it is.

mod series;

use std::collections::BTreeSet;

use series::series;

use super::judge::{Case, Judge, value};
use super::{Check, read};
use crate::client::Exchange;
use crate::dialect::Dialect;
use crate::gather::Sample;
use crate::model::{Amount, Field, Role, Shard};
use crate::verdict::Severity::{Must, Should};

const WHERE: &str = "docs/wire.md#the-shards";

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
            lists(case, judge, |exchange, shards, judge| {
                let mut ids = BTreeSet::new();
                for id in shards.iter().filter_map(|shard| shard.id.value()) {
                    if ids.insert(id) {
                        judge.holds();
                    } else {
                        judge.broken(exchange, "each shard once", format!("{id:?} twice"));
                    }
                }
            });
        },
    ),
    read(
        "shard.state",
        Must,
        "a shard's replication state is one of the four",
        WHERE,
        |case, judge| {
            each(case, judge, |_, shard, judge| {
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
                |shard| &shard.offset,
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
                |shard| &shard.offset,
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
            series(case, judge, |before, now, judge| {
                if let (Some(was), Some(is)) = (before.offset.unit.value(), now.offset.unit.value()) {
                    if was == is {
                        judge.holds();
                    } else {
                        judge.broken_by(
                            &[before.exchange, now.exchange],
                            format!("the unit {was:?} again"),
                            format!("{is:?}"),
                        );
                    }
                }
            });
        },
    ),
    read(
        "shard.offset.forward",
        Must,
        "a commit offset does not go back on a healthy node",
        WHERE,
        |case, judge| {
            series(case, judge, |before, now, judge| {
                let (Some(was), Some(is)) = (before.offset.value.value(), now.offset.value.value()) else {
                    return;
                };
                // In `unstable` -1 stands for an offset that could not be read.
                let unread = case.dialect == Dialect::Unstable && [*was, *is].contains(&-1);
                if unread || !before.compares_with(now) {
                    judge.idle("no two offsets of a shard can be compared");
                } else if is >= was {
                    judge.holds();
                } else {
                    judge.broken_by(
                        &[before.exchange, now.exchange],
                        format!("{was} or more, unless a write was lost"),
                        is.to_string(),
                    );
                }
            });
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
                |shard| &shard.lag,
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
                |shard| &shard.lag,
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
            each(case, judge, |exchange, shard, judge| {
                let lag = shard.lag.value().and_then(|lag| lag.value.value());
                match (shard.role.value(), lag) {
                    (Some(Role::Primary), Some(lag)) if *lag != 0 => {
                        judge.broken(exchange, "no lag, or 0, on a primary", format!("a lag of {lag}"));
                    }
                    (Some(Role::Primary), _) => judge.holds(),
                    _ => judge.idle("the node is no shard's primary"),
                }
            });
        },
    ),
];

/// The shards of one look; that there is no list of them is another check's finding.
fn list<'a>(judge: &mut Judge, sample: &'a Sample) -> Option<&'a Vec<Shard>> {
    let shards = value(judge, &sample.shards)?.value();
    if shards.is_none() {
        judge.blind("the shards could not be read");
    }
    shards
}

/// Every list of shards. A node may hold none; where none does, there is nothing to see.
fn lists(case: &Case<'_>, judge: &mut Judge, mut look: impl FnMut(&Exchange, &[Shard], &mut Judge)) {
    let (mut asked, mut held) = (false, false);
    for sample in case.agents.iter().flat_map(|agent| &agent.samples) {
        asked = true;
        if let Some(shards) = list(judge, sample) {
            held |= !shards.is_empty();
            look(&sample.shards.exchange, shards, judge);
        }
    }
    if asked && !held {
        judge.blind("no node holds a shard");
    }
}

/// Every shard of every look.
fn each(case: &Case<'_>, judge: &mut Judge, mut look: impl FnMut(&Exchange, &Shard, &mut Judge)) {
    lists(case, judge, |exchange, shards, judge| {
        for shard in shards {
            look(exchange, shard, judge);
        }
    });
}

fn amounts(
    case: &Case<'_>,
    judge: &mut Judge,
    none: &str,
    of: impl Fn(&Shard) -> &Field<Amount>,
    mut look: impl FnMut(&Exchange, &Amount, &mut Judge),
) {
    each(case, judge, |exchange, shard, judge| match of(shard) {
        Field::Value(amount) => look(exchange, amount, judge),
        Field::Null | Field::Missing => judge.idle(none),
        Field::Wrong => judge.blind("an amount could not be read"),
    });
}
