//! What load, hostile requests and crashes show: level `stress`.

mod crash;

use super::judge::{Case, Judge};
use super::{Check, at};
use crate::client::{Answer, Exchange};
use crate::dialect::problem;
use crate::gather::{LOOP, SUCCESS, Scheduled, Stressed, Told, Waited, retry_after};
use crate::model::{Record, State};
use crate::verdict::Level;
use crate::verdict::Severity::{self, Must, Wire};

const WHERE: &str = "docs/wire.md#scheduling";
const CODES: &str = "docs/wire.md#problems";

/// Hostile requests whose bodies are JSON all the same: nobody says how deep or how large is too much.
const JSON: [&str; 5] = ["deep_129", "deep_100000", "number", "lone_surrogate", "large"];

/// Hostile requests that are bytes alone.
const BYTES: [&str; 3] = ["no_request", "no_end", "bad_chunk"];

const fn stressed(
    id: &'static str,
    severity: Severity,
    rule: &'static str,
    reference: &'static str,
    judge: fn(&Case<'_>, &mut Judge),
) -> Check {
    at(Level::Stress, id, severity, rule, reference, judge)
}

/// The checks, those of crashes apart.
pub(super) const CHECKS: [&[Check]; 2] = [LOAD, crash::CHECKS];

const LOAD: &[Check] = &[
    stressed(
        "stress.unique",
        Must,
        "of many requests with one id at the same time one is accepted",
        WHERE,
        |case, judge| {
            each(case, judge, |stressed, judge| {
                let good = |exchange: &&Exchange| exchange.outcome.as_ref().is_ok_and(Answer::is_good);
                let accepted = stressed.same_id.iter().filter(good).count();
                match (accepted, stressed.same_id.first()) {
                    (1, _) => judge.holds(),
                    (2.., Some(first)) => {
                        let of = stressed.same_id.len();
                        judge.broken(first, "one that is accepted", format!("{accepted} of {of}"));
                    }
                    _ => judge.blind("none of them was accepted"),
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
                let accepted: Vec<_> = stressed.crowd.iter().filter(|one| one.is_accepted()).collect();
                if accepted.is_empty() {
                    judge.blind("none of them was accepted");
                }
                for scheduled in accepted {
                    kept(scheduled, judge);
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
            for agent in case.agents {
                let Some(last) = agent.stressed.as_ref().and_then(|stressed| stressed.overload.last()) else {
                    continue;
                };
                let offered = agent.acted.as_ref().map(|acted| &acted.offered);
                if offered.is_some_and(|offered| [LOOP, SUCCESS].iter().any(|kind| offered.lacks(kind, last))) {
                    judge.blind("the agent has no kind to fill the queue with");
                    continue;
                }
                match &last.outcome {
                    Ok(answer) if answer.is_good() => judge.idle("the queue did not fill with all that was sent"),
                    Ok(Answer { status: 503 | 507, .. }) => {
                        judge.blind("the agent was busy, or its disk full, before its queue was");
                    }
                    Ok(answer) => {
                        let later = retry_after(answer).is_some();
                        match problem(case.dialect, answer, &[429]) {
                            Ok(_) => judge.expect(later, last, "seconds, or a time, in the header Retry-After"),
                            Err(expected) => judge.broken(last, expected, last.came()),
                        }
                    }
                    Err(_) => judge.broken(last, "a problem with 429", last.came()),
                }
            }
        },
    ),
    stressed(
        "stress.hostile",
        Wire,
        "a request that is meant to hurt is answered, and refused where it is no JSON",
        CODES,
        |case, judge| {
            each(case, judge, |stressed, judge| {
                for (name, (exchange, _)) in &stressed.hostile {
                    withstood(name, exchange, judge);
                }
            });
        },
    ),
    stressed(
        "stress.alive",
        Wire,
        "an agent lives on whatever it is sent",
        CODES,
        |case, judge| {
            each(case, judge, |stressed, judge| {
                for (exchange, after) in stressed.hostile.values() {
                    if after.exchange.outcome.is_ok() {
                        judge.holds();
                    } else {
                        judge.gone(exchange, &after.exchange);
                    }
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

/// A hostile request was answered: refused, unless it may be accepted, or cut off, where it may be.
fn withstood(name: &str, exchange: &Exchange, judge: &mut Judge) {
    let (is_json, is_bytes) = (JSON.contains(&name), BYTES.contains(&name));
    // Bytes carry no credentials.
    if judge.is_put_off(exchange) || (!is_bytes && judge.is_shut_out(exchange)) {
        return;
    }
    let expected = if is_json {
        "a good answer, or a status from 400 to 499"
    } else {
        "a status from 400 to 499"
    };
    let right = match &exchange.outcome {
        Ok(answer) => (400..500).contains(&answer.status) || (is_json && answer.is_good()),
        // What is no request, or too large to be read, may be ended instead of answered.
        Err(fault) => !fault.is_ours() && (is_bytes || name == "large"),
    };
    if right {
        judge.holds();
    } else {
        judge.broken(exchange, format!("{expected} for {name}"), exchange.came());
    }
}

/// An action that was accepted under load has a record, and is done.
fn kept(scheduled: &Scheduled, judge: &mut Judge) {
    let (first, last) = (scheduled.looks.first(), scheduled.last());
    match (first.and_then(Told::status), last.and_then(state)) {
        (_, Some(State::Done)) => judge.holds(),
        (Some(404), _) => judge.broken(&scheduled.answer, "a record of it", "none"),
        (_, Some(found)) if found.is_final() || scheduled.waited == Waited::Stuck => {
            let look = last.map_or(&scheduled.answer, |told| &told.exchange);
            judge.broken(look, "DONE", look.came());
        }
        (_, Some(_)) => judge.blind("not all have ended, and others' actions may have been ahead"),
        // It was there, and is not: dropped for age, as it were.
        (Some(_), None) if last.and_then(Told::status) == Some(404) => judge.idle("what had ended was dropped for age"),
        _ => judge.blind("not all records could be read"),
    }
}

fn state(told: &Told<Record>) -> Option<State> {
    told.value()?.state.value().copied()
}
