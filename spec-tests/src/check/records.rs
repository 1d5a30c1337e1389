//! Invocation records, wherever they were read.

use chrono::{DateTime, Utc};

use super::judge::{Case, Judge, value};
use super::{Check, V1, read};
use crate::client::Exchange;
use crate::dialect::Dialect;
use crate::gather::{Seen, Told};
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
    has!("record.headers", "a record tells its headers", |record| record
        .headers
        .value()
        .is_some()),
    read(
        "record.id",
        Must,
        "a record has an id, which is a UUID",
        WHERE,
        |case, judge| {
            each(case, judge, |exchange, record, judge| match record.id.value() {
                Some(id) if uuid::Uuid::try_parse(id).is_ok() => judge.holds(),
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
    has!("record.state_payload", "a record has a place for progress", |record| {
        !matches!(record.payload, Field::Missing | Field::Wrong)
    }),
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
            each(case, judge, |exchange, record, judge| {
                for time in [&record.created, &record.scheduled, &record.finished] {
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
            each(case, judge, |exchange, record, judge| {
                let of = |time: &Field<String>| time.value().and_then(|time| instant(time));
                let (created, scheduled) = (of(&record.created), of(&record.scheduled));
                // In `unstable` it is the client who says when it was made.
                if case.dialect == Dialect::V1
                    && created
                        .zip(scheduled)
                        .is_some_and(|(created, scheduled)| created > scheduled)
                {
                    judge.broken(
                        exchange,
                        "a time of the record after that of its making",
                        format!("{scheduled:?}"),
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
            for told in case.agents.iter().flat_map(records) {
                if told.read.is_none() && told.status() != Some(404) {
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

/// Every record that was read of an agent.
fn records(agent: &Seen) -> impl Iterator<Item = &Told<Record>> {
    let acted = agent.acted.iter().flat_map(|acted| {
        let single = [&acted.success, &acted.failure, &acted.counted];
        single
            .into_iter()
            .chain(&acted.row)
            .flat_map(|scheduled| &scheduled.looks)
    });
    agent.records.iter().chain(acted)
}

/// Every record that could be read. Without one at level `read` there is nothing to see: the agent has run no action.
fn each(case: &Case<'_>, judge: &mut Judge, mut look: impl FnMut(&Exchange, &Record, &mut Judge)) {
    for agent in case.agents {
        let mut found = false;
        for told in records(agent) {
            if told.read.is_none() {
                continue;
            }
            if let Some(record) = value(judge, told) {
                found = true;
                look(&told.exchange, record, judge);
            }
        }
        match (found, &agent.acted) {
            (true, _) => {}
            (false, None) => judge.unasked("the agent keeps no record of an action; --level actions makes some"),
            (false, Some(_)) => judge.blind("no record of an action could be read"),
        }
    }
}
