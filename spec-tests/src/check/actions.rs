//! What becomes of actions: level `actions`, and the removal of a node that is not there.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::judge::{Case, Judge, last};
use super::wire::is_refused;
use super::{BOTH, Check, UNSTABLE, V1};
use crate::client::Exchange;
use crate::dialect::Dialect;
use crate::gather::{Acted, Scheduled, Told};
use crate::model::{Field, Record, State};
use crate::verdict::Level;
use crate::verdict::Severity::{self, Must, Wire};

const RECORDS: &str = "docs/wire.md#invocation-records";
const SCHEDULING: &str = "docs/wire.md#scheduling";
const CODES: &str = "docs/wire.md#problems";

/// A check over what came of actions.
const fn acted(
    id: &'static str,
    severity: Severity,
    rule: &'static str,
    reference: &'static str,
    judge: fn(&Case<'_>, &mut Judge),
) -> Check {
    Check {
        id,
        rule,
        severity,
        level: Level::Actions,
        dialects: BOTH,
        agents: 1,
        reference,
        judge,
    }
}

/// Requests that have to be refused: check, rule, name of the request, statuses.
macro_rules! refuses {
    ($id:literal, $rule:literal, $name:literal, $status:expr) => {
        acted($id, Wire, $rule, CODES, |case, judge| {
            refused(case, judge, $name, &$status)
        })
    };
}

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
                    if !scheduled.is_accepted() {
                        judge.broken(&scheduled.answer, "an answer that accepts it", scheduled.answer.came());
                    } else if scheduled.last().is_none_or(|look| look.status() == Some(404)) {
                        judge.broken(&scheduled.answer, "a record of it", "none");
                    } else {
                        judge.holds();
                    }
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
                    let said = record.error.value().is_some_and(|error| error.as_str() != Some(""));
                    judge.expect(said, &told.exchange, "an error that says why");
                } else {
                    judge.blind("no action has failed");
                }
            });
        },
    ),
    acted(
        "action.progress",
        Must,
        "an action's progress is told while it runs",
        RECORDS,
        |case, judge| {
            each(case, judge, |acted, judge| {
                let Some((told, _)) = last(judge, &acted.counted) else {
                    return;
                };
                let shown = running(&acted.counted).any(|record| record.payload.value().is_some());
                judge.expect(
                    shown,
                    &told.exchange,
                    "progress of test.loop under the record while it runs",
                );
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
                    .filter_map(|record| record.payload.value().and_then(|payload| payload["count"].as_i64()))
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
    acted(
        "action.id",
        Must,
        "an action has the id that its client gave it",
        SCHEDULING,
        |case, judge| {
            kept(case, judge, |scheduled, record| {
                (record.id.value() != Some(&scheduled.id))
                    .then(|| (format!("the id {}", scheduled.id), format!("{:?}", record.id)))
            });
        },
    ),
    acted(
        "action.kind",
        Must,
        "an action has the kind that was asked for",
        SCHEDULING,
        |case, judge| {
            kept(case, judge, |scheduled, record| {
                (record.kind.value() != Some(&scheduled.kind))
                    .then(|| (scheduled.kind.clone(), format!("{:?}", record.kind)))
            });
        },
    ),
    acted(
        "action.args",
        Must,
        "an action has the arguments that it was given",
        SCHEDULING,
        |case, judge| {
            kept(case, judge, |scheduled, record| {
                let given = Some(&scheduled.args);
                (record.args.value() != given).then(|| (scheduled.args.to_string(), format!("{:?}", record.args)))
            });
        },
    ),
    acted(
        "action.headers",
        Must,
        "an action has the headers that it was given",
        SCHEDULING,
        |case, judge| {
            kept(case, judge, |scheduled, record| {
                let kept = scheduled
                    .headers
                    .iter()
                    .all(|(name, given)| record.headers.value().and_then(|headers| headers.get(name)) == Some(given));
                (!kept).then(|| (format!("{:?}", scheduled.headers), format!("{:?}", record.headers)))
            });
        },
    ),
    acted(
        "action.requester",
        Must,
        "an action has the requester that was named",
        SCHEDULING,
        |case, judge| {
            kept(case, judge, |scheduled, record| {
                let given = scheduled.requester.as_ref()?;
                (record.requester.value() != Some(given)).then(|| (given.clone(), format!("{:?}", record.requester)))
            });
        },
    )
    .only(V1),
    acted(
        "action.created_time",
        Wire,
        "an action has the time that its client gave it",
        SCHEDULING,
        |case, judge| {
            kept(case, judge, |scheduled, record| {
                let given = scheduled.created.as_ref()?;
                (record.created.value() != Some(given)).then(|| (given.clone(), format!("{:?}", record.created)))
            });
        },
    )
    .only(UNSTABLE),
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
                let accepted = again.outcome.as_ref().is_ok_and(crate::client::Answer::is_good);
                let before = acted.success.last().and_then(Told::value);
                let same = |of: fn(&Record) -> &Field<String>| before.map(of) == after.value().map(of);
                if accepted {
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
        "a used id is a problem with 409 that says where the action is",
        CODES,
        |case, judge| {
            each(case, judge, |acted, judge| {
                let Some((again, _)) = &acted.repeated else {
                    return judge.blind("no action has ended");
                };
                if !is_refused(case, judge, again, &[409]) {
                    return;
                }
                let Ok(answer) = &again.outcome else { return };
                let place = answer
                    .header("location")
                    .is_some_and(|place| place.ends_with(&acted.success.id));
                let same = answer.json().is_ok_and(|body| body["same_request"] == true);
                judge.expect(place, again, "a Location that ends with the id");
                judge.expect(same, again, "true under /same_request");
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
        "action.order",
        Must,
        "actions run in the order in which they were accepted",
        SCHEDULING,
        |case, judge| {
            each(case, judge, |acted, judge| {
                let ended: Vec<_> = acted
                    .row
                    .iter()
                    .filter_map(|scheduled| Some((scheduled, finished(scheduled)?)))
                    .collect();
                let mut right = true;
                for pair in ended.windows(2) {
                    let [(first, before), (second, after)] = pair else {
                        continue;
                    };
                    if after < before {
                        right = false;
                        let looks = [first, second]
                            .map(|scheduled| scheduled.last().map_or(&scheduled.answer, |told| &told.exchange));
                        judge.broken_by(
                            &looks,
                            format!("{} to end after {}", second.id, first.id),
                            "it ended before",
                        );
                    }
                }
                if ended.len() < acted.row.len() || ended.len() < 2 {
                    judge.blind("not every action of a row has ended");
                } else if right {
                    judge.holds();
                }
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
                    let running = list
                        .iter()
                        .filter(|brief| brief.state.value() == Some(&State::Running))
                        .count();
                    seen |= running > 0;
                    if running > 1 {
                        judge.broken(&queue.exchange, "one that is RUNNING", format!("{running} of them"));
                    }
                }
                if seen {
                    judge.holds();
                } else {
                    judge.blind("no action was seen to run");
                }
            });
        },
    ),
    acted(
        "lists.complete",
        Wire,
        "every action that has ended is among the finished",
        "docs/wire.md#lists",
        |case, judge| {
            each(case, judge, |acted, judge| {
                if !acted.finished.is_whole() {
                    return judge.blind("the finished actions could not be read to the end");
                }
                let listed: BTreeSet<_> = acted.finished.ids().collect();
                for scheduled in acted.row.iter().filter(|scheduled| finished(scheduled).is_some()) {
                    if listed.contains(&scheduled.id) {
                        judge.holds();
                    } else {
                        judge.broken(
                            &acted.finished.pages[0].exchange,
                            format!("{} among the finished", scheduled.id),
                            format!("{} others", listed.len()),
                        );
                    }
                }
            });
        },
    ),
    acted(
        "lists.order",
        Wire,
        "the finished are listed newest first, the queue oldest first",
        "docs/wire.md#lists",
        |case, judge| {
            each(case, judge, |acted, judge| {
                let place: BTreeMap<_, _> = acted
                    .row
                    .iter()
                    .enumerate()
                    .map(|(place, scheduled)| (&scheduled.id, place))
                    .collect();
                let places = |ids: &mut dyn Iterator<Item = String>| -> Vec<usize> {
                    ids.filter_map(|id| place.get(&id).copied()).collect()
                };
                let newest_first = places(&mut acted.finished.ids());
                let exchange = &acted.finished.pages[0].exchange;
                judge.expect(
                    newest_first.is_sorted_by(|a, b| a > b),
                    exchange,
                    "the action that ended last at the head",
                );
                for queue in &acted.queues {
                    let briefs = queue.value().and_then(|list| list.actions.value());
                    let ids = briefs.into_iter().flatten().filter(|brief| {
                        // In `unstable` those that have ended stand in front.
                        brief.state.value().is_some_and(|state| !state.is_final())
                    });
                    let oldest_first = places(&mut ids.filter_map(|brief| brief.id.value().cloned()));
                    judge.expect(
                        oldest_first.is_sorted(),
                        &queue.exchange,
                        "the action that was accepted first at the head",
                    );
                }
            });
        },
    ),
    refuses!(
        "wire.unknown_kind",
        "an unknown kind is a problem with 400",
        "unknown_kind",
        [400]
    ),
    refuses!(
        "wire.bad_arguments",
        "arguments that do not fit are a problem with 400",
        "bad_arguments",
        [400]
    ),
    refuses!(
        "wire.malformed",
        "a body that is no JSON is a problem with 400",
        "malformed",
        [400]
    ),
    refuses!(
        "wire.duplicate_key",
        "a key that is given twice is a problem with 400",
        "duplicate_key",
        [400]
    ),
    refuses!(
        "wire.not_an_object",
        "a body that is no object is a problem with 400",
        "not_an_object",
        [400]
    ),
    refuses!(
        "wire.bad_uuid",
        "an id that is no UUID is a problem with 400 for who schedules",
        "bad_uuid",
        [400]
    ),
    refuses!(
        "wire.media_type",
        "a body that does not say that it is JSON is a problem with 415",
        "media_type",
        [415]
    ),
    refuses!(
        "wire.headers",
        "headers that are no strings are a problem with 400",
        "headers",
        [400]
    )
    .only(V1),
    refuses!(
        "wire.created_time",
        "a time that is not in UTC is a problem with 400",
        "created_time",
        [400]
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
    acted(
        "action.refused",
        Must,
        "what was refused is not recorded",
        SCHEDULING,
        |case, judge| {
            each(case, judge, |acted, judge| {
                for (exchange, after) in acted.refused.values() {
                    let Ok(answer) = &exchange.outcome else { continue };
                    if answer.is_good() {
                        continue;
                    }
                    if after.read.is_some() {
                        judge.broken_by(&[exchange, &after.exchange], "no record of it", after.exchange.came());
                    } else {
                        judge.holds();
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
    acted(
        "wire.wait",
        Wire,
        "a long poll is answered when the record changes",
        RECORDS,
        |case, judge| {
            asked(case, judge, &["before_wait", "wait"], |exchanges, judge| {
                let [before, after] = exchanges else { return };
                let version = |exchange: &Exchange| body(exchange)["version"].as_u64();
                let changed = version(before).zip(version(after)).is_some_and(|(was, is)| is > was);
                judge.expect(changed, after, "the record with a higher version");
                if after.took.as_secs_f64() > 8.0 {
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
                asked(case, judge, &[name], |exchanges, judge| {
                    let accepted = exchanges[0].outcome.as_ref().is_ok_and(|answer| answer.status == 202);
                    judge.expect(accepted, exchanges[0], "202 with the record");
                });
            }
            for name in ["cancelled_waiting", "cancelled_running"] {
                asked(case, judge, &[name], |exchanges, judge| {
                    let record = body(exchanges[0]);
                    let ended = record["state"] == "FAILED" && record["error"]["code"] == "cancelled";
                    judge.expect(ended, exchanges[0], "FAILED with the code cancelled");
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
            asked(case, judge, &["history"], |exchanges, judge| {
                let steps = body(exchanges[0])["transitions"]
                    .as_array()
                    .cloned()
                    .unwrap_or_default();
                let versions: Vec<_> = steps.iter().filter_map(|step| step["version"].as_u64()).collect();
                let states: Vec<_> = steps.iter().filter_map(|step| step["state"].as_str()).collect();
                let in_order = versions.len() == steps.len()
                    && (1..).zip(&versions).all(|(expected, version)| *version == expected);
                let whole =
                    states.first() == Some(&"NEW") && states.contains(&"RUNNING") && states.last() == Some(&"FAILED");
                judge.expect(in_order, exchanges[0], "versions 1, 2, 3 and so on");
                judge.expect(whole, exchanges[0], "steps from NEW over RUNNING to FAILED");
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
                    let record = body(after);
                    let code = record["error"]["code"].as_str();
                    let unmet = record["state"] == "FAILED"
                        && matches!(code, Some("precondition_unmet" | "precondition_unknown"))
                        && record["attempt"] == 0;
                    judge.expect(unmet, after, "FAILED with precondition_unmet, without an attempt");
                },
            );
        },
    )
    .only(V1),
    acted(
        "cluster.remove",
        Must,
        "removing a node that is not in the cluster does nothing, however often",
        "docs/actions.md",
        |case, judge| {
            let mut asked = false;
            for removed in case.agents.iter().filter_map(|agent| agent.removed.as_ref()) {
                asked = true;
                for time in &removed.times {
                    ends(time, State::Done, judge);
                }
                let id = |sample: &crate::gather::Sample| sample.store.value().map(|store| store.cluster_id.clone());
                if id(&removed.before) != id(&removed.after) {
                    judge.broken(
                        &removed.after.store.exchange,
                        "the cluster as it was",
                        removed.after.store.exchange.came(),
                    );
                }
            }
            if !asked {
                judge.blind("it was not asked for: --cluster-actions --absent-node ID");
            }
        },
    ),
];

fn each(case: &Case<'_>, judge: &mut Judge, mut look: impl FnMut(&Acted, &mut Judge)) {
    for acted in case.agents.iter().filter_map(|agent| agent.acted.as_ref()) {
        look(acted, judge);
    }
}

fn ends(scheduled: &Scheduled, state: State, judge: &mut Judge) {
    let Some((told, record)) = last(judge, scheduled) else {
        return;
    };
    if let Some(found) = record.state.value() {
        if *found == state {
            judge.holds();
        } else {
            judge.broken(&told.exchange, state.to_string(), found.to_string());
        }
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

/// What a record has to keep of what its client gave; `wrong` says what was given and what is there.
fn kept(case: &Case<'_>, judge: &mut Judge, wrong: impl Fn(&Scheduled, &Record) -> Option<(String, String)>) {
    each(case, judge, |acted, judge| {
        for scheduled in [&acted.success, &acted.counted] {
            let Some((told, record)) = last(judge, scheduled) else {
                continue;
            };
            match wrong(scheduled, record) {
                Some((expected, got)) => judge.broken(&told.exchange, expected, got),
                None => judge.holds(),
            }
        }
    });
}

fn finished(scheduled: &Scheduled) -> Option<chrono::DateTime<chrono::Utc>> {
    let record = scheduled.last()?.value()?;
    super::records::instant(record.finished.value()?)
}

fn refused(case: &Case<'_>, judge: &mut Judge, name: &'static str, status: &[u16]) {
    each(case, judge, |acted, judge| {
        if let Some((exchange, _)) = acted.refused.get(name)
            && is_refused(case, judge, exchange, status)
        {
            judge.holds();
        }
    });
}

/// What was asked of actions under these names, where all of them were.
fn asked(case: &Case<'_>, judge: &mut Judge, names: &[&'static str], look: impl Fn(&[&Exchange], &mut Judge)) {
    each(case, judge, |acted, judge| {
        let exchanges: Option<Vec<_>> = names.iter().map(|name| acted.asked.get(name)).collect();
        match exchanges {
            Some(exchanges) => look(&exchanges, judge),
            None => judge.blind("the actions that it takes were not accepted"),
        }
    });
}

fn body(exchange: &Exchange) -> Value {
    let answer = exchange.outcome.as_ref().ok();
    answer.and_then(|answer| answer.json().ok()).unwrap_or_default()
}
