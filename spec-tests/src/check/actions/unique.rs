//! Ids: used once, and answered as the dialect has it.

use super::super::records::is_uuid;
use super::super::wire::is_refused;
use super::super::{Check, V1};
use super::{CODES, SCHEDULING, acted, each};
use crate::client::Answer;
use crate::dialect::Dialect;
use crate::gather::{SUCCESS, Told, Waited};
use crate::model::{Field, Record};
use crate::verdict::Severity::{Must, Should, Wire};

pub(super) const CHECKS: &[Check] = &[
    acted(
        "action.unique",
        Must,
        "an id is used once: a second request with it runs nothing",
        SCHEDULING,
        |case, judge| {
            each(case, judge, |acted, judge| {
                let Some((again, after)) = &acted.repeated else {
                    return judge.blind("no action has ended");
                };
                let before = acted.success.last().filter(|_| acted.success.waited == Waited::Ended);
                let (Some(before), Some(now)) = (before.and_then(Told::value), after.value()) else {
                    return judge.blind("the record could not be read when it had ended, and again");
                };
                if judge.is_put_off(again) {
                    return;
                }
                let same = |of: fn(&Record) -> &Field<String>| of(before) == of(now);
                if again.outcome.as_ref().is_ok_and(Answer::is_good) {
                    judge.broken(again, "a refusal", again.came());
                } else if !same(|record| &record.scheduled) || !same(|record| &record.finished) {
                    judge.broken_by(&[again, &after.exchange], "the record as it was", after.exchange.came());
                } else {
                    judge.holds();
                }
            });
        },
    ),
    acted(
        "wire.id_used",
        Wire,
        "a used id is a problem with 409, which in v1 says where the action is",
        CODES,
        |case, judge| {
            each(case, judge, |acted, judge| {
                let Some((again, _)) = &acted.repeated else {
                    return judge.blind("no action has ended");
                };
                if judge.is_put_off(again) || !is_refused(case, judge, again, &[409]) {
                    return;
                }
                if case.dialect == Dialect::Unstable {
                    return judge.holds();
                }
                let Ok(answer) = &again.outcome else { return };
                let place = answer
                    .header("location")
                    .is_some_and(|place| place.ends_with(&acted.success.id));
                let same = answer.json().is_ok_and(|body| body["same_request"] == true);
                judge.expect(place, again, "a Location that ends with the id");
                judge.expect(same, again, "true under /same_request");
                if let Some(other) = &acted.reused
                    && is_refused(case, judge, other, &[409])
                {
                    let differs = other
                        .outcome
                        .as_ref()
                        .is_ok_and(|answer| answer.json().is_ok_and(|body| body["same_request"] == false));
                    judge.expect(differs, other, "false under /same_request for another kind");
                }
            });
        },
    ),
    acted(
        "wire.accepted",
        Wire,
        "an accepted action is answered as its dialect has it",
        SCHEDULING,
        |case, judge| {
            each(case, judge, |acted, judge| {
                let exchange = &acted.success.answer;
                let Some(answer) = exchange.outcome.as_ref().ok().filter(|answer| answer.is_good()) else {
                    return judge.blind("no action was accepted");
                };
                let id = answer.json().is_ok_and(|body| body["id"] == acted.success.id.as_str());
                let place = case.dialect == Dialect::Unstable
                    || answer
                        .header("location")
                        .is_some_and(|place| place.ends_with(&acted.success.id));
                judge.expect(
                    answer.status == case.dialect.accepted(),
                    exchange,
                    &format!("status {}", case.dialect.accepted()),
                );
                judge.expect(id, exchange, "the id under /id");
                judge.expect(place, exchange, "a Location that ends with the id");
            });
        },
    ),
    acted(
        "action.id.made",
        Must,
        "an agent gives an action a UUID where its client gives none",
        SCHEDULING,
        |case, judge| {
            each(case, judge, |acted, judge| {
                let exchange = &acted.unnamed;
                let Some(answer) = exchange.outcome.as_ref().ok().filter(|answer| answer.is_good()) else {
                    return judge.blind("an action without an id was not accepted");
                };
                let id = answer
                    .json()
                    .ok()
                    .and_then(|body| body["id"].as_str().map(str::to_owned));
                match id {
                    Some(id) => judge.expect(is_uuid(&id), exchange, "a UUID under /id"),
                    None => judge.blind("the answer to an accepted action has no id"),
                }
            });
        },
    ),
    acted(
        "wire.null_args",
        Wire,
        "arguments may be null",
        SCHEDULING,
        |case, judge| {
            each(case, judge, |acted, judge| {
                let exchange = &acted.unnamed;
                if acted.lacks(SUCCESS) {
                    judge.blind(format!("the agent has no {SUCCESS}"));
                } else if !judge.is_put_off(exchange) {
                    let accepted = exchange.outcome.as_ref().is_ok_and(Answer::is_good);
                    judge.expect(accepted, exchange, "an answer that accepts it");
                }
            });
        },
    ),
    acted(
        "kinds.complete",
        Should,
        "every kind that an agent accepts is documented",
        "docs/wire.md#kinds",
        |case, judge| {
            for agent in case.agents {
                let (Some(acted), Some(kinds)) = (&agent.acted, agent.probes.get("kinds")) else {
                    continue;
                };
                let answer = kinds.outcome.as_ref().ok().filter(|answer| answer.status == 200);
                let Some(document) = answer.and_then(|answer| answer.json().ok()) else {
                    judge.blind("the kinds could not be read");
                    continue;
                };
                let listed = document["kinds"].as_array().cloned().unwrap_or_default();
                for scheduled in [&acted.success, &acted.failure, &acted.counted] {
                    if scheduled.is_accepted() {
                        let known = listed.iter().any(|kind| kind["kind"] == scheduled.kind.as_str());
                        judge.expect(known, kinds, &format!("{} among the kinds", scheduled.kind));
                    }
                }
            }
        },
    )
    .only(V1),
];
