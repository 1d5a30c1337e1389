//! Level `actions`: a story told with the kinds that change nothing.
//!
//! What it writes, in each dialect: [`WRITES`] says it beforehand.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::following::{follow, is_final, schedule};
use super::looking::{record, short, whole};
use super::patience::Patient;
use super::rowing::Ran;
use super::{Acted, Pages, Scheduled, Told};
use super::{offering, questioning, refusing, rowing};
use crate::dialect::{Ask, Dialect};
use crate::model::Record;

/// What a run says that it will write, for each agent and dialect.
pub(super) const WRITES: &str = "about 80 actions of the kinds agent.replicante.io/test.success, test.fail and test.loop, all of which \
                          end by themselves within seconds and change nothing but the agent's own records, where they may take \
                          the place of older ones; and requests that are to be refused, among them some for the kind \
                          example.org/no-such-kind. By reading the finished actions of the dialect unstable, actions are shown \
                          that another client of it may then miss";

pub(crate) const SUCCESS: &str = "agent.replicante.io/test.success";
pub(super) const FAIL: &str = "agent.replicante.io/test.fail";
pub(crate) const LOOP: &str = "agent.replicante.io/test.loop";

pub(super) async fn act(client: &Patient, dialect: Dialect) -> Acted {
    let offered = offering::learn(client, dialect).await;
    let told = Ask {
        headers: &[("Spec-Tests", "kept"), ("other", "ä \" \\ ✓")],
        requester: Some("spec-tests"),
        created: Some("2020-02-29T12:34:56.123000000Z"),
        ..ask(SUCCESS, json!({}))
    };
    let mut success = schedule(client, dialect, told.clone()).await;
    follow(client, dialect, &mut success).await;
    let repeated = if success.is_accepted() {
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
    let reused = if success.is_accepted() {
        let other = Ask {
            id: Some(&success.id),
            ..ask(FAIL, json!({}))
        };
        Some(client.ask(dialect.schedule(&other)).await)
    } else {
        None
    };
    let mut failure = schedule(client, dialect, ask(FAIL, json!({}))).await;
    follow(client, dialect, &mut failure).await;
    let mut counted = schedule(client, dialect, ask(LOOP, json!({"target": 5, "delay_ms": 200}))).await;
    follow(client, dialect, &mut counted).await;
    let (asked, history) = if dialect == Dialect::V1 {
        questioning::ask_all(client, dialect).await
    } else {
        (BTreeMap::new(), Vec::new())
    };
    let refused = refusing::ask_all(client, dialect).await;
    let unnamed = client.ask(dialect.schedule(&ask(SUCCESS, Value::Null))).await;
    let Ran {
        row,
        queues,
        meanwhile,
        rounds,
    } = rowing::run(client, dialect).await;
    let head = match dialect {
        Dialect::V1 => Some(short(client, dialect, "actions/finished").await),
        Dialect::Unstable => None,
    };
    let finished = whole(client, dialect, "actions/finished").await;
    let ended = [&success, &failure, &counted].into_iter().chain(&row);
    Acted {
        unlisted: unlisted(client, dialect, &finished, ended).await,
        offered,
        repeated,
        queues,
        meanwhile,
        rounds,
        reused,
        finished,
        short: head,
        queue: whole(client, dialect, "actions/queue").await,
        unnamed,
        refused,
        asked,
        history,
        success,
        failure,
        counted,
        row,
    }
}

/// The records of actions that had ended and are not in the list: one that is gone was dropped for age.
async fn unlisted<'a>(
    client: &Patient,
    dialect: Dialect,
    list: &Pages,
    actions: impl Iterator<Item = &'a Scheduled>,
) -> BTreeMap<String, Told<Record>> {
    let listed: std::collections::HashSet<_> = list.ids().collect();
    let mut records = BTreeMap::new();
    for action in actions.filter(|action| action.last().is_some_and(is_final) && !listed.contains(&action.id)) {
        records.insert(action.id.clone(), record(client, dialect, &action.id).await);
    }
    records
}

pub(super) fn ask(kind: &str, args: Value) -> Ask<'_> {
    Ask {
        kind,
        args,
        ..Ask::default()
    }
}
