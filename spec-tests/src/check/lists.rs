//! The two lists of actions.

use std::collections::BTreeSet;

use super::judge::value;
use super::{Check, V1, read};
use crate::gather::{Pages, Seen};
use crate::verdict::Severity::{Must, Wire};

const WHERE: &str = "docs/wire.md#lists";

pub(super) const CHECKS: &[Check] = &[
    read(
        "lists.unique",
        Must,
        "no two actions have the same id",
        WHERE,
        |case, judge| {
            for agent in case.agents {
                for list in lists(agent) {
                    let mut ids = BTreeSet::new();
                    for id in list.ids() {
                        if !ids.insert(id.clone()) {
                            judge.broken(&list.pages[0].exchange, "each action once", format!("{id} twice"));
                        }
                    }
                }
                judge.holds();
            }
        },
    ),
    read(
        "lists.finished",
        Wire,
        "the finished actions are those that have ended",
        WHERE,
        |case, judge| {
            let whole = case
                .agents
                .iter()
                .flat_map(|agent| finished(agent))
                .flat_map(|list| &list.pages);
            let acted = case.agents.iter().filter_map(|agent| agent.acted.as_ref());
            // Also while actions run.
            let meanwhile = acted.flat_map(|acted| &acted.rounds).map(|(finished, _)| finished);
            for list in whole.chain(meanwhile) {
                for brief in list.value().and_then(|list| list.actions.value()).into_iter().flatten() {
                    let Some(state) = brief.state.value() else { continue };
                    if !state.is_final() {
                        judge.broken(
                            &list.exchange,
                            "DONE or FAILED",
                            format!("{state} of {:?}", brief.id.value()),
                        );
                    }
                }
                judge.holds();
            }
        },
    ),
    read(
        "lists.queue",
        Wire,
        "the queue has those that have not ended",
        WHERE,
        |case, judge| {
            for list in case.agents.iter().flat_map(|agent| queues(agent)) {
                for brief in list.briefs() {
                    let Some(state) = brief.state.value() else { continue };
                    if state.is_final() {
                        judge.broken(
                            &list.pages[0].exchange,
                            "NEW or RUNNING",
                            format!("{state} of {:?}", brief.id.value()),
                        );
                    }
                }
                judge.holds();
            }
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
            for page in case
                .agents
                .iter()
                .flat_map(|agent| lists(agent))
                .flat_map(|list| &list.pages)
            {
                if value(judge, page).is_some() {
                    judge.holds();
                } else {
                    judge.broken(&page.exchange, "a list as JSON", page.exchange.came());
                }
            }
        },
    ),
];

fn finished(agent: &Seen) -> Vec<&Pages> {
    let acted = agent.acted.iter().map(|acted| &acted.finished);
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
