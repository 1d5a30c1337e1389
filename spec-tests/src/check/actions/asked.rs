//! What only `v1` can be asked of actions.

use std::time::Duration;

use serde_json::Value;

use super::super::judge::{Case, Judge};
use super::super::wire::is_refused;
use super::super::{Check, V1};
use super::{CODES, RECORDS, SCHEDULING, acted, each};
use crate::client::{Answer, Exchange};
use crate::dialect::integer;
use crate::model::{STATES, State};
use crate::verdict::Severity::Wire;

const NOT_ASKED: &str = "the actions that it takes were not accepted, or others' actions held them up";

pub(super) const CHECKS: &[Check] = &[
    acted(
        "wire.wait",
        Wire,
        "a long poll is answered when the record changes",
        RECORDS,
        |case, judge| {
            asked(case, judge, &["wait_for_nothing"], |exchanges, judge| {
                let whole = exchanges[0].outcome.as_ref().is_ok_and(|answer| answer.status == 200);
                judge.expect(whole, exchanges[0], "200 with the record at the end of the wait");
            });
            asked(case, judge, &["before_wait", "wait"], |exchanges, judge| {
                let [before, after] = exchanges else { return };
                let version = |exchange: &Exchange| integer(&body(exchange)["version"]);
                let changed = version(before).zip(version(after)).is_some_and(|(was, is)| is > was);
                judge.expect(changed, after, "the record with a higher version");
                if after.took > before.took + Duration::from_secs(2) {
                    judge.broken(
                        after,
                        "an answer with the next step, 0.1 s later",
                        format!("one after {:.1} s", after.took.as_secs_f64()),
                    );
                }
            });
        },
    )
    .only(V1),
    acted(
        "wire.cancel",
        Wire,
        "an action's end can be asked for, whether it waits or runs",
        RECORDS,
        |case, judge| {
            for name in ["cancel_waiting", "cancel_running"] {
                asked(case, judge, &[name], |exchanges, judge| match status(exchanges[0]) {
                    Some(409) => judge.blind("it had ended already"),
                    status => judge.expect(status == Some(202), exchanges[0], "202 with the record"),
                });
            }
            for names in [
                ["cancel_waiting", "cancelled_waiting"],
                ["cancel_running", "cancelled_running"],
            ] {
                asked(case, judge, &names, |exchanges, judge| match ending(exchanges[1]) {
                    _ if status(exchanges[0]) == Some(409) => {}
                    Some((state, code)) => {
                        let ended = state == State::Failed && code.as_deref() == Some("cancelled");
                        judge.expect(ended, exchanges[1], "FAILED with the code cancelled");
                    }
                    None => judge.blind("how it ended could not be read"),
                });
            }
        },
    )
    .only(V1),
    acted(
        "wire.cancel.finished",
        Wire,
        "asking for the end of what has ended is a problem with 409",
        CODES,
        |case, judge| {
            asked(case, judge, &["cancel_finished"], |exchanges, judge| {
                if is_refused(case, judge, exchanges[0], &[409]) {
                    judge.holds();
                }
            });
        },
    )
    .only(V1),
    acted(
        "wire.history",
        Wire,
        "every step of an action is told",
        RECORDS,
        |case, judge| {
            each(case, judge, |acted, judge| {
                let Some(first) = acted.history.first() else {
                    return judge.blind(NOT_ASKED);
                };
                for page in acted.history.iter().skip(1) {
                    if judge.is_put_off(page) {
                        return;
                    }
                    if !page.outcome.as_ref().is_ok_and(Answer::is_good) {
                        return judge.broken(page, "the next page of a history", page.came());
                    }
                }
                if acted.history.last().is_some_and(|page| body(page)["next"].is_string()) {
                    return judge.blind("a history has more pages than are read");
                }
                let pages = acted.history.iter().map(body);
                let steps: Vec<_> = pages
                    .flat_map(|page| page["transitions"].as_array().cloned().unwrap_or_default())
                    .collect();
                let versions: Vec<_> = steps.iter().filter_map(|step| integer(&step["version"])).collect();
                let states: Vec<_> = steps.iter().filter_map(|step| step["state"].as_str()).collect();
                if states
                    .iter()
                    .any(|state| !STATES.iter().any(|(known, _)| known == state))
                {
                    return judge.blind("a step's state could not be read");
                }
                let in_order = versions.len() == steps.len()
                    && (1..).zip(&versions).all(|(expected, version)| *version == expected);
                // What was cancelled before its first attempt has never run.
                let ran = steps.last().is_none_or(|step| integer(&step["attempt"]) != Some(0));
                let whole = states.first() == Some(&"NEW")
                    && (!ran || states.contains(&"RUNNING"))
                    && matches!(states.last(), Some(&("DONE" | "FAILED")));
                judge.expect(in_order, first, "versions 1, 2, 3 and so on");
                judge.expect(whole, first, "steps from NEW over RUNNING to the end");
            });
        },
    )
    .only(V1),
    acted(
        "wire.preconditions",
        Wire,
        "an action whose preconditions do not hold is not run",
        SCHEDULING,
        |case, judge| {
            asked(
                case,
                judge,
                &["precondition", "precondition_record"],
                |exchanges, judge| {
                    let [_, after] = exchanges else { return };
                    match ending(after) {
                        Some((state, code)) => {
                            let unmet = state == State::Failed
                                && matches!(code.as_deref(), Some("precondition_unmet" | "precondition_unknown"))
                                && integer(&body(after)["attempt"]) == Some(0);
                            judge.expect(unmet, after, "FAILED with precondition_unmet, without an attempt");
                        }
                        None => judge.blind("how it ended could not be read"),
                    }
                },
            );
        },
    )
    .only(V1),
];

/// What was asked of actions under these names, where all of them were.
fn asked(case: &Case<'_>, judge: &mut Judge, names: &[&'static str], look: impl Fn(&[&Exchange], &mut Judge)) {
    each(case, judge, |acted, judge| {
        let exchanges: Option<Vec<_>> = names.iter().map(|name| acted.asked.get(name)).collect();
        match exchanges {
            Some(exchanges) => look(&exchanges, judge),
            None => judge.blind(NOT_ASKED),
        }
    });
}

fn status(exchange: &Exchange) -> Option<u16> {
    exchange.outcome.as_ref().ok().map(|answer| answer.status)
}

fn body(exchange: &Exchange) -> Value {
    let answer = exchange.outcome.as_ref().ok();
    answer.and_then(|answer| answer.json().ok()).unwrap_or_default()
}

/// A record's state, and the code of its error; none where the state, or the error of a failed action, could not be read.
fn ending(exchange: &Exchange) -> Option<(State, Option<String>)> {
    let record = body(exchange);
    let state = record["state"].as_str()?;
    let (_, state) = STATES.iter().find(|(known, _)| *known == state)?;
    let code = record["error"]["code"].as_str().map(str::to_owned);
    (*state != State::Failed || code.is_some()).then_some((*state, code))
}
