//! What only `v1` can be asked of actions: long polls, cancelling, history, preconditions.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::json;

use super::acting::{LOOP, PATIENCE, PAUSE, SUCCESS, ask, ended as has_ended, follow, schedule};
use super::looking::record;
use crate::client::{Client, Exchange, Request};
use crate::dialect::Dialect;

/// What only `v1` can be asked of actions.
pub(super) async fn ask_all(client: &Client, dialect: Dialect) -> BTreeMap<&'static str, Exchange> {
    let mut asked = BTreeMap::new();
    let runs = schedule(client, dialect, ask(LOOP, json!({"target": 80, "delay_ms": 100}))).await;
    let waits = schedule(client, dialect, ask(SUCCESS, json!({}))).await;
    if !runs.is_accepted() || !waits.is_accepted() {
        return asked;
    }
    let id = runs.id.clone();
    let at = |rest: &str| dialect.path(&format!("actions/{id}{rest}"));
    // It makes a step every 0.1 s, so that each wait ends with one.
    let version = async |exchange: &Exchange| {
        let answer = exchange.outcome.as_ref().ok()?;
        answer.json().ok()?["version"].as_u64()
    };
    let now = client.ask(Request::get(at(""))).await;
    if let Some(known) = version(&now).await {
        let long = Request::get(at(&format!("?wait=3&after={known}"))).patient(Duration::from_secs(3));
        asked.insert("wait", client.ask(long).await);
    }
    asked.insert("before_wait", now);
    asked.insert(
        "cancel_waiting",
        client.ask(Request::new("DELETE", dialect.record_path(&waits.id))).await,
    );
    let mut cancelled = waits;
    follow(client, dialect, &mut cancelled).await;
    if let Some(last) = cancelled.looks.pop() {
        asked.insert("cancelled_waiting", last.exchange);
    }
    asked.insert("cancel_running", client.ask(Request::new("DELETE", at(""))).await);
    let mut stopped = runs;
    follow(client, dialect, &mut stopped).await;
    if let Some(last) = stopped.looks.pop() {
        asked.insert("cancelled_running", last.exchange);
    }
    // Nothing changes any more: the wait ends with the record as it is.
    let ended = client.ask(Request::get(at(""))).await;
    if let Some(known) = version(&ended).await {
        let wait = Request::get(at(&format!("?wait=1&after={known}")));
        asked.insert("wait_for_nothing", client.ask(wait).await);
    }
    asked.insert(
        "cancel_finished",
        client
            .ask(Request::new("DELETE", dialect.record_path(&stopped.id)))
            .await,
    );
    asked.insert(
        "history",
        client
            .ask(Request::get(dialect.path(&format!("actions/{}/history", stopped.id))))
            .await,
    );
    let id = super::id();
    let unmet = json!({
        "kind": SUCCESS, "args": {}, "id": id, "preconditions": {"shards": {"spec-tests: no such shard": ["PRIMARY"]}},
    });
    asked.insert(
        "precondition",
        client.ask(Request::post(dialect.schedule_path(), &unmet)).await,
    );
    let began = Instant::now();
    loop {
        let look = record(client, dialect, &id).await;
        if has_ended(&look) || look.value().is_none() || began.elapsed() > PATIENCE {
            asked.insert("precondition_record", look.exchange);
            return asked;
        }
        tokio::time::sleep(PAUSE).await;
    }
}
