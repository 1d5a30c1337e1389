//! Many actions, one behind the other, and what an agent tells while they run.

use std::time::Instant;

use serde_json::json;

use super::acting::{LOOP, PATIENCE, PAUSE, ask, ended, schedule};
use super::looking::record;
use super::{Scheduled, Told};
use crate::client::{Client, Request};
use crate::dialect::{Ask, Dialect, List};
use crate::model::Node;

/// Actions in a row: more than a page of a careless agent has, and few enough to be done at once.
const ROW: usize = 60;

/// Pairs of lists that are read while actions end: each may have thousands of entries.
const ROUNDS: usize = 100;

/// Entries of a list up to which it is read that often.
const SHORT: usize = 2_000;

/// What a row has given.
pub(super) struct Ran {
    pub(super) row: Vec<Scheduled>,
    pub(super) queues: Vec<Told<List>>,
    pub(super) meanwhile: Vec<Told<Node>>,
    pub(super) rounds: Vec<(Told<List>, Told<List>)>,
}

/// A row of actions, the first of them long enough for the others to wait; in `unstable` each claims to be older than the
/// one before.
pub(super) async fn run(client: &Client, dialect: Dialect) -> Ran {
    let mut row = Vec::with_capacity(ROW);
    for number in 0..ROW {
        let slow = number < 3;
        let (kind, args) = if slow {
            (LOOP, json!({"target": 3, "delay_ms": 100}))
        } else {
            // So short that some of them end between any two questions.
            (LOOP, json!({"target": 1, "delay_ms": 4}))
        };
        let created = format!("2021-01-01T00:{:02}:00.000000000Z", 59 - number.min(59));
        let ask = Ask {
            created: Some(&created),
            ..ask(kind, args)
        };
        row.push(schedule(client, dialect, ask).await);
    }
    let (mut queues, mut meanwhile, mut rounds) = (Vec::new(), Vec::new(), Vec::new());
    let list = async |list: &str| {
        let exchange = client.ask(Request::get(dialect.path(list))).await;
        Told::of(exchange, |body| dialect.list(body))
    };
    let began = Instant::now();
    let last = row.iter().rposition(Scheduled::is_accepted);
    while let Some(last) = last {
        let mut more = dialect == Dialect::Unstable || rounds.len() < 12;
        while more && rounds.len() < ROUNDS {
            let round = (list("actions/finished").await, list("actions/queue").await);
            let entries = round
                .0
                .value()
                .and_then(|list| list.actions.value())
                .map_or(0, Vec::len);
            rounds.push(round);
            more = dialect == Dialect::Unstable && entries < SHORT && rounds.len() % 4 != 0;
        }
        queues.push(list("actions/queue").await);
        let node = client.ask(Request::get(dialect.path("info/node"))).await;
        meanwhile.push(Told::of(node, |body| dialect.node(body)));
        let look = record(client, dialect, &row[last].id).await;
        // Where the last was lost, those before it are waited for all the same.
        let open = |list: &List| {
            let briefs = list.actions.value().into_iter().flatten();
            briefs
                .filter(|brief| brief.state.value().is_some_and(|state| !state.is_final()))
                .count()
        };
        let idle = queues.last().and_then(Told::value).is_none_or(|list| open(list) == 0);
        if ended(&look) || (look.value().is_none() && idle) || began.elapsed() > PATIENCE {
            break;
        }
        tokio::time::sleep(PAUSE).await;
    }
    for scheduled in &mut row {
        if scheduled.is_accepted() {
            scheduled.looks.push(record(client, dialect, &scheduled.id).await);
        }
    }
    Ran {
        row,
        queues,
        meanwhile,
        rounds,
    }
}
