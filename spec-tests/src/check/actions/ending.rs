//! How actions end, and what they tell on the way.

use std::time::Duration;

use super::super::Check;
use super::super::judge::{Judge, last};
use super::{RECORDS, SCHEDULING, acted, each};
use crate::client::Exchange;
use crate::dialect::{Dialect, integer};
use crate::gather::{Acted, Scheduled, Told, Waited};
use crate::model::{Field, Record, State};
use crate::verdict::Severity::{Must, Wire};

pub(super) const CHECKS: &[Check] = &[
    acted(
        "action.accepted",
        Must,
        "an action that is scheduled is accepted and recorded",
        SCHEDULING,
        |case, judge| {
            each(case, judge, |acted, judge| {
                for scheduled in [&acted.success, &acted.failure, &acted.counted]
                    .into_iter()
                    .chain(&acted.row)
                {
                    accepted(acted, scheduled, judge);
                }
            });
        },
    ),
    acted(
        "action.done",
        Must,
        "an action that succeeds ends as DONE",
        RECORDS,
        |case, judge| {
            each(case, judge, |acted, judge| {
                ends(&acted.success, State::Done, judge);
                ends(&acted.counted, State::Done, judge);
            });
        },
    ),
    acted(
        "action.failed",
        Must,
        "an action that fails ends as FAILED",
        RECORDS,
        |case, judge| {
            each(case, judge, |acted, judge| ends(&acted.failure, State::Failed, judge));
        },
    ),
    acted(
        "action.failed.error",
        Wire,
        "a failed action says why",
        RECORDS,
        |case, judge| {
            each(case, judge, |acted, judge| {
                let Some((told, record)) = last(judge, &acted.failure) else {
                    return;
                };
                if record.state.value() == Some(&State::Failed) {
                    match &record.error {
                        Field::Value(error) => {
                            judge.expect(error.as_str() != Some(""), &told.exchange, "an error that says why");
                        }
                        Field::Null => judge.broken(&told.exchange, "an error that says why", "null"),
                        // Told with the record's shape.
                        Field::Missing | Field::Wrong => judge.blind("the error could not be read"),
                    }
                } else {
                    judge.blind("no action has failed");
                }
            });
        },
    ),
    acted(
        "action.progress",
        Wire,
        "an action's progress is told while it runs",
        RECORDS,
        |case, judge| {
            each(case, judge, |acted, judge| {
                let Some((told, _)) = last(judge, &acted.counted) else {
                    return;
                };
                let looks = acted.counted.looks.iter().filter(|look| {
                    let record = look
                        .value()
                        .filter(|record| record.state.value() == Some(&State::Running));
                    record.is_some_and(|record| !matches!(record.payload, Field::Missing | Field::Wrong))
                });
                let looks: Vec<_> = looks.collect();
                let steps = acted.counted.args["delay_ms"]
                    .as_u64()
                    .map(|step| Duration::from_millis(2 * step));
                let silent = looks.first().zip(looks.last()).map(|(first, last)| {
                    let first = first.exchange.began + first.exchange.took;
                    last.exchange.began.saturating_duration_since(first)
                });
                if looks
                    .iter()
                    .any(|look| look.value().is_some_and(|record| record.payload.value().is_some()))
                {
                    judge.holds();
                } else if silent >= steps {
                    judge.broken(
                        &told.exchange,
                        "progress of test.loop under the record while it runs",
                        "none",
                    );
                } else {
                    judge.blind("no action was seen to run for as long as two steps take");
                }
            });
        },
    ),
    acted(
        "action.progress.forward",
        Wire,
        "progress does not go back",
        RECORDS,
        |case, judge| {
            each(case, judge, |acted, judge| {
                let counts: Vec<_> = running(&acted.counted)
                    .filter_map(|record| record.payload.value().and_then(|payload| integer(&payload["count"])))
                    .collect();
                if let Some(back) = counts.windows(2).find(|pair| pair[1] < pair[0]) {
                    let look = acted
                        .counted
                        .last()
                        .map_or(&acted.counted.answer, |told| &told.exchange);
                    judge.broken(look, format!("{} or more", back[0]), back[1].to_string());
                } else if counts.is_empty() {
                    judge.blind("no progress was told");
                } else {
                    judge.holds();
                }
            });
        },
    ),
    acted(
        "action.output",
        Wire,
        "test.loop gives its count and its target",
        RECORDS,
        |case, judge| {
            each(case, judge, |acted, judge| {
                let Some((told, record)) = last(judge, &acted.counted) else {
                    return;
                };
                if record.state.value() != Some(&State::Done) {
                    return judge.blind("it is not done");
                }
                let output = if case.dialect == Dialect::V1 {
                    &record.output
                } else {
                    &record.payload
                };
                let target = &acted.counted.args["target"];
                match output {
                    Field::Value(output) => {
                        let is_target = |key: &str| integer(&output[key]) == target.as_i64();
                        let whole = is_target("count") && is_target("target");
                        judge.expect(whole, &told.exchange, &format!("count and target of {target}"));
                    }
                    Field::Null => judge.broken(&told.exchange, "an output", "null"),
                    Field::Missing | Field::Wrong => judge.blind("the output could not be read"),
                }
            });
        },
    ),
    acted(
        "action.state.forward",
        Must,
        "an action's state does not go back",
        RECORDS,
        |case, judge| {
            each(case, judge, |acted, judge| {
                let after = acted.repeated.iter().map(|(_, after)| after);
                let success = acted.success.looks.iter().chain(after);
                forward(success, judge);
                forward(acted.counted.looks.iter(), judge);
                forward(acted.failure.looks.iter(), judge);
            });
        },
    ),
];

