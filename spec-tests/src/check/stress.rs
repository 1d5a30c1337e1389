//! What load, hostile requests and crashes show: level `stress`.

use super::judge::{Case, Judge};
use super::{Check, at};
use crate::dialect::problem;
use crate::gather::{Crashed, Scheduled, Stressed, Told};
use crate::model::{Record, State};
use crate::verdict::Level;
use crate::verdict::Severity::{self, Must, Wire};

const WHERE: &str = "docs/wire.md#scheduling";
const CODES: &str = "docs/wire.md#problems";

const fn stressed(
    id: &'static str,
    severity: Severity,
    rule: &'static str,
    reference: &'static str,
    judge: fn(&Case<'_>, &mut Judge),
) -> Check {
    at(Level::Stress, id, severity, rule, reference, judge)
}

pub(super) const CHECKS: &[Check] = &[
    stressed(
        "stress.unique",
        Must,
        "of many requests with one id at the same time one is accepted",
        WHERE,
        |case, judge| {
            each(case, judge, |stressed, judge| {
                let good = |exchange: &&crate::client::Exchange| {
                    exchange.outcome.as_ref().is_ok_and(crate::client::Answer::is_good)
                };
                let accepted = stressed.same_id.iter().filter(good).count();
                if accepted == 1 {
                    judge.holds();
                } else if let Some(first) = stressed.same_id.first() {
                    judge.broken(
                        first,
                        "one that is accepted",
                        format!("{accepted} of {}", stressed.same_id.len()),
                    );
                }
            });
        },
    ),
    stressed(
        "stress.kept",
        Must,
        "every action that was accepted under load is recorded and ends",
        WHERE,
        |case, judge| {
            each(case, judge, |stressed, judge| {
                for scheduled in stressed.crowd.iter().filter(|scheduled| scheduled.is_accepted()) {
                    let state = scheduled.last().and_then(state);
                    if state == Some(State::Done) {
                        judge.holds();
                    } else {
                        let look = scheduled.last().map_or(&scheduled.answer, |told| &told.exchange);
                        judge.broken(look, "DONE", look.came());
                    }
                }
            });
        },
    ),
    stressed(
        "stress.overload",
        Wire,
        "a full queue is a problem with 429 that says when to come again",
        CODES,
        |case, judge| {
            each(case, judge, |stressed, judge| {
                let Some(last) = stressed.overload.last() else { return };
                match &last.outcome {
                    Ok(answer) if answer.is_good() => judge.idle("the queue did not fill with all that was sent"),
                    Ok(answer) => {
                        let later = answer
                            .header("retry-after")
                            .is_some_and(|seconds| seconds.parse::<u32>().is_ok());
                        match problem(case.dialect, answer, &[429]) {
                            Ok(_) => judge.expect(later, last, "seconds in the header Retry-After"),
                            Err(expected) => judge.broken(last, expected, last.came()),
                        }
                    }
                    Err(_) => judge.broken(last, "a problem with 429", last.came()),
                }
            });
        },
    ),
    stressed(
        "stress.hostile",
        Wire,
        "a request that is meant to hurt is refused",
        CODES,
        |case, judge| {
            each(case, judge, |stressed, judge| {
                for (name, (exchange, _)) in &stressed.hostile {
                    match &exchange.outcome {
                        Ok(answer) if (400..500).contains(&answer.status) => judge.holds(),
                        // What is no request, or too large to be read, may be ended instead of answered.
                        Err(_) if matches!(*name, "no_request" | "no_end" | "bad_chunk" | "large") => judge.holds(),
                        _ => judge.broken(
                            exchange,
                            format!("a status from 400 to 499 for {name}"),
                            exchange.came(),
                        ),
                    }
                }
            });
        },
    ),
    stressed(
        "stress.alive",
        Must,
        "an agent lives on whatever it is sent",
        CODES,
        |case, judge| {
            each(case, judge, |stressed, judge| {
                for (exchange, after) in stressed.hostile.values() {
                    if after.read.is_some() {
                        judge.holds();
                    } else {
                        judge.gone(exchange, &after.exchange);
                    }
                }
            });
        },
    ),
    stressed(
        "crash.durable",
        Must,
        "what was acknowledged survives a crash",
        WHERE,
        |case, judge| {
            crashed(case, judge, |crashed, judge| {
                let all = crashed.waiting.iter().chain([&crashed.running, &crashed.finished]);
                for scheduled in all.filter(|scheduled| scheduled.is_accepted()) {
                    match scheduled.last() {
                        Some(told) if told.read.is_some() => judge.holds(),
                        Some(told) => {
                            judge.broken_by(&[&scheduled.answer, &told.exchange], "its record", told.exchange.came());
                        }
                        None => judge.broken(&scheduled.answer, "its record", "none"),
                    }
                }
            });
        },
    ),
    stressed(
        "crash.final",
        Must,
        "what had ended before a crash has not begun again",
        WHERE,
        |case, judge| {
            crashed(case, judge, |crashed, judge| {
                let looks = &crashed.finished.looks;
                let [.., before, after] = looks.as_slice() else {
                    return judge.blind("no action had ended before");
                };
                let same = before.value().zip(after.value()).is_some_and(|(before, after)| {
                    before.state == after.state
                        && before.finished == after.finished
                        && before.scheduled == after.scheduled
                });
                judge.expect(same, &after.exchange, "the record as it was");
            });
        },
    ),
    stressed(
        "crash.resumed",
        Must,
        "the action that ran goes on after a crash, first of all",
        WHERE,
        |case, judge| {
            crashed(case, judge, |crashed, judge| {
                let Some(after) = crashed
                    .running
                    .last()
                    .filter(|_| crashed.running.looks.len() > crashed.looks_before)
                else {
                    return judge.blind("no action ran");
                };
                let done = state(after) == Some(State::Done);
                judge.expect(done, &after.exchange, "DONE");
                let ended = |scheduled: &Scheduled| {
                    let record = scheduled.last()?.value()?;
                    super::records::instant(record.finished.value()?)
                };
                let first = ended(&crashed.running);
                for waiting in &crashed.waiting {
                    if let (Some(first), Some(later), Some(told)) = (first, ended(waiting), waiting.last())
                        && later < first
                    {
                        judge.broken_by(
                            &[&after.exchange, &told.exchange],
                            "the one that ran to end first",
                            "one that waited did",
                        );
                    }
                }
            });
        },
    ),
    stressed(
        "crash.progress",
        Wire,
        "an action that goes on after a crash goes on from where it was",
        WHERE,
        |case, judge| {
            crashed(case, judge, |crashed, judge| {
                let count = |told: &Told<Record>| told.value()?.payload.value()?["count"].as_i64();
                let (before, after) = crashed.running.looks.split_at(crashed.looks_before);
                let Some(was) = before.last().and_then(count) else {
                    return judge.blind("no progress was told before");
                };
                for told in after {
                    match count(told) {
                        Some(is) if is < was => judge.broken(&told.exchange, format!("{was} or more"), is.to_string()),
                        Some(_) => judge.holds(),
                        None => {}
                    }
                }
            });
        },
    ),
    stressed(
        "crash.order",
        Must,
        "those that waited run in their order after a crash",
        WHERE,
        |case, judge| {
            crashed(case, judge, |crashed, judge| {
                let mut last = None;
                for scheduled in &crashed.waiting {
                    let record = scheduled.last().and_then(Told::value);
                    let Some(ended) = record.and_then(|record| super::records::instant(record.finished.value()?))
                    else {
                        judge.blind("not all that waited have ended");
                        continue;
                    };
                    if last.is_some_and(|last| ended < last) {
                        let look = scheduled.last().map_or(&scheduled.answer, |told| &told.exchange);
                        judge.broken(look, "an end after that of the one before", "one before it");
                    } else {
                        judge.holds();
                    }
                    last = Some(ended);
                }
            });
        },
    ),
];

fn each(case: &Case<'_>, judge: &mut Judge, mut look: impl FnMut(&Stressed, &mut Judge)) {
    for stressed in case.agents.iter().filter_map(|agent| agent.stressed.as_ref()) {
        look(stressed, judge);
    }
}

fn crashed(case: &Case<'_>, judge: &mut Judge, mut look: impl FnMut(&Crashed, &mut Judge)) {
    each(case, judge, |stressed, judge| match &stressed.crashed {
        None => judge.blind("no commands were given: --kill-command, --restart-command"),
        Some(Crashed { fault: Some(fault), .. }) => judge.blind(fault.clone()),
        Some(crashed) => look(crashed, judge),
    });
}

fn state(told: &Told<Record>) -> Option<State> {
    told.value()?.state.value().copied()
}
