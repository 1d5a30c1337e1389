//! Level `stress`: crowds, a full queue, requests that are meant to hurt, a crash. All of it is bounded and ends by itself.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::process::Command;
use tokio::task::JoinSet;

use super::acting::{LOOP, PATIENCE, SUCCESS, ask, follow, schedule};
use super::looking::record;
use super::{Crash, Crashed, Scheduled, Stressed, Told, id};
use crate::client::{Client, Exchange, Request};
use crate::dialect::{Ask, Dialect};
use crate::model::Node;

/// Clients at the same time.
const CROWD: usize = 16;

/// Actions that each of them schedules.
const EACH: usize = 12;

/// Requests after which an agent that has not refused any is taken to have room for more.
const OVERLOAD: usize = 3_000;

/// What a run says that it will do, for each agent and dialect.
pub(super) const WRITES: &str = "several thousand actions of the kinds agent.replicante.io/test.*, until the queue is full or takes 3,000, \
                          which are cancelled or end by themselves, and requests that no agent should suffer from";

pub(super) async fn stress(client: &Client, dialect: Dialect, crash: Option<&Crash>) -> Stressed {
    let same_id = same_id(client, dialect).await;
    let crowd = crowd(client, dialect).await;
    let overload = overload(client, dialect).await;
    let hostile = hostile(client, dialect).await;
    let crashed = match crash {
        Some(crash) => Some(crashed(client, dialect, crash).await),
        None => None,
    };
    Stressed {
        same_id,
        crowd,
        overload,
        hostile,
        crashed,
    }
}

async fn same_id(client: &Client, dialect: Dialect) -> Vec<Exchange> {
    let id = id();
    let mut asking = JoinSet::new();
    for _ in 0..CROWD {
        let (client, id) = (client.clone(), id.clone());
        asking.spawn(async move {
            let ask = Ask {
                id: Some(&id),
                ..ask(SUCCESS, json!({}))
            };
            client.ask(dialect.schedule(&ask)).await
        });
    }
    asking.join_all().await
}

async fn crowd(client: &Client, dialect: Dialect) -> Vec<Scheduled> {
    let mut asking = JoinSet::new();
    for _ in 0..CROWD {
        let client = client.clone();
        asking.spawn(async move {
            let mut own = Vec::with_capacity(EACH);
            for _ in 0..EACH {
                own.push(schedule(&client, dialect, ask(SUCCESS, json!({}))).await);
            }
            for scheduled in &mut own {
                follow(&client, dialect, scheduled).await;
            }
            own
        });
    }
    asking.join_all().await.into_iter().flatten().collect()
}

/// Fills the queue behind an action that holds it, as far as it goes, and empties it again.
async fn overload(client: &Client, dialect: Dialect) -> Vec<Exchange> {
    // The dialect `unstable` cannot cancel, so what holds the queue has to end by itself.
    let mut holder = schedule(client, dialect, ask(LOOP, json!({"target": 10, "delay_ms": 500}))).await;
    if !holder.is_accepted() {
        return vec![holder.answer];
    }
    let mut answers = Vec::new();
    let mut last = None;
    for _ in 0..OVERLOAD {
        let scheduled = schedule(client, dialect, ask(SUCCESS, json!({}))).await;
        let refused = !scheduled.is_accepted();
        if !refused {
            last = Some(scheduled.clone());
        }
        answers.push(scheduled.answer);
        if refused {
            break;
        }
    }
    follow(client, dialect, &mut holder).await;
    if let Some(mut last) = last {
        follow(client, dialect, &mut last).await;
    }
    answers
}

