//! What only `v1` can be asked of actions: long polls, cancelling, history, preconditions.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use super::acting::{LOOP, SUCCESS, ask};
use super::following::{PATIENCE, PAUSE, Still, follow, schedule, state};
use super::looking::record;
use super::patience::Patient;
use super::{Scheduled, Told, Waited};
use crate::client::{Exchange, Request, escaped};
use crate::dialect::{Dialect, integer};
use crate::model::State;

/// Pages of a history that are read.
const PAGES: usize = 100;

/// What only `v1` can be asked of actions, by name, and the history of one of them. What others' actions held up was not
/// asked.
pub(super) async fn ask_all(client: &Patient, dialect: Dialect) -> (BTreeMap<&'static str, Exchange>, Vec<Exchange>) {
    let mut asked = BTreeMap::new();
    let mut runs = schedule(client, dialect, ask(LOOP, json!({"target": 80, "delay_ms": 100}))).await;
    let mut waits = schedule(client, dialect, ask(SUCCESS, json!({}))).await;
    if !runs.is_accepted() || !waits.is_accepted() {
        return (asked, Vec::new());
    }
    let id = runs.id.clone();
    let at = |rest: &str| dialect.path(&format!("actions/{id}{rest}"));
    if begins(client, dialect, &runs).await {
        // It makes a step every 0.1 s, so that each wait ends with one.
        let now = client.ask(Request::get(at(""))).await;
        if let Some(known) = version(&now) {
            let long = Request::get(at(&format!("?wait=3&after={known}"))).patient(Duration::from_secs(3));
            asked.insert("wait", client.ask(long).await);
        }
        asked.insert("before_wait", now);
    }
    for (action, cancel, cancelled) in [
        (&mut waits, "cancel_waiting", "cancelled_waiting"),
        (&mut runs, "cancel_running", "cancelled_running"),
    ] {
        let delete = Request::new("DELETE", dialect.record_path(&action.id));
        asked.insert(cancel, client.ask(delete).await);
        follow(client, dialect, action).await;
        if let Some(last) = told(action) {
            asked.insert(cancelled, last);
        }
    }
    let mut history = Vec::new();
    if runs.waited == Waited::Ended {
        // Nothing changes any more: the wait ends with the record as it is.
        let ended = client.ask(Request::get(at(""))).await;
        if let Some(known) = version(&ended) {
            let wait = Request::get(at(&format!("?wait=1&after={known}"))).patient(Duration::from_secs(1));
            asked.insert("wait_for_nothing", client.ask(wait).await);
        }
        let again = Request::new("DELETE", dialect.record_path(&id));
        asked.insert("cancel_finished", client.ask(again).await);
        history = steps(client, &at("/history")).await;
    }
    let mut unmet = unmet(client, dialect).await;
    follow(client, dialect, &mut unmet).await;
    if let Some(last) = told(&unmet) {
        asked.insert("precondition_record", last);
    }
    asked.insert("precondition", unmet.answer);
    (asked, history)
}

/// An action for a node that has a shard which no node has.
async fn unmet(client: &Patient, dialect: Dialect) -> Scheduled {
    let id = super::id();
    let body = json!({
        "kind": SUCCESS, "args": {}, "id": id, "preconditions": {"shards": {"spec-tests: no such shard": ["PRIMARY"]}},
    });
    Scheduled {
        id,
        kind: SUCCESS.to_owned(),
        args: json!({}),
        headers: BTreeMap::new(),
        requester: None,
        created: None,
        answer: client.ask(Request::post(dialect.schedule_path(), &body)).await,
        looks: Vec::new(),
        waited: Waited::Not,
    }
}

/// Waits until an action runs; false where it does not, because others are ahead of it, or for a reason of its own.
async fn begins(client: &Patient, dialect: Dialect, action: &Scheduled) -> bool {
    let mut still = Still::new(client, dialect, PATIENCE);
    loop {
        let look: Told<_> = record(client, dialect, &action.id).await;
        match state(&look) {
            Some(State::New) if still.over(&action.id, false, false).await.is_none() => {}
            state => return state == Some(State::Running),
        }
        client.rest(PAUSE).await;
    }
}

/// The last look at an action that has ended, or has no reason not to.
fn told(action: &Scheduled) -> Option<Exchange> {
    let last = action.last().filter(|_| action.waited != Waited::Busy)?;
    Some(last.exchange.clone())
}

fn version(exchange: &Exchange) -> Option<i64> {
    integer(&exchange.outcome.as_ref().ok()?.json().ok()?["version"])
}

/// A history, page by page.
async fn steps(client: &Patient, path: &str) -> Vec<Exchange> {
    let mut pages = vec![client.ask(Request::get(path)).await];
    while pages.len() < PAGES {
        let answer = pages.last().and_then(|page| page.outcome.as_ref().ok());
        let document = answer.and_then(|answer| answer.json().ok()).unwrap_or_default();
        let Some(next) = document["next"].as_str() else { break };
        pages.push(
            client
                .ask(Request::get(format!("{path}?cursor={}", escaped(next))))
                .await,
        );
    }
    pages
}
