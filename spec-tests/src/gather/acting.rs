//! Level `actions`: a story told with the kinds that change nothing.
//!
//! What it writes, in each dialect: [`WRITES`] says it beforehand.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::looking::{pages, record};
use super::{Acted, Scheduled, Told, id};
use crate::client::{Client, Exchange, Request};
use crate::dialect::{Ask, Dialect};

/// What a run says that it will write, for each agent and dialect.
pub(super) const WRITES: &str = "about 80 actions of the kinds agent.replicante.io/test.success, test.fail and test.loop, all of which \
                          end by themselves within seconds and change nothing but the agent's own records";

pub(super) const SUCCESS: &str = "agent.replicante.io/test.success";
pub(super) const FAIL: &str = "agent.replicante.io/test.fail";
pub(super) const LOOP: &str = "agent.replicante.io/test.loop";

/// How long an action of this level may take, whatever waits before it.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);

/// Between two looks at something that changes.
const PAUSE: Duration = Duration::from_millis(15);

/// Actions in a row: more than a page of a careless agent has, and few enough to be done at once.
const ROW: usize = 60;

pub(super) async fn act(client: &Client, dialect: Dialect) -> Acted {
    let told = Ask {
        headers: &[("spec-tests", "kept"), ("other", "ä \" \\ ✓")],
        requester: Some("spec-tests"),
        created: Some("2020-02-29T12:34:56.123456789Z"),
        ..ask(SUCCESS, json!({}))
    };
    let mut success = schedule(client, dialect, told.clone()).await;
    follow(client, dialect, &mut success).await;
    let repeated = if success.last().is_some() {
        let again = client
            .ask(dialect.schedule(&Ask {
                id: Some(&success.id),
                ..told
            }))
            .await;
        Some((again, record(client, dialect, &success.id).await))
    } else {
        None
    };
    let mut failure = schedule(client, dialect, ask(FAIL, json!({}))).await;
    follow(client, dialect, &mut failure).await;
    let mut counted = schedule(client, dialect, ask(LOOP, json!({"target": 4, "delay_ms": 120}))).await;
    follow(client, dialect, &mut counted).await;
    let asked = if dialect == Dialect::V1 {
        questions(client, dialect).await
    } else {
        BTreeMap::new()
    };
    let refused = refused(client, dialect).await;
    let unnamed = client.ask(dialect.schedule(&ask(SUCCESS, json!({})))).await;
    let (row, queues) = row(client, dialect).await;
    Acted {
        success,
        repeated,
        failure,
        counted,
        row,
        queues,
        finished: pages(client, dialect, "actions/finished").await,
        queue: pages(client, dialect, "actions/queue").await,
        unnamed,
        refused,
        asked,
    }
}

pub(super) fn ask(kind: &str, args: Value) -> Ask<'_> {
    Ask {
        kind,
        args,
        ..Ask::default()
    }
}

/// Schedules an action under an id of ours.
pub(super) async fn schedule(client: &Client, dialect: Dialect, ask: Ask<'_>) -> Scheduled {
    let id = id();
    let answer = client
        .ask(dialect.schedule(&Ask {
            id: Some(&id),
            ..ask.clone()
        }))
        .await;
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Scheduled {
        id,
        kind: ask.kind.to_owned(),
        args: ask.args,
        headers: ask.headers.iter().map(owned).collect(),
        requester: ask.requester.map(str::to_owned),
        created: ask.created.map(str::to_owned),
        answer,
        looks: Vec::new(),
    }
}