/// An action was accepted, and had a record when it was looked for first: later it may have been dropped for age.
fn accepted(acted: &Acted, scheduled: &Scheduled, judge: &mut Judge) {
    let (kind, answer) = (&scheduled.kind, &scheduled.answer);
    if judge.is_put_off(answer) {
        return;
    }
    // The specification lays no kind down that changes nothing: an agent may have none of those that are used here.
    if acted.offered.lacks(kind, answer) {
        return judge.blind(format!("the agent has no {kind}"));
    }
    if !scheduled.is_accepted() {
        return judge.broken(answer, "an answer that accepts it", answer.came());
    }
    match scheduled.looks.first() {
        Some(look) if look.status() == Some(404) => {
            judge.broken_by(&[answer, &look.exchange], "a record of it", "none");
        }
        Some(look) if look.read.is_some() => judge.holds(),
        _ => judge.blind("whether there is a record of it could not be read"),
    }
}

fn running(scheduled: &Scheduled) -> impl Iterator<Item = &Record> {
    let records = scheduled.looks.iter().filter_map(Told::value);
    records.filter(|record| record.state.value() == Some(&State::Running))
}

fn forward<'a>(looks: impl Iterator<Item = &'a Told<Record>>, judge: &mut Judge) {
    let mut furthest: Option<(&Exchange, State)> = None;
    for told in looks {
        let Some(state) = told.value().and_then(|record| record.state.value()).copied() else {
            continue;
        };
        match furthest {
            Some((before, was)) if state < was || (was.is_final() && state != was) => {
                judge.broken_by(
                    &[before, &told.exchange],
                    format!("{was}, or what follows it"),
                    state.to_string(),
                );
            }
            _ => {
                judge.holds();
                furthest = Some((&told.exchange, state));
            }
        }
    }
}

/// An action was accepted and has ended so.
pub(super) fn ends(scheduled: &Scheduled, state: State, judge: &mut Judge) {
    let Some((told, record)) = last(judge, scheduled) else {
        return;
    };
    match record.state.value() {
        None => {}
        Some(found) if *found == state => judge.holds(),
        Some(found) if found.is_final() || scheduled.waited == Waited::Stuck => {
            judge.broken(&told.exchange, state.to_string(), found.to_string());
        }
        Some(_) => judge.blind("it has not ended, and may have had to wait for others' actions"),
    }
}