/// Requests that are meant to hurt; after each the agent is asked how its node is.
async fn hostile(client: &Client, dialect: Dialect) -> BTreeMap<&'static str, (Exchange, Told<Node>)> {
    let path = dialect.schedule_path();
    let kind = format!(r#""kind":"{SUCCESS}""#);
    let deep = |depth: usize| format!(r#"{{{kind},"args":{}1{}}}"#, "[".repeat(depth), "]".repeat(depth));
    let mut requests = vec![
        ("deep_129", deep(129).into_bytes()),
        ("deep_100000", deep(100_000).into_bytes()),
        (
            "number",
            format!(r#"{{{kind},"args":{{"target":1e999}}}}"#).into_bytes(),
        ),
        (
            "not_a_number",
            format!(r#"{{{kind},"args":{{"target":NaN}}}}"#).into_bytes(),
        ),
        (
            "lone_surrogate",
            format!(r#"{{{kind},"args":{{"a":"\ud800"}}}}"#).into_bytes(),
        ),
        (
            "control_byte",
            format!("{{{kind},\"args\":{{\"a\":\"\u{1}\"}}}}").into_bytes(),
        ),
        (
            "large",
            format!(r#"{{{kind},"args":{{"a":"{}"}}}}"#, "x".repeat(32 * 1024 * 1024)).into_bytes(),
        ),
    ];
    let mut invalid = format!(r#"{{{kind},"args":{{"a":""#).into_bytes();
    invalid.extend(b"\xff\xfe\"}}");
    requests.push(("not_utf8", invalid));
    let mut hostile = BTreeMap::new();
    for (name, body) in requests {
        let exchange = client.ask(Request::post_text(path.clone(), body)).await;
        hostile.insert(name, (exchange, node(client, dialect).await));
    }
    for (name, bytes) in [
        ("no_request", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec()),
        ("no_end", [b"GET / HTTP/1.1\r\nx: ".as_slice(), "x".repeat(200_000).as_bytes()].concat()),
        (
            "bad_chunk",
            format!("POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n")
                .into_bytes(),
        ),
    ] {
        let exchange = client.send(Request::new("GET", format!("# bytes: {name}")), &bytes).await;
        hostile.insert(name, (exchange, node(client, dialect).await));
    }
    hostile
}

async fn node(client: &Client, dialect: Dialect) -> Told<Node> {
    let exchange = client.ask(Request::get(dialect.path("info/node"))).await;
    Told::of(exchange, |body| dialect.node(body))
}

/// Has actions finished, running and waiting, kills the agent, starts it again and looks at what is left of them.
async fn crashed(client: &Client, dialect: Dialect, crash: &Crash) -> Crashed {
    let mut finished = schedule(client, dialect, ask(SUCCESS, json!({}))).await;
    follow(client, dialect, &mut finished).await;
    let mut running = schedule(client, dialect, ask(LOOP, json!({"target": 30, "delay_ms": 100}))).await;
    let mut waiting = Vec::new();
    for _ in 0..8 {
        waiting.push(schedule(client, dialect, ask(SUCCESS, json!({}))).await);
    }
    let began = Instant::now();
    while running.is_accepted() && began.elapsed() < PATIENCE {
        let look = record(client, dialect, &running.id).await;
        let count = look
            .value()
            .and_then(|record| record.payload.value()?["count"].as_u64());
        running.looks.push(look);
        // Far enough for a beginning anew to show.
        if count.is_some_and(|count| count >= 8) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let looks_before = running.looks.len();
    let mut fault = None;
    for (what, command) in [("kill", &crash.kill), ("restart", &crash.restart)] {
        if fault.is_none() {
            fault = run(command, client)
                .await
                .err()
                .map(|error| format!("the {what} command: {error}"));
        }
    }
    if fault.is_none() {
        let began = Instant::now();
        while node(client, dialect).await.value().is_none() && began.elapsed() < PATIENCE {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        finished.looks.push(record(client, dialect, &finished.id).await);
        follow(client, dialect, &mut running).await;
        for scheduled in &mut waiting {
            follow(client, dialect, scheduled).await;
        }
    }
    Crashed {
        fault,
        finished,
        running,
        looks_before,
        waiting,
    }
}

/// Runs a command of the user's, which is told of which agent it is; it has to end well, and soon.
async fn run(command: &str, client: &Client) -> Result<(), String> {
    let mut shell = Command::new("sh");
    shell
        .args(["-c", command])
        .env("SPEC_TESTS_AGENT", client.address().to_string())
        // What it says is no part of a report, and an agent that it starts does not hold the report's reader up.
        .stdout(std::process::Stdio::null())
        .kill_on_drop(true)
        .stdin(std::process::Stdio::null());
    match tokio::time::timeout(PATIENCE, shell.status()).await {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(format!("{command:?} ended with {status}")),
        Ok(Err(error)) => Err(format!("{command:?} cannot be run: {error}")),
        Err(_) => Err(format!("{command:?} did not end within {} s", PATIENCE.as_secs())),
    }
}