/// Looks at an action until it has ended, or patience has.
pub(super) async fn follow(client: &Client, dialect: Dialect, scheduled: &mut Scheduled) {
    if !scheduled.is_accepted() {
        return;
    }
    let began = Instant::now();
    loop {
        let look = record(client, dialect, &scheduled.id).await;
        let ended = ended(&look);
        // What says the same as the look before is not kept.
        let news = match (scheduled.looks.last().and_then(Told::value), look.value()) {
            (Some(before), Some(now)) => before.state != now.state || before.payload != now.payload,
            _ => true,
        };
        if news || ended {
            scheduled.looks.push(look);
        }
        if ended || began.elapsed() > PATIENCE || scheduled.looks.last().is_some_and(|look| look.value().is_none()) {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

pub(super) fn ended(look: &Told<crate::model::Record>) -> bool {
    let state = look.value().and_then(|record| record.state.value());
    state.is_some_and(|state| state.is_final())
}

/// A row of actions, the first of them long enough for the others to wait; in `unstable` each claims to be older than the
/// one before.
async fn row(client: &Client, dialect: Dialect) -> (Vec<Scheduled>, Vec<Told<crate::dialect::List>>) {
    let mut row = Vec::with_capacity(ROW);
    for number in 0..ROW {
        let slow = number < 3;
        let (kind, args) = if slow {
            (LOOP, json!({"target": 3, "delay_ms": 100}))
        } else {
            (SUCCESS, json!({}))
        };
        let created = format!("2021-01-01T00:{:02}:00.000000000Z", 59 - number.min(59));
        let ask = Ask {
            created: Some(&created),
            ..ask(kind, args)
        };
        row.push(schedule(client, dialect, ask).await);
    }
    let mut queues = Vec::new();
    let began = Instant::now();
    let last = row.iter().rposition(Scheduled::is_accepted);
    while let Some(last) = last {
        let queue = client.ask(Request::get(dialect.path("actions/queue"))).await;
        queues.push(Told::of(queue, |body| dialect.list(body)));
        let look = record(client, dialect, &row[last].id).await;
        if ended(&look) || look.value().is_none() || began.elapsed() > PATIENCE {
            break;
        }
        tokio::time::sleep(PAUSE).await;
    }
    for scheduled in &mut row {
        if scheduled.is_accepted() {
            scheduled.looks.push(record(client, dialect, &scheduled.id).await);
        }
    }
    (row, queues)
}

/// Requests that have to be refused, and must leave nothing behind.
async fn refused(client: &Client, dialect: Dialect) -> BTreeMap<&'static str, (Exchange, Told<crate::model::Record>)> {
    let path = dialect.schedule_path();
    let mut refused = BTreeMap::new();
    let with = |id: &str, rest: &str| format!(r#"{{"id":"{id}",{rest}}}"#);
    let success = format!(r#""kind":"{SUCCESS}","args":{{}}"#);
    let mut requests: Vec<(&'static str, String, Request)> = Vec::new();
    let mut add = |name, make: &dyn Fn(&str) -> Request| {
        let id = id();
        let request = make(&id);
        requests.push((name, id, request));
    };
    let post = |body: String| Request::post_text(path.clone(), body);
    add("unknown_kind", &|id| {
        post(with(id, r#""kind":"example.org/no-such-kind","args":{}"#))
    });
    add("bad_arguments", &|id| {
        post(with(id, &format!(r#""kind":"{LOOP}","args":{{"target":"many"}}"#)))
    });
    add("malformed", &|id| post(format!(r#"{{"id":"{id}",{success}"#)));
    add("duplicate_key", &|id| {
        post(with(id, &format!(r#"{success},"kind":"{FAIL}""#)))
    });
    add("not_an_object", &|id| post(format!("[{}]", with(id, &success))));
    add("bad_uuid", &|_| post(format!(r#"{{"id":"no-uuid",{success}}}"#)));
    add("media_type", &|id| {
        let body = with(id, &success).into_bytes();
        Request {
            headers: vec![("content-type", "text/plain".to_owned())],
            ..Request::post_text(path.clone(), body)
        }
    });
    if dialect == Dialect::V1 {
        add("unknown_key", &|id| {
            post(with(id, &format!(r#"{success},"no_such_key":1"#)))
        });
        add("headers", &|id| {
            post(with(id, &format!(r#"{success},"headers":{{"a":1}}"#)))
        });
    } else {
        add("created_time", &|id| {
            post(with(
                id,
                &format!(r#"{success},"created_time":"2020-01-01T00:00:00+02:00""#),
            ))
        });
    }
    for (name, id, request) in requests {
        let exchange = client.ask(request).await;
        refused.insert(name, (exchange, record(client, dialect, &id).await));
    }
    if dialect == Dialect::Unstable {
        // Not refused there: unknown keys are ignored.
        let id = id();
        let exchange = client
            .ask(post(with(&id, &format!(r#"{success},"no_such_key":1"#))))
            .await;
        refused.insert("unknown_key", (exchange, record(client, dialect, &id).await));
    }
    refused
}

/// What only `v1` can be asked of actions.
async fn questions(client: &Client, dialect: Dialect) -> BTreeMap<&'static str, Exchange> {
    let mut asked = BTreeMap::new();
    let runs = schedule(client, dialect, ask(LOOP, json!({"target": 50, "delay_ms": 100}))).await;
    let waits = schedule(client, dialect, ask(SUCCESS, json!({}))).await;
    if !runs.is_accepted() || !waits.is_accepted() {
        return asked;
    }
    let at = |rest: &str| dialect.path(&format!("actions/{}{rest}", runs.id));
    // It makes a step every 0.1 s, so that each wait ends with one.
    let version = async |exchange: &Exchange| {
        let answer = exchange.outcome.as_ref().ok()?;
        answer.json().ok()?["version"].as_u64()
    };
    let now = client.ask(Request::get(at(""))).await;
    if let Some(known) = version(&now).await {
        let long = Request::get(at(&format!("?wait=10&after={known}"))).patient(Duration::from_secs(10));
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
    let id = id();
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
        if ended(&look) || look.value().is_none() || began.elapsed() > PATIENCE {
            asked.insert("precondition_record", look.exchange);
            return asked;
        }
        tokio::time::sleep(PAUSE).await;
    }
}
