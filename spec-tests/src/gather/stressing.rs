//! Level `stress`: crowds, a full queue, requests that are meant to hurt, a crash. All of it is bounded and ends by itself.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinSet;

use super::acting::{LOOP, SUCCESS, ask};
use super::crashing::crash;
use super::following::{PAUSE, drain, follow, schedule, schedule_once};
use super::patience::Patient;
use super::{Plan, Scheduled, Stressed, Told, id};
use crate::client::{Answer, Exchange, Request};
use crate::dialect::{Ask, Dialect};
use crate::model::Node;

/// Clients at the same time.
const CROWD: usize = 16;

/// Actions that each of them schedules.
const EACH: usize = 12;

/// Requests after which an agent that has not refused any is taken to have room for more.
const OVERLOAD: usize = 3_000;

/// How long an agent may be silent after a request before it is taken to be gone.
const SILENCE: Duration = Duration::from_secs(5);

/// What a run says that it will do, for each agent and dialect.
pub(super) const WRITES: &str = "several thousand actions of the kinds agent.replicante.io/test.*, until the queue is full or takes 3,000, \
                          which end by themselves, and whose records may take the place of older ones where few are kept; and \
                          requests that no agent should suffer from";

pub(super) async fn stress(client: &Patient, dialect: Dialect, plan: &Plan) -> Stressed {
    let same_id = same_id(client, dialect).await;
    let crowd = crowd(client, dialect).await;
    let overload = overload(client, dialect).await;
    let hostile = hostile(client, dialect).await;
    let crashed = match &plan.crash {
        Some(commands) => Some(crash(client, dialect, commands, &plan.down).await),
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

async fn same_id(client: &Patient, dialect: Dialect) -> Vec<Exchange> {
    let id = id();
    let mut asking = JoinSet::new();
    for _ in 0..CROWD {
        let (client, id) = (client.clone(), id.clone());
        asking.spawn(async move {
            let ask = Ask {
                id: Some(&id),
                ..ask(SUCCESS, json!({}))
            };
            client.once(dialect.schedule(&ask)).await
        });
    }
    asking.join_all().await
}

async fn crowd(client: &Patient, dialect: Dialect) -> Vec<Scheduled> {
    let mut asking = JoinSet::new();
    for _ in 0..CROWD {
        let client = client.clone();
        asking.spawn(async move {
            let mut own = Vec::with_capacity(EACH);
            for _ in 0..EACH {
                own.push(schedule_once(&client, dialect, ask(SUCCESS, json!({}))).await);
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
async fn overload(client: &Patient, dialect: Dialect) -> Vec<Exchange> {
    // The dialect `unstable` cannot cancel, so what holds the queue has to end by itself.
    let mut holder = schedule(client, dialect, ask(LOOP, json!({"target": 10, "delay_ms": 500}))).await;
    if !holder.is_accepted() {
        return vec![holder.answer];
    }
    let mut answers = Vec::new();
    let more = ask(SUCCESS, json!({}));
    while answers.len() < OVERLOAD {
        let answer = client.once(dialect.schedule(&more)).await;
        let accepted = answer.outcome.as_ref().is_ok_and(Answer::is_good);
        answers.push(answer);
        if !accepted {
            break;
        }
    }
    follow(client, dialect, &mut holder).await;
    drain(client, dialect).await;
    answers
}

/// Requests that are meant to hurt; after each the agent is asked how its node is.
async fn hostile(client: &Patient, dialect: Dialect) -> BTreeMap<&'static str, (Exchange, Told<Node>)> {
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
        let exchange = client.once(Request::post_text(path.clone(), body)).await;
        hostile.insert(name, (exchange, node(client, dialect, SILENCE).await));
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
        hostile.insert(name, (exchange, node(client, dialect, SILENCE).await));
    }
    hostile
}

/// What the agent says of its node, once it says anything, or as it is when it has been silent for so long.
pub(super) async fn node(client: &Patient, dialect: Dialect, silence: Duration) -> Told<Node> {
    let began = Instant::now();
    loop {
        let exchange = client.once(Request::get(dialect.path("info/node"))).await;
        if exchange.outcome.is_ok() || began.elapsed() >= silence || client.is_over() {
            return Told::of(exchange, |body| dialect.node(body));
        }
        client.rest(PAUSE).await;
    }
}
