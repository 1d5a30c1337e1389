//! Which action runs when, and where the lists have it.

use std::collections::{BTreeMap, BTreeSet};

use super::super::judge::Judge;
use super::super::records::instant;
use super::super::{Check, UNSTABLE, V1};
use super::{LISTS, SCHEDULING, acted, each, finished};
use crate::dialect::List;
use crate::gather::{Scheduled, Told};
use crate::model::{Brief, State};
use crate::verdict::Severity::{Must, Wire};

/// Looks at a queue in which actions wait, after which the one that runs has to have been there.
const ENOUGH: usize = 3;

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
                    let running: BTreeSet<_> = list
                        .iter()
                        .filter(|brief| brief.state.value() == Some(&State::Running))
                        .filter_map(|brief| brief.id.value())
                        .collect();
                    let running = running.len();
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
                for (finished, queue) in &acted.rounds {
                    let ids = |list: &Told<List>| -> Option<BTreeSet<String>> {
                        let briefs = list.value()?.actions.value()?.iter();
                        Some(briefs.filter_map(|brief| brief.id.value().cloned()).collect())
                    };
                    let (Some(ended), Some(waiting)) = (ids(finished), ids(queue)) else {
                        judge.blind("a list could not be read");
                        continue;
                    };
                    let mut accepted = acted.row.iter().filter(|scheduled| scheduled.is_accepted());
                    match accepted.find(|one| !ended.contains(&one.id) && !waiting.contains(&one.id)) {
                        Some(lost) => judge.broken_by(
                            &[&finished.exchange, &queue.exchange],
                            format!("{} in one of them", lost.id),
                            "in neither",
                        ),
                        None => judge.holds(),
                    }
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
                for page in &acted.finished.pages {
                    let briefs = page.value().and_then(|list| list.actions.value());
                    let ids: BTreeSet<_> = briefs
                        .into_iter()
                        .flatten()
                        .filter_map(|brief| brief.id.value())
                        .collect();
                    let entries = ids.len();
                    judge.expect(entries <= 25, &page.exchange, "25 entries at most");
                }
                let Some(last) = acted.finished.pages.last() else {
                    return;
                };
                match last.value() {
                    Some(list) => judge.expect(list.next.is_none(), &last.exchange, "null under /next at the end"),
                    None => judge.blind("a page could not be read"),
                }
            });
        },
    )
    .only(V1),
    acted(
        "node.meanwhile",
        Wire,
        "the node is told of while an action runs",
        "docs/wire.md#the-node",
        |case, judge| {
            each(case, judge, |acted, judge| {
                for told in &acted.meanwhile {
                    judge.expect(told.read.is_some(), &told.exchange, "200 with the node");
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
                let single = [&acted.success, &acted.failure, &acted.counted];
                let all = single.into_iter().chain(&acted.row);
                for scheduled in all.filter(|scheduled| finished(scheduled).is_some()) {
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
                let ends: BTreeMap<_, _> = acted
                    .row
                    .iter()
                    .filter_map(|one| Some((&one.id, finished(one)?)))
                    .collect();
                let mut known = BTreeSet::new();
                let once = acted.finished.ids().filter(|id| known.insert(id.clone()));
                let newest_first: Vec<_> = once.filter_map(|id| ends.get(&id).copied()).collect();
                let exchange = &acted.finished.pages[0].exchange;
                judge.expect(
                    newest_first.is_sorted_by(|a, b| a >= b),
                    exchange,
                    "the action that ended last at the head",
                );
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

/// Whether one of a row began before the one before it had ended, where the dialect tells when an action began.
fn overlaps(row: &[Scheduled], judge: &mut Judge) -> bool {
    let began = |one: &Scheduled| {
        one.last()
            .and_then(Told::value)
            .and_then(|record| instant(record.started.value()?))
    };
    let mut runs: Vec<_> = row
        .iter()
        .filter_map(|one| Some((began(one)?, finished(one)?, one)))
        .collect();
    runs.sort_by_key(|(began, ended, _)| (*began, *ended));
    let mut found = false;
    for pair in runs.windows(2) {
        let [(_, ended, before), (began, _, after)] = pair else {
            continue;
        };
        if began < ended {
            found = true;
            let looks = [before, after].map(|one| one.last().map_or(&one.answer, |told| &told.exchange));
            judge.broken_by(
                &looks,
                format!("{} to begin after {ended}", after.id),
                began.to_string(),
            );
        }
    }
    found
}
