//! The two lists of actions.

use std::collections::{BTreeMap, BTreeSet};

use super::judge::{Judge, value};
use super::{Check, V1, read};
use crate::client::{Exchange, Fault};
use crate::dialect::List;
use crate::gather::{Pages, Seen, Told};
use crate::model::{Brief, State};
use crate::verdict::Severity::{Must, Wire};

const WHERE: &str = "docs/wire.md#lists";

pub(super) const CHECKS: &[Check] = &[
    read(
        "lists.ids",
        Must,
        "no two actions have the same id",
        WHERE,
        |case, judge| {
            for agent in case.agents {
                for list in lists(agent) {
                    let mut kinds = BTreeMap::new();
                    for (exchange, brief) in briefs(judge, &list.pages) {
                        // Its state may change from page to page.
                        let (Some(id), Some(kind)) = (brief.id.value(), brief.kind.value()) else {
                            continue;
                        };
                        let known = *kinds.entry(id).or_insert(kind);
                        if known == kind {
                            judge.holds();
                        } else {
                            judge.broken(exchange, format!("{id} for {known} alone"), format!("for {kind}, too"));
                        }
                    }
                }
            }
        },
    ),
    read(
        "lists.unique",
        Wire,
        "a list has each action once",
        WHERE,
        |case, judge| {
            for agent in case.agents {
                for list in lists(agent) {
                    let mut ids = BTreeSet::new();
                    for (exchange, brief) in briefs(judge, &list.pages) {
                        let Some(id) = brief.id.value() else { continue };
                        if ids.insert(id) {
                            judge.holds();
                        } else {
                            judge.broken(exchange, "each action once", format!("{id} twice"));
                        }
                    }
                }
            }
        },
    ),
    read(
        "lists.finished",
        Wire,
        "the finished actions are those that have ended",
        WHERE,
        |case, judge| {
            let whole = case.agents.iter().flat_map(finished).flat_map(|list| &list.pages);
            let acted = case.agents.iter().filter_map(|agent| agent.acted.as_ref());
            // Also while actions run.
            let meanwhile = acted.flat_map(|acted| &acted.rounds).map(|round| &round.finished);
            states(judge, whole.chain(meanwhile), State::is_final, "DONE or FAILED");
        },
    ),
    read(
        "lists.queue",
        Wire,
        "the queue has those that have not ended",
        WHERE,
        |case, judge| {
            let pages = case.agents.iter().flat_map(queues).flat_map(|list| &list.pages);
            states(judge, pages, |state| !state.is_final(), "NEW or RUNNING");
        },
    )
    // In `unstable` it also lists what no answer of the other list has shown.
    .only(V1),
    read(
        "wire.lists",
        Wire,
        "a list has the shape of its dialect",
        WHERE,
        |case, judge| {
            let lists = case.agents.iter().flat_map(lists);
            for page in lists.flat_map(|list| &list.pages) {
                if judge.is_put_off(&page.exchange) {
                    continue;
                }
                if let Err(Fault::TooLong(..)) = page.exchange.outcome {
                    judge.blind("a list is longer than is read");
                } else if value(judge, page).is_some() {
                    judge.holds();
                } else {
                    judge.broken(&page.exchange, "a list as JSON", page.exchange.came());
                }
            }
        },
    ),
];

/// What stands on these pages. Tells where one cannot be read, and where nothing stands on any.
fn briefs<'p>(judge: &mut Judge, pages: impl IntoIterator<Item = &'p Told<List>>) -> Vec<(&'p Exchange, &'p Brief)> {
    let mut found = Vec::new();
    for page in pages {
        match page.value().and_then(|list| list.actions.value()) {
            Some(list) => found.extend(list.iter().map(|brief| (&page.exchange, brief))),
            None => judge.blind("a list could not be read"),
        }
    }
    if found.is_empty() {
        judge.idle("no action is listed");
    }
    found
}

/// Whether every state on these pages is one that belongs there.
fn states<'p>(
    judge: &mut Judge,
    pages: impl Iterator<Item = &'p Told<List>>,
    right: impl Fn(State) -> bool,
    expected: &str,
) {
    for (exchange, brief) in briefs(judge, pages) {
        match brief.state.value() {
            None => {}
            Some(state) if right(*state) => judge.holds(),
            Some(state) => judge.broken(exchange, expected, format!("{state} of {:?}", brief.id.value())),
        }
    }
}

fn finished(agent: &Seen) -> Vec<&Pages> {
    let acted = agent
        .acted
        .iter()
        .flat_map(|acted| acted.short.iter().chain([&acted.finished]));
    std::iter::once(&agent.finished).chain(acted).collect()
}

fn queues(agent: &Seen) -> Vec<&Pages> {
    let acted = agent.acted.iter().map(|acted| &acted.queue);
    std::iter::once(&agent.queue).chain(acted).collect()
}

fn lists(agent: &Seen) -> Vec<&Pages> {
    let mut lists = finished(agent);
    lists.extend(queues(agent));
    lists
}
