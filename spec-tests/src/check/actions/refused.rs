//! Requests that an agent has to refuse.

use super::super::judge::{Case, Judge};
use super::super::wire::is_refused;
use super::super::{Check, UNSTABLE, V1};
use super::{CODES, SCHEDULING, acted, each};
use crate::dialect::Dialect;
use crate::gather::{LOOP, SUCCESS};
use crate::verdict::Severity::Wire;

/// Requests that have to be refused: check, rule, name of the request, statuses, and the kind without which the request is
/// refused for another reason.
macro_rules! refuses {
    ($id:literal, $rule:literal, $name:literal, $status:expr, $kind:expr) => {
        acted($id, Wire, $rule, CODES, |case, judge| {
            refused(case, judge, $name, &$status, $kind)
        })
    };
}

pub(super) const CHECKS: &[Check] = &[
    refuses!(
        "wire.unknown_kind",
        "an unknown kind is a problem with 400",
        "unknown_kind",
        [400],
        None
    ),
    refuses!(
        "wire.bad_arguments",
        "arguments that do not fit are a problem with 400",
        "bad_arguments",
        [400],
        Some(LOOP)
    ),
    refuses!(
        "wire.malformed",
        "a body that is no JSON is a problem with 400",
        "malformed",
        [400],
        None
    ),
    refuses!(
        "wire.not_an_object",
        "a body that is no object is a problem with 400",
        "not_an_object",
        [400],
        None
    ),
    refuses!(
        "wire.bad_uuid",
        "an id that is no UUID is a problem with 400 for who schedules",
        "bad_uuid",
        [400],
        Some(SUCCESS)
    ),
    refuses!(
        "wire.media_type",
        "a body that does not say that it is JSON is a problem with 415",
        "media_type",
        [415],
        None
    ),
    refuses!(
        "wire.created_time",
        "a time that is not in UTC is a problem with 400",
        "created_time",
        [400],
        Some(SUCCESS)
    )
    .only(UNSTABLE),
    acted(
        "wire.unknown_key",
        Wire,
        "an unknown key is refused in v1 and ignored in unstable",
        CODES,
        |case, judge| {
            each(case, judge, |acted, judge| {
                let Some((exchange, _)) = acted.refused.get("unknown_key") else {
                    return;
                };
                if acted.lacks(SUCCESS) {
                    return judge.blind(format!("the agent has no {SUCCESS}"));
                }
                if judge.is_put_off(exchange) {
                    return;
                }
                if case.dialect == Dialect::V1 {
                    if is_refused(case, judge, exchange, &[400]) {
                        judge.holds();
                    }
                } else {
                    let accepted = exchange.outcome.as_ref().is_ok_and(crate::client::Answer::is_good);
                    judge.expect(accepted, exchange, "an answer that accepts it");
                }
            });
        },
    ),
    refuses!(
        "wire.no_preconditions",
        "an empty precondition is a problem with 400",
        "no_preconditions",
        [400],
        Some(SUCCESS)
    )
    .only(V1),
    refuses!(
        "wire.deadline",
        "a deadline beyond the kind's own is a problem with 400",
        "deadline",
        [400],
        Some(SUCCESS)
    )
    .only(V1),
    refuses!(
        "wire.requester",
        "a requester of more than 200 characters is a problem with 400",
        "requester",
        [400],
        Some(SUCCESS)
    )
    .only(V1),
    acted(
        "wire.answered",
        Wire,
        "a request that is refused is answered, and the agent lives on",
        CODES,
        |case, judge| {
            each(case, judge, |acted, judge| {
                for (exchange, after) in acted.refused.values() {
                    if exchange.outcome.is_err() || after.exchange.outcome.is_err() {
                        judge.gone(exchange, &after.exchange);
                    } else {
                        judge.holds();
                    }
                }
            });
        },
    ),
    acted(
        "action.refused",
        Wire,
        "what was refused is not recorded",
        SCHEDULING,
        |case, judge| {
            each(case, judge, |acted, judge| {
                for (exchange, after) in acted.refused.values() {
                    let Ok(answer) = &exchange.outcome else { continue };
                    // Who is not let in, or put off, was not refused for what was asked.
                    if answer.is_good() || judge.is_shut_out(exchange) || judge.is_put_off(exchange) {
                        continue;
                    }
                    match (after.status(), after.value()) {
                        (Some(404), _) => judge.holds(),
                        (_, Some(record)) if record.id.value().is_some() => {
                            judge.broken_by(&[exchange, &after.exchange], "no record of it", after.exchange.came());
                        }
                        _ => judge.blind("whether there is a record of it could not be read"),
                    }
                }
            });
        },
    ),
    acted(
        "wire.field",
        Wire,
        "a problem with a body names the field",
        CODES,
        |case, judge| {
            each(case, judge, |acted, judge| {
                for (name, place) in [("bad_arguments", "/args/target"), ("unknown_kind", "/kind")] {
                    let Some((exchange, _)) = acted.refused.get(name) else {
                        continue;
                    };
                    if name == "bad_arguments" && acted.lacks(LOOP) {
                        judge.blind(format!("the agent has no {LOOP}"));
                        continue;
                    }
                    if judge.is_put_off(exchange) {
                        continue;
                    }
                    let Ok(answer) = &exchange.outcome else { continue };
                    if answer.is_good() {
                        judge.blind("it was accepted");
                        continue;
                    }
                    let named = answer.json().is_ok_and(|body| body["field"] == place);
                    judge.expect(named, exchange, &format!("{place} under /field"));
                }
            });
        },
    ),
];

fn refused(case: &Case<'_>, judge: &mut Judge, name: &'static str, status: &[u16], kind: Option<&str>) {
    each(case, judge, |acted, judge| {
        if let Some(kind) = kind.filter(|kind| acted.lacks(kind)) {
            return judge.blind(format!("the agent has no {kind}"));
        }
        if let Some((exchange, _)) = acted.refused.get(name)
            && !judge.is_put_off(exchange)
            && is_refused(case, judge, exchange, status)
        {
            judge.holds();
        }
    });
}
