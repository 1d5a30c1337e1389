//! Which action runs when, and where the lists have it.

use std::collections::{BTreeMap, BTreeSet};

use super::super::Check;
use super::super::judge::Judge;
use super::super::records::instant;
use super::{LISTS, SCHEDULING, acted, each, finished};
use crate::gather::{Scheduled, Told};
use crate::model::State;
use crate::verdict::Severity::{Must, Wire};

pub(super) const CHECKS: &[Check] = &[
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
                let overlaps = overlaps(&acted.row, judge);
                if seen && !overlaps {
                    judge.holds();
                } else if !seen {
                    judge.blind("no action was seen to run");
                }
            });
        },
    ),
    acted(
        "lists.complete",
        Wire,
        "every action that has ended is among the finished",
        LISTS,
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
        LISTS,
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
];

/// Whether one of a row began before the one before it had ended, where the dialect tells when an action began.
fn overlaps(row: &[Scheduled], judge: &mut Judge) -> bool {
    let mut last: Option<(&Scheduled, chrono::DateTime<chrono::Utc>)> = None;
    let mut found = false;
    for scheduled in row {
        let began = scheduled
            .last()
            .and_then(Told::value)
            .and_then(|record| instant(record.started.value()?));
        if let (Some(began), Some((before, ended))) = (began, last)
            && began < ended
        {
            found = true;
            let looks = [before, scheduled].map(|one| one.last().map_or(&one.answer, |told| &told.exchange));
            judge.broken_by(
                &looks,
                format!("{} to begin after {ended}", scheduled.id),
                began.to_string(),
            );
        }
        last = finished(scheduled).map(|ended| (scheduled, ended)).or(last);
    }
    found
}
