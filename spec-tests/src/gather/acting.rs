//! Level `actions`: a story told with the kinds that change nothing.
//!
//! What it writes, in each dialect: [`WRITES`] says it beforehand.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::looking::{pages, record};
use super::rowing::Ran;
use super::{Acted, Scheduled, Told, id};
use super::{questioning, refusing, rowing};
use crate::client::Client;
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
pub(super) const PAUSE: Duration = Duration::from_millis(15);

pub(super) async fn act(client: &Client, dialect: Dialect) -> Acted {
    let told = Ask {
        headers: &[("Spec-Tests", "kept"), ("other", "ä \" \\ ✓")],
        requester: Some("spec-tests"),
        created: Some("2020-02-29T12:34:56.123000000Z"),
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
    let reused = match success.last() {
        Some(_) => {
            let other = Ask {
                id: Some(&success.id),
                ..ask(FAIL, json!({}))
            };
            Some(client.ask(dialect.schedule(&other)).await)
        }
        None => None,
    };
    let mut failure = schedule(client, dialect, ask(FAIL, json!({}))).await;
    follow(client, dialect, &mut failure).await;
    let mut counted = schedule(client, dialect, ask(LOOP, json!({"target": 4, "delay_ms": 120}))).await;
    follow(client, dialect, &mut counted).await;
    let asked = if dialect == Dialect::V1 {
        questioning::ask_all(client, dialect).await
    } else {
        BTreeMap::new()
    };
    let refused = refusing::ask_all(client, dialect).await;
    let unnamed = client.ask(dialect.schedule(&ask(SUCCESS, Value::Null))).await;
    let Ran {
        row,
        queues,
        meanwhile,
        rounds,
    } = rowing::run(client, dialect).await;
    // Short pages, so that there are several.
    let finished = match dialect {
        Dialect::V1 => "actions/finished?limit=25",
        Dialect::Unstable => "actions/finished",
    };
    Acted {
        success,
        repeated,
        failure,
        counted,
        row,
        queues,
        meanwhile,
        rounds,
        reused,
        finished: pages(client, dialect, finished).await,
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
