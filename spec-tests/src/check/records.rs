//! Invocation records, wherever they were read.

use chrono::{DateTime, Utc};

use super::judge::{Case, Judge, value};
use super::{Check, V1, read};
use crate::client::Exchange;
use crate::dialect::Dialect;
use crate::gather::{Scheduled, Seen, Told};
use crate::model::{Field, Record};
use crate::verdict::Severity::{Must, Should, Wire};

const WHERE: &str = "docs/wire.md#invocation-records";

/// A rule that asks for a field; what is wrong with the field was found when the record was read.
macro_rules! has {
    ($id:literal, $rule:literal, $is_there:expr) => {
        read($id, Must, $rule, WHERE, |case, judge| {
            let is_there: fn(&Record) -> bool = $is_there;
            each(case, judge, |_, record, judge| {
                if is_there(record) {
                    judge.holds();
                }
            });
        })
    };
}

pub(super) const CHECKS: &[Check] = &[
    has!("record.args", "a record tells the arguments", |record| {
        !matches!(record.args, Field::Missing | Field::Wrong)
    }),
    has!("record.headers", "a record tells its headers", |record| {
        !matches!(record.headers, Field::Missing | Field::Wrong)
    }),
    read(
        "record.id",
        Must,
        "a record has an id, which is a UUID",
        WHERE,
        |case, judge| {
            each(case, judge, |exchange, record, judge| match record.id.value() {
                Some(id) if is_uuid(id) => judge.holds(),
                Some(id) => judge.broken(exchange, "a UUID under /id", format!("{id:?}")),
                None => {}
            });
        },
    ),
    has!("record.kind", "a record tells its kind", |record| record
        .kind
        .value()
        .is_some()),
    has!("record.requester", "a record tells who asked", |record| record
        .requester
        .value()
        .is_some())
    .only(V1),
    has!(
        "record.created_ts",
        "a record tells when the action was made",
        |record| record.created.value().is_some()
    ),
    has!(
        "record.scheduled_ts",
        "a record tells when the agent recorded the action",
        |record| { record.scheduled.value().is_some() }
    ),
    has!("record.state", "a record tells the action's state", |record| record
        .state
        .value()
        .is_some()),
    read(
        "record.finished_ts",
        Must,
        "a record tells when the action ended, once it has, and not before",
        WHERE,
        |case, judge| {
            each(case, judge, |exchange, record, judge| {
                let Some(state) = record.state.value() else { return };
                match (state.is_final(), &record.finished) {
                    (_, Field::Missing | Field::Wrong) => {}
                    (true, Field::Value(_)) | (false, Field::Null) => judge.holds(),
                    (true, Field::Null) => judge.broken(exchange, format!("a time of the end beside {state}"), "null"),
                    (false, Field::Value(time)) => {
                        judge.broken(
                            exchange,
                            format!("no time of an end beside {state}"),
                            format!("{time:?}"),
                        );
                    }
                }
            });
        },
    ),
    read(
        "record.times",
        Wire,
        "times are RFC 3339 in UTC with nine digits and Z",
        WHERE,
        |case, judge| {
            each_own(case, judge, |exchange, record, own, judge| {
                let created = Some(&record.created).filter(|_| own);
                for time in [&record.scheduled, &record.started, &record.finished]
                    .into_iter()
                    .chain(created)
                {
                    let Some(time) = time.value() else { continue };
                    if instant(time).is_some() && time.len() == 30 && time.ends_with('Z') {
                        judge.holds();
                    } else {
                        judge.broken(
                            exchange,
                            "a time such as 2026-01-31T12:00:00.000000000Z",
                            format!("{time:?}"),
                        );
                    }
                }
            });
        },
    ),
    read(
        "record.times.order",
        Should,
        "an action is made before it is recorded, and recorded before it ends",
        WHERE,
        |case, judge| {
            each_own(case, judge, |exchange, record, own, judge| {
                let of = |time: &Field<String>| time.value().and_then(|time| instant(time));
                let scheduled = of(&record.scheduled);
                let made = of(&record.created).filter(|_| own).zip(scheduled);
                if let Some((created, scheduled)) = made.filter(|(created, scheduled)| created > scheduled) {
                    judge.broken(
                        exchange,
                        format!("a time of the record after that of its making, {created}"),
                        scheduled.to_string(),
                    );
                }
                match (scheduled, of(&record.finished)) {
                    (Some(scheduled), Some(finished)) if finished < scheduled => {
                        judge.broken(exchange, format!("an end after {scheduled}"), finished.to_string());
                    }
                    (Some(_), Some(_)) => judge.holds(),
                    _ => judge.idle("no action has ended"),
                }
            });
        },
    ),
    read(
        "wire.record",
        Wire,
        "a record has the shape of its dialect",
        WHERE,
        |case, judge| {
            each(case, judge, |_, _, judge| judge.holds());
            for (told, _) in case.agents.iter().flat_map(records) {
                if told.read.is_none() && told.status() != Some(404) && !judge.is_put_off(&told.exchange) {
                    judge.broken(&told.exchange, "a record as JSON", told.exchange.came());
                }
            }
        },
    ),
];

/// A time, whatever its form.
pub(super) fn instant(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc())
}

/// A UUID as it is written: with four hyphens, and nothing around it.
pub(super) fn is_uuid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::try_parse(text).is_ok()
}

/// Every record that was read of an agent, with the request that made it where that was the suite's.
fn records(agent: &Seen) -> impl Iterator<Item = (&Told<Record>, Option<&Scheduled>)> {
    let acted = agent.acted.iter().flat_map(|acted| {
        let single = [&acted.success, &acted.failure, &acted.counted];
        let all = single.into_iter().chain(&acted.row);
        all.flat_map(|scheduled| scheduled.looks.iter().map(move |told| (told, Some(scheduled))))
    });
    agent.records.iter().map(|told| (told, None)).chain(acted)
}

/// Every record that could be read.
fn each(case: &Case<'_>, judge: &mut Judge, mut look: impl FnMut(&Exchange, &Record, &mut Judge)) {
    each_own(case, judge, |exchange, record, _, judge| look(exchange, record, judge));
}

/// The same, and whether it was the agent itself that said when the action was made: where a client did, its clock need not
/// be the agent's, nor its way to write a time. Without a record at level `read` there is nothing to see: the agent has run no
/// action.
fn each_own(case: &Case<'_>, judge: &mut Judge, mut look: impl FnMut(&Exchange, &Record, bool, &mut Judge)) {
    for agent in case.agents {
        let (mut asked, mut found) = (false, false);
        for (told, scheduled) in records(agent) {
            asked = true;
            if told.read.is_none() {
                continue;
            }
            // `v1` has no place for a time of the client's.
            let own = scheduled.is_some_and(|scheduled| case.dialect == Dialect::V1 || scheduled.created.is_none());
            if let Some(record) = value(judge, told) {
                found = true;
                look(&told.exchange, record, own, judge);
            }
        }
        match (found, asked, &agent.acted) {
            (true, _, _) => {}
            (false, false, None) => judge.unasked("the agent keeps no record of an action; --level actions makes some"),
            (false, _, _) => judge.blind("no record of an action could be read"),
        }
    }
}
