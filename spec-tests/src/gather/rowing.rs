//! Many actions, one behind the other, and what an agent tells while they run.

use std::collections::BTreeMap;

use serde_json::json;

use super::acting::{LOOP, ask};
use super::following::{PATIENCE, PAUSE, Still, is_final, schedule, schedule_once, state};
use super::looking::record;
use super::patience::Patient;
use super::{Round, Scheduled, Told, is_later};
use crate::client::Request;
use crate::dialect::{Ask, Dialect, List};
use crate::model::{Node, State};

/// Actions in a row: more than a page of a careless agent has, and few enough to be done at once.
const ROW: usize = 60;

/// Actions at the head of a row that are slow, so that the others wait.
const SLOW: usize = 3;

/// Rounds in which both lists are read while actions end: each may have thousands of entries, and in `unstable` each
/// takes from other clients what has ended.
const ROUNDS: usize = 60;

/// The fewest actions that are a row.
const LEAST: usize = 8;

/// Entries of a list up to which it is read that often.
const SHORT: usize = 2_000;

/// What a row has given.
pub(super) struct Ran {
    pub(super) row: Vec<Scheduled>,
    pub(super) queues: Vec<Told<List>>,
    pub(super) meanwhile: Vec<Told<Node>>,
    pub(super) rounds: Vec<Round>,
}

/// A row of actions, the first of them long enough for the others to wait; in `unstable` each claims to be older than the
/// one before.
pub(super) async fn run(client: &Patient, dialect: Dialect) -> Ran {
    let mut row: Vec<Scheduled> = Vec::with_capacity(ROW);
    let mut queues = Vec::new();
    for number in 0..ROW {
        let slow = number < SLOW;
        let (kind, args) = if slow {
            (LOOP, json!({"target": 3, "delay_ms": pace(row.first())}))
        } else {
            // So short that some of them end between any two questions.
            (LOOP, json!({"target": 1, "delay_ms": 4}))
        };
        let created = format!("2021-01-01T00:{:02}:00.000000000Z", 59 - number.min(59));
        let ask = Ask {
            created: Some(&created),
            ..ask(kind, args)
        };
        // A queue may be shorter than a row: those that it takes will do.
        if row.len() < LEAST {
            row.push(schedule(client, dialect, ask).await);
            if row.len() == SLOW + 1 {
                // Before the others, which take an agent under load as long as the slow ones run.
                queues.push(list(client, dialect, "actions/queue").await);
            }
            continue;
        }
        let one = schedule_once(client, dialect, ask).await;
        if is_later(&one.answer) {
            break;
        }
        row.push(one);
    }
    let (mut meanwhile, mut rounds) = (Vec::new(), Vec::new());
    let mut still = Still::new(client, dialect, PATIENCE);
    let mut before = None;
    let last = row.iter().rposition(Scheduled::is_accepted);
    while let Some(last) = last {
        // In `unstable` the rounds are for when actions end one after the other.
        let waits = |queue: &Told<List>| {
            row.get(SLOW - 1)
                .is_none_or(|slow| open(queue).any(|id| *id == slow.id))
        };
        let mut more = match dialect {
            Dialect::V1 => rounds.len() < 12,
            Dialect::Unstable => queues.last().is_some_and(|queue| !waits(queue)),
        };
        while more && rounds.len() < ROUNDS {
            rounds.push(round(client, dialect, &row).await);
            let short = rounds
                .last()
                .is_some_and(|round: &Round| entries(&round.finished).len() < SHORT);
            more = dialect == Dialect::Unstable && short && rounds.len() % 4 != 0;
        }
        queues.push(list(client, dialect, "actions/queue").await);
        let node = client.ask(Request::get(dialect.path("info/node"))).await;
        meanwhile.push(Told::of(node, |body| dialect.node(body)));
        let look = record(client, dialect, &row[last].id).await;
        // Where the last was lost, those before it are waited for all the same.
        let lost = look.value().is_none();
        let left = queues.last().map_or(0, |queue| open(queue).count());
        let moved = before.replace(left).is_some_and(|before| left < before);
        let runs = state(&look) == Some(State::Running);
        if is_final(&look) || (lost && left == 0) || still.over(&row[last].id, runs, moved).await.is_some() {
            break;
        }
        client.rest(PAUSE).await;
    }
    // Where all had ended before anybody looked, there is this.
    if dialect == Dialect::Unstable && rounds.is_empty() {
        rounds.push(round(client, dialect, &row).await);
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

/// How long one step of a slow action is, in milliseconds: longer where an agent takes longer to answer.
fn pace(first: Option<&Scheduled>) -> u64 {
    let answered = first.map_or(0, |first| first.answer.took.as_millis());
    u64::try_from(10 * answered).unwrap_or(u64::MAX).clamp(100, 1000)
}

async fn list(client: &Patient, dialect: Dialect, list: &str) -> Told<List> {
    let exchange = client.ask(Request::get(dialect.path(list))).await;
    Told::of(exchange, |body| dialect.list(body))
}

async fn round(client: &Patient, dialect: Dialect, row: &[Scheduled]) -> Round {
    let finished = list(client, dialect, "actions/finished").await;
    let mut round = Round {
        queue: list(client, dialect, "actions/queue").await,
        finished,
        lost: BTreeMap::new(),
    };
    // Where there are pages, what is not on the first of them is on another.
    if dialect == Dialect::Unstable && round.finished.value().is_some() && round.queue.value().is_some() {
        let known = |id: &String| [&round.finished, &round.queue].into_iter().any(|list| has(list, id));
        let lost = row.iter().filter(|one| one.is_accepted() && !known(&one.id));
        for id in lost.map(|one| one.id.clone()).collect::<Vec<_>>() {
            let look = record(client, dialect, &id).await;
            round.lost.insert(id, look);
        }
    }
    round
}

fn entries(list: &Told<List>) -> &[crate::model::Brief] {
    let entries = list.value().and_then(|list| list.actions.value());
    entries.map_or(&[], Vec::as_slice)
}

fn has(list: &Told<List>, id: &String) -> bool {
    entries(list).iter().any(|brief| brief.id.value() == Some(id))
}

/// Those of a list that have not ended.
fn open(list: &Told<List>) -> impl Iterator<Item = &String> {
    let open = entries(list)
        .iter()
        .filter(|brief| brief.state.value().is_some_and(|state| !state.is_final()));
    open.filter_map(|brief| brief.id.value())
}
