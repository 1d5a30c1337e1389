//! Where the lists have an action, and how they come in pages.

use std::collections::{BTreeMap, BTreeSet};

use super::super::judge::Judge;
use super::super::{Check, UNSTABLE, V1};
use super::{ENOUGH, LISTS, acted, each, finished};
use crate::dialect::List;
use crate::gather::{Acted, Pages, SHORT_PAGE, Told};
use crate::model::{Brief, State};
use crate::verdict::Severity::Wire;

pub(super) const CHECKS: &[Check] = &[
    acted(
        "lists.running",
        Wire,
        "the queue lists the action that runs",
        LISTS,
        |case, judge| {
            each(case, judge, |acted, judge| {
                let lists = acted.queues.iter().filter_map(|queue| queue.value()?.actions.value());
                let busy: Vec<_> = lists
                    .filter(|list| list.iter().any(|brief| brief.state.value() == Some(&State::New)))
                    .collect();
                let runs = |list: &&Vec<Brief>| list.iter().any(|brief| brief.state.value() == Some(&State::Running));
                match acted.queues.first() {
                    Some(first) if busy.len() >= ENOUGH && !busy.iter().any(runs) => {
                        judge.broken(&first.exchange, "one that is RUNNING", "only some that are NEW");
                    }
                    Some(_) if busy.iter().any(runs) => judge.holds(),
                    _ => judge.blind("no action was seen to wait"),
                }
            });
        },
    ),
    acted(
        "lists.none_lost",
        Wire,
        "who reads the finished actions and then the queue misses none",
        LISTS,
        |case, judge| {
            each(case, judge, |acted, judge| {
                let whole = |list: &Told<List>| list.value().is_some_and(|list| list.actions.value().is_some());
                let mut lost = BTreeMap::new();
                for round in &acted.rounds {
                    if !whole(&round.finished) || !whole(&round.queue) {
                        judge.blind("a list could not be read");
                        continue;
                    }
                    // What has no record any more was dropped for age.
                    let there = round.lost.iter().filter(|(_, record)| record.value().is_some());
                    let before = lost.len();
                    lost.extend(there.map(|(id, _)| (id, round)));
                    if lost.len() == before {
                        judge.holds();
                    }
                }
                // One may have been shown to another client of the dialect, between two questions of this one.
                for (id, round) in lost.iter().filter(|_| lost.len() > 1) {
                    judge.broken_by(
                        &[&round.finished.exchange, &round.queue.exchange],
                        format!("{id} in one of them"),
                        "in neither",
                    );
                }
            });
        },
    )
    .only(UNSTABLE),
    acted(
        "wire.paging",
        Wire,
        "a list comes in pages of at most so many entries, the last of which says so",
        LISTS,
        |case, judge| {
            each(case, judge, |acted, judge| {
                for page in acted.short.iter().flat_map(|short| &short.pages) {
                    let briefs = page.value().and_then(|list| list.actions.value());
                    let ids: BTreeSet<_> = briefs
                        .into_iter()
                        .flatten()
                        .filter_map(|brief| brief.id.value())
                        .collect();
                    let entries = ids.len();
                    judge.expect(entries <= SHORT_PAGE, &page.exchange, "25 entries at most");
                }
                for list in acted.short.iter().chain([&acted.finished]) {
                    let Some(last) = list.pages.last() else { continue };
                    if list.goes_round {
                        judge.broken(
                            &last.exchange,
                            "something new, or null under /next",
                            "a page that brings nothing new, or a cursor that was given before",
                        );
                    }
                }
                if !acted.finished.goes_round && !acted.finished.is_whole() {
                    judge.blind("the finished actions could not be read to the end");
                }
                if let Some(short) = &acted.short {
                    joints(short, &acted.finished, judge);
                }
            });
        },
    )
    .only(V1),
    acted(
        "lists.complete",
        Wire,
        "every action that has ended is among the finished",
        LISTS,
        |case, judge| {
            each(case, judge, |acted, judge| {
                let listed: BTreeSet<_> = acted.finished.ids().collect();
                let single = [&acted.success, &acted.failure, &acted.counted];
                let all = single.into_iter().chain(&acted.row);
                for scheduled in all.filter(|scheduled| finished(scheduled).is_some()) {
                    if listed.contains(&scheduled.id) {
                        judge.holds();
                    } else if !acted.finished.is_whole() {
                        judge.blind("the finished actions could not be read to the end");
                    } else if let Some(told) = acted.unlisted.get(&scheduled.id).filter(|told| told.read.is_some()) {
                        judge.broken_by(
                            &[&acted.finished.pages[0].exchange, &told.exchange],
                            format!("{} among the finished", scheduled.id),
                            format!("{} others", listed.len()),
                        );
                    } else {
                        judge.idle("what had ended was dropped for age");
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
                let ends: BTreeMap<_, _> = acted
                    .row
                    .iter()
                    .filter_map(|one| Some((&one.id, finished(one)?)))
                    .collect();
                let mut known = BTreeSet::new();
                let once = acted.finished.ids().filter(|id| known.insert(id.clone()));
                let newest_first: Vec<_> = once.filter_map(|id| ends.get(&id).copied()).collect();
                if newest_first.len() < 2 {
                    judge.blind("the finished actions that were scheduled here are not listed");
                } else {
                    judge.expect(
                        newest_first.is_sorted_by(|a, b| a >= b) || is_listed_as_accepted(acted),
                        &acted.finished.pages[0].exchange,
                        "the action that ended last at the head",
                    );
                }
                for queue in &acted.queues {
                    let briefs = queue.value().and_then(|list| list.actions.value());
                    let ids = briefs.into_iter().flatten().filter(|brief| {
                        // In `unstable` those that have ended stand in front.
                        brief.state.value().is_some_and(|state| !state.is_final())
                    });
                    let mut oldest_first = places(&mut ids.filter_map(|brief| brief.id.value().cloned()));
                    // One that runs out of turn, or is listed again, is another check's.
                    let running = briefs
                        .into_iter()
                        .flatten()
                        .find(|brief| brief.state.value() == Some(&State::Running));
                    let running = running.and_then(|brief| place.get(brief.id.value()?).copied());
                    let mut known = BTreeSet::new();
                    oldest_first.retain(|place| Some(*place) != running && known.insert(*place));
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

/// Whether the finished ones of a row are listed as they were accepted, the last of them first: then it is a clock that was set
/// back.
fn is_listed_as_accepted(acted: &Acted) -> bool {
    let place: BTreeMap<_, _> = acted
        .row
        .iter()
        .enumerate()
        .map(|(place, one)| (&one.id, place))
        .collect();
    let mut places: Vec<_> = acted.finished.ids().filter_map(|id| place.get(&id).copied()).collect();
    places.dedup();
    places.is_sorted_by(|a, b| a >= b)
}

/// Whether short pages have everything that stands between their first entry and their last in the whole list.
fn joints(short: &Pages, whole: &Pages, judge: &mut Judge) {
    let known: BTreeSet<_> = short.ids().collect();
    let all: Vec<_> = whole.ids().collect();
    let place = |id: Option<String>| all.iter().position(|other| Some(other) == id.as_ref());
    let (Some(first), Some(last)) = (place(short.ids().next()), place(short.ids().last())) else {
        return judge.blind("what is on short pages is not in the whole list");
    };
    let missing = all
        .get(first..=last)
        .unwrap_or_default()
        .iter()
        .find(|id| !known.contains(*id));
    match (missing, short.pages.last()) {
        (Some(missing), Some(page)) => {
            judge.broken(&page.exchange, format!("{missing} on a page before it"), "on none");
        }
        _ => judge.holds(),
    }
}
