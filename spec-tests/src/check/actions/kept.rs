//! What an action keeps of what its client gave.

use super::super::judge::{Case, Judge, last};
use super::super::records::instant;
use super::super::{Check, UNSTABLE, V1};
use super::{SCHEDULING, acted, each};
use crate::gather::Scheduled;
use crate::model::{Field, Record};
use crate::verdict::Severity::{Must, Wire};

pub(super) const CHECKS: &[Check] = &[
    acted(
        "action.id",
        Must,
        "an action has the id that its client gave it",
        SCHEDULING,
        |case, judge| {
            kept(case, judge, |scheduled, record| {
                record
                    .id
                    .value()
                    .is_some_and(|id| *id != scheduled.id)
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
                record
                    .kind
                    .value()
                    .is_some_and(|kind| *kind != scheduled.kind)
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
                let there = !matches!(record.args, Field::Missing | Field::Wrong);
                (there && record.args.value() != Some(&scheduled.args))
                    .then(|| (scheduled.args.to_string(), format!("{:?}", record.args)))
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
                // What is no map of headers is another check's finding; null is none of those that were given.
                let read = !matches!(record.headers, Field::Missing | Field::Wrong);
                let has = |name, given| record.headers.value().and_then(|headers| headers.get(name)) == Some(given);
                let kept = !read || scheduled.headers.iter().all(|(name, given)| has(name, given));
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
                record
                    .requester
                    .value()
                    .is_some_and(|requester| requester != given)
                    .then(|| (given.clone(), format!("{:?}", record.requester)))
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
                record
                    .created
                    .value()
                    .is_some_and(|created| instant(created) != instant(given))
                    .then(|| (given.clone(), format!("{:?}", record.created)))
            });
        },
    )
    .only(UNSTABLE),
];

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
