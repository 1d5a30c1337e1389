//! What a crash leaves of actions that had ended, ran and waited.

use serde_json::Value;

use super::super::actions::in_order;
use super::super::judge::{Case, Judge};
use super::super::{Check, records::instant};
use super::{WHERE, each, state, stressed};
use crate::dialect::{Dialect, integer};
use crate::gather::{Crashed, Scheduled, Survivor, Told};
use crate::model::{Record, State};
use crate::verdict::Severity::{Must, Wire};

const NOT_INTERRUPTED: &str = "no action was seen to run before the crash and to be unfinished after it";

pub(super) const CHECKS: &[Check] = &[
    stressed(
        "crash.durable",
        Must,
        "what was acknowledged survives a crash",
        WHERE,
        |case, judge| {
            crashed(case, judge, |crashed, judge| {
                let all = crashed.waiting.iter().chain([&crashed.running, &crashed.finished]);
                for survivor in all.filter(|survivor| survivor.before.is_accepted()) {
                    let answer = &survivor.before.answer;
                    match survivor.after.looks.first() {
                        Some(told) if told.read.is_some() => judge.holds(),
                        Some(told) if judge.is_put_off(&told.exchange) => {}
                        Some(told) => judge.broken_by(&[answer, &told.exchange], "its record", told.exchange.came()),
                        None => judge.blind("not all records were looked for"),
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
                let Survivor { before, after } = &crashed.finished;
                let before = before.last().filter(|told| state(told).is_some_and(State::is_final));
                let Some((before, after)) = before.and_then(Told::value).zip(after.looks.first()) else {
                    return judge.blind("no action had ended before");
                };
                let Some(now) = after.value() else {
                    return judge.blind("its record could not be read after the crash");
                };
                let same =
                    before.state == now.state && before.finished == now.finished && before.scheduled == now.scheduled;
                judge.expect(same, &after.exchange, "the record as it was");
            });
        },
    ),
    stressed(
        "crash.resumed",
        Wire,
        "the action that ran goes on after a crash, first of all",
        WHERE,
        |case, judge| {
            crashed(case, judge, |crashed, judge| {
                let Some(last) = crashed
                    .running
                    .after
                    .last()
                    .filter(|_| is_interrupted(case, &crashed.running))
                else {
                    return judge.blind(NOT_INTERRUPTED);
                };
                match state(last) {
                    Some(State::Done) => judge.holds(),
                    Some(state) if state.is_final() => judge.broken(&last.exchange, "DONE", state.to_string()),
                    _ => return judge.blind("it has not ended, or its record could not be read"),
                }
                let Some(listed) = &crashed.listed else { return };
                let ids = ids(listed);
                for waiting in &crashed.waiting {
                    // It may have been dropped for age.
                    if waiting
                        .after
                        .last()
                        .is_some_and(|told| state(told) == Some(State::Done))
                    {
                        in_order(&[&crashed.running.after, &waiting.after], &ids, judge);
                    }
                }
            });
        },
    ),
    stressed(
        "crash.progress",
        Wire,
        "the record of the action that ran is not set back by a crash",
        WHERE,
        |case, judge| {
            crashed(case, judge, |crashed, judge| {
                let Survivor { before, after } = &crashed.running;
                let told = before.last().zip(after.looks.first());
                let Some((was, is)) = told.filter(|_| is_interrupted(case, &crashed.running)) else {
                    return judge.blind(NOT_INTERRUPTED);
                };
                let Some((old, new)) = was.value().zip(is.value()) else {
                    return judge.blind("its record could not be read before and after the crash");
                };
                let moment = |record: &Record| instant(record.scheduled.value()?);
                let mut kept = moment(old) == moment(new);
                // It may count anew, and that is a step more.
                for key in ["version", "attempt"].iter().filter(|_| case.dialect == Dialect::V1) {
                    kept &= integer(&body(is)[key]) >= integer(&body(was)[key]);
                }
                if kept {
                    judge.holds();
                } else {
                    judge.broken_by(
                        &[&is.exchange, &was.exchange],
                        format!("what follows {}", was.exchange.came()),
                        is.exchange.came(),
                    );
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
                let waiting: Vec<_> = crashed.waiting.iter().map(|survivor| &survivor.after).collect();
                let ids = crashed.listed.as_ref().map(ids).unwrap_or_default();
                in_order(&waiting, &ids, judge);
            });
        },
    ),
];

fn crashed(case: &Case<'_>, judge: &mut Judge, mut look: impl FnMut(&Crashed, &mut Judge)) {
    each(case, judge, |stressed, judge| match &stressed.crashed {
        None => judge.blind("no commands were given: --kill-command, --restart-command"),
        Some(Crashed { fault: Some(fault), .. }) => judge.blind(fault.clone()),
        Some(crashed) => look(crashed, judge),
    });
}

/// Whether an action ran when the agent was killed: it was seen to run before, and after it had not ended, had begun once
/// more, or had failed, which its kind does not do by itself.
fn is_interrupted(case: &Case<'_>, survivor: &Survivor) -> bool {
    let last = |scheduled: &Scheduled| scheduled.last().and_then(state);
    let Some(first) = survivor.after.looks.first() else {
        return false;
    };
    let again = case.dialect == Dialect::V1 && integer(&body(first)["attempt"]) >= Some(2);
    last(&survivor.before) == Some(State::Running)
        && (again || state(first).is_some_and(|state| !state.is_final() || state == State::Failed))
}

fn body(told: &Told<Record>) -> Value {
    let answer = told.exchange.outcome.as_ref().ok();
    answer.and_then(|answer| answer.json().ok()).unwrap_or_default()
}

fn ids(list: &Told<crate::dialect::List>) -> Vec<String> {
    let briefs = list.value().and_then(|list| list.actions.value());
    briefs
        .into_iter()
        .flatten()
        .filter_map(|brief| brief.id.value().cloned())
        .collect()
}
