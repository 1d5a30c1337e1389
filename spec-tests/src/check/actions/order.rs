//! Which action runs when.

use std::collections::{BTreeMap, BTreeSet};

use super::super::Check;
use super::super::judge::Judge;
use super::super::records::instant;
use super::{ENOUGH, SCHEDULING, acted, each, finished};
use crate::gather::{Scheduled, Told};
use crate::model::State;
use crate::verdict::Severity::{Must, Wire};

pub(super) const CHECKS: &[Check] = &[
    acted(
        "action.order",
        Must,
        "actions run in the order in which they were accepted",
        SCHEDULING,
        |case, judge| {
            each(case, judge, |acted, judge| {
                let listed: Vec<_> = acted.finished.ids().collect();
                in_order(&acted.row.iter().collect::<Vec<_>>(), &listed, judge);
            });
        },
    ),
    acted(
        "action.one_at_a_time",
        Must,
        "one action runs at a time",
        SCHEDULING,
        |case, judge| {
            each(case, judge, |acted, judge| {
                let mut seen = false;
                for queue in &acted.queues {
                    let Some(list) = queue.value().and_then(|list| list.actions.value()) else {
                        continue;
                    };
                    let running: BTreeSet<_> = list
                        .iter()
                        .filter(|brief| brief.state.value() == Some(&State::Running))
                        .filter_map(|brief| brief.id.value())
                        .collect();
                    let running = running.len();
                    seen |= running > 0;
                    if running > 1 {
                        judge.broken(&queue.exchange, "one that is RUNNING", format!("{running} of them"));
                    }
                }
                let overlap = overlap(&acted.row, judge);
                if seen && !overlap {
                    judge.holds();
                } else if !seen {
                    judge.blind("no action was seen to run");
                }
            });
        },
    ),
    acted(
        "node.meanwhile",
        Wire,
        "the node is told of while an action runs",
        "docs/wire.md#the-node",
        |case, judge| {
            each(case, judge, |acted, judge| {
                for told in &acted.meanwhile {
                    if judge.is_put_off(&told.exchange) {
                        continue;
                    }
                    judge.expect(told.read.is_some(), &told.exchange, "200 with the node");
                }
            });
        },
    ),
];

/// Actions that were accepted in this order have to end in it. Clocks may be set back, so that what they tell counts where
/// the list of the finished, newest first, has it so, too.
pub(crate) fn in_order(row: &[&Scheduled], listed: &[String], judge: &mut Judge) {
    let place: BTreeMap<_, _> = listed.iter().enumerate().map(|(place, id)| (id, place)).collect();
    let ended: Vec<_> = row.iter().filter_map(|one| Some((*one, finished(one)?))).collect();
    let mut right = ended.len() == row.len() && ended.len() > 1;
    if !right {
        judge.blind("not every action of a row has ended");
    }
    for pair in ended.windows(2) {
        let [(first, before), (second, after)] = pair else {
            continue;
        };
        if after >= before {
            continue;
        }
        match place.get(&first.id).zip(place.get(&second.id)) {
            Some((first_place, second_place)) if second_place > first_place => {
                right = false;
                let looks = [first, second].map(|one| one.last().map_or(&one.answer, |told| &told.exchange));
                judge.broken_by(
                    &looks,
                    format!("{} to end after {}", second.id, first.id),
                    "it ended before",
                );
            }
            Some(_) => {}
            None => judge.blind("only the agent's clock tells which of two actions ended first"),
        }
    }
    if right {
        judge.holds();
    }
}

/// Whether actions of a row began before those before them had ended, where the dialect tells when an action began. A clock
/// that is set back makes it seem so once.
fn overlap(row: &[Scheduled], judge: &mut Judge) -> bool {
    let began = |one: &Scheduled| {
        one.last()
            .and_then(Told::value)
            .and_then(|record| instant(record.started.value()?))
    };
    let runs: Vec<_> = row
        .iter()
        .filter_map(|one| Some((began(one)?, finished(one)?, one)))
        .collect();
    // Out of turn is not at once.
    let overlaps = |pair: &&[(_, _, &Scheduled)]| pair[1].0 < pair[0].1 && pair[0].0 < pair[1].1;
    let pairs: Vec<_> = runs.windows(2).filter(overlaps).collect();
    if pairs.len() < ENOUGH {
        return false;
    }
    for pair in pairs {
        let looks = [pair[0].2, pair[1].2].map(|one| one.last().map_or(&one.answer, |told| &told.exchange));
        let (ended, began) = (pair[0].1, pair[1].0);
        judge.broken_by(
            &looks,
            format!("{} to begin after {ended}", pair[1].2.id),
            began.to_string(),
        );
    }
    true
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap as Map;
    use std::time::{Duration, Instant};

    use serde_json::{Value, json};

    use super::*;
    use crate::client::{Answer, Exchange, Request};
    use crate::dialect::Read;
    use crate::gather::Waited;
    use crate::model::{Field, Record};

    /// An action that ended in this second, by the agent's clock.
    fn action(id: &str, second: usize) -> Scheduled {
        let exchange = Exchange {
            agent: String::new(),
            request: Request::get(""),
            outcome: Ok(Answer {
                status: 200,
                headers: Vec::new(),
                body: Vec::new(),
            }),
            began: Instant::now(),
            took: Duration::ZERO,
            curl: String::new(),
        };
        let value = Record {
            finished: Field::Value(format!("2026-01-31T12:00:0{second}.000000000Z")),
            ..Record::default()
        };
        let read = Some(Read {
            value,
            misfits: Vec::new(),
        });
        Scheduled {
            id: id.to_owned(),
            kind: String::new(),
            args: Value::Null,
            headers: Map::new(),
            requester: None,
            created: None,
            answer: exchange.clone(),
            looks: vec![Told { exchange, read }],
            waited: Waited::Ended,
        }
    }

    #[test]
    fn a_clock_that_is_set_back_breaks_no_order() {
        let (a, b, late) = (action("a", 5), action("b", 3), action("b", 7));
        let outcome = |row: &[&Scheduled], listed: &[&str]| {
            let mut judge = Judge::of("action.order");
            let listed: Vec<_> = listed.iter().map(|id| (*id).to_owned()).collect();
            in_order(row, &listed, &mut judge);
            let told = json!(judge.outcome());
            told["outcome"].as_str().map(str::to_owned)
        };
        assert_eq!(outcome(&[&a, &late], &["b", "a"]).as_deref(), Some("held"));
        assert_eq!(outcome(&[&a, &b], &["b", "a"]).as_deref(), Some("held"));
        assert_eq!(outcome(&[&a, &b], &["a", "b"]).as_deref(), Some("broken"));
        assert_eq!(outcome(&[&a, &b], &["a"]).as_deref(), Some("not_run"));
        assert_eq!(outcome(&[&a], &["a"]).as_deref(), Some("not_run"));
    }
}
