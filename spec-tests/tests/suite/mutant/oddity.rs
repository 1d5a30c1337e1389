//! What an agent may lawfully do, though few do so: whoever judges it by what is usual accuses it.

use std::time::Duration;

use serde_json::{Value, json};

use super::agent::Shared;
use super::answer::{Answer, Problem, Tree};
use super::book::Action;
use super::draft::{STAND_IN, draft};
use super::json::Json;
use super::options::{Faults, Options, Role};

/// One lawful way of being unlike most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Oddity {
    /// The node runs and is in no cluster.
    Outside,
    /// The node goes into its cluster right after it was asked for its state.
    Joins,
    /// The node is in another cluster in the first look, and in none in the second.
    Moves,
    /// The node is not well; it says so, and that it does not know what it is to its shard.
    Unwell,
    /// The store's process cannot be asked for shards.
    Silent,
    /// The node is the shard's primary in the first look alone.
    HandsOver,
    /// The node is the shard's primary from the third look on.
    TakesOver,
    /// The node holds no shard.
    Bare,
    /// The node holds a copy of a shard that no other of the nodes has.
    FurtherCopy,
    /// The shard's offset goes back when the node comes to be a secondary.
    FollowsAnother,
    /// The shard's offset can be read in the first look alone.
    Unreadable,
    /// The first answer about shards is late.
    LateOnce,
    /// Shards are listed in another order each time.
    Shuffled,
    /// What is not set is null: headers, deadlines, what to do in place of a kind that is absent.
    Nulls,
    /// Whole numbers are written with a fraction.
    Fractions,
    /// An attribute has a name that the project itself has given.
    OfficialName,
    /// A client of `unstable` whose clock is ahead, and that writes times its own way, has had an action done.
    ForeignClock,
    /// An unknown action is a 404 without a body (`unstable`).
    BareNotFound,
    /// `Allow` takes a line for each method.
    AllowByLine,
}

/// Actions that are there from the beginning.
pub fn actions(options: &Options) -> Vec<Action> {
    let foreign = options.oddities.contains(&Oddity::ForeignClock);
    let text = Json::read(STAND_IN).unwrap();
    let action = foreign.then(|| Action {
        created: "2999-12-31T23:59:59.5Z".to_owned(),
        ..draft(Tree::Unstable, &text, &Faults::default()).unwrap()
    });
    action.into_iter().collect()
}

/// What oddities make of an answer under this path.
pub async fn bend(mut answer: Answer, shared: &Shared, tree: Tree, path: &str) -> Answer {
    let asked = path.rsplit('/').next().filter(|_| answer.status == 200);
    for oddity in &shared.options.oddities {
        answer = match (oddity, asked.unwrap_or_default()) {
            (Oddity::Outside, "node") => with(&answer, |node| node["node_status"] = json!("NOT_IN_CLUSTER")),
            (Oddity::Outside, "store") => nowhere(tree),
            (Oddity::Joins, "node") if shared.times_asked("joins") == 0 => {
                with(&answer, |node| node["node_status"] = json!("NOT_IN_CLUSTER"))
            }
            (Oddity::Joins, "store") => {
                shared.asked("joins");
                answer
            }
            (Oddity::Moves, "node") if shared.times_asked("moves") == 1 => {
                with(&answer, |node| node["node_status"] = json!("LEAVING_CLUSTER"))
            }
            (Oddity::Moves, "store") if shared.asked("moves") == 0 => {
                with(&answer, |store| store["cluster_id"] = json!("cluster-0"))
            }
            (Oddity::Unwell, "node") => with(&answer, |node| node["node_status"] = json!("UNHEALTHY")),
            (Oddity::Unwell, "shards") => with(&answer, |body| {
                let (key, role) = role(tree, None);
                body["shards"][0][key] = role;
            }),
            (Oddity::Silent, "shards") => Problem::new("store_unavailable", "it does not answer")
                .status(503)
                .answer(tree, &shared.faults),
            (Oddity::HandsOver, "shards") => {
                let hands = shared.asked("hands over") > 0;
                with(&answer, |body| {
                    becomes(body, tree, if hands { Role::Secondary } else { Role::Primary });
                })
            }
            (Oddity::TakesOver, "shards") => {
                let takes = shared.asked("takes over") > 1;
                with(&answer, |body| {
                    becomes(body, tree, if takes { Role::Primary } else { Role::Secondary });
                })
            }
            (Oddity::FollowsAnother, "shards") => {
                let looks = shared.asked("follows");
                with(&answer, |body| {
                    becomes(body, tree, if looks == 0 { Role::Primary } else { Role::Secondary });
                    body["shards"][0]["commit_offset"]["value"] = json!(if looks == 0 { 2000 } else { 1000 + looks });
                })
            }
            (Oddity::Unreadable, "shards") if shared.asked("unreadable") > 0 => with(&answer, |body| {
                let offset = &mut body["shards"][0]["commit_offset"];
                match tree {
                    Tree::V1 => *offset = Value::Null,
                    Tree::Unstable => offset["value"] = json!(-1),
                }
            }),
            (Oddity::LateOnce, "shards") if shared.asked("late") == 0 => {
                tokio::time::sleep(Duration::from_secs(3)).await;
                answer
            }
            (Oddity::Outside | Oddity::Bare, "shards") => with(&answer, |body| body["shards"] = json!([])),
            (Oddity::FurtherCopy, "shards") => with(&answer, |body| second(body, tree, Role::Secondary)),
            (Oddity::Shuffled, "shards") => {
                let turn = shared.asked("shuffled") % 2 == 1;
                with(&answer, |body| {
                    second(body, tree, Role::Primary);
                    if let Some(shards) = body["shards"].as_array_mut().filter(|_| turn) {
                        shards.reverse();
                    }
                })
            }
            (Oddity::Nulls, _) => replaced(
                answer,
                &[
                    (r#""headers":{}"#, r#""headers":null"#),
                    (r#""deadline_s":60,"#, r#""deadline_s":null,"#),
                    (r#""instead":"start the node""#, r#""instead":null"#),
                ],
            ),
            (Oddity::Fractions, "shards") => with(&answer, |body| {
                let offset = &mut body["shards"][0]["commit_offset"]["value"];
                *offset = json!(offset.as_f64());
            }),
            (Oddity::OfficialName, "node") => with(&answer, |node| {
                node["attributes"]["client.agent.replicante.io/port"] = json!(8000);
            }),
            (Oddity::BareNotFound, _) if answer.status == 404 && path.starts_with("/api/unstable/action/") => {
                Answer::text(404, "text/plain", "")
            }
            (Oddity::AllowByLine, _) if answer.status == 405 => Answer {
                headers: vec![("allow", "HEAD".to_owned()), ("allow", "GET".to_owned())],
                ..answer
            },
            _ => answer,
        };
    }
    answer
}

/// What a good answer becomes.
fn with(answer: &Answer, change: impl FnOnce(&mut Value)) -> Answer {
    let mut body = serde_json::from_slice(&answer.body).unwrap();
    change(&mut body);
    Answer::json(answer.status, &body)
}

fn replaced(mut answer: Answer, all: &[(&str, &str)]) -> Answer {
    if let Ok(text) = std::str::from_utf8(&answer.body) {
        let text = all
            .iter()
            .fold(text.to_owned(), |text, (old, new)| text.replace(old, new));
        answer.body = text.into_bytes();
    }
    answer
}

/// `info/store` of a node that is in no cluster.
fn nowhere(tree: Tree) -> Answer {
    match tree {
        Tree::V1 => Answer::json(200, &json!({"cluster_id": null, "attributes": {}})),
        Tree::Unstable => Problem::new("no_cluster_id", "there is none")
            .status(503)
            .answer(tree, &Faults::default()),
    }
}

/// What a node is to a shard, with the key under which it says so.
fn role(tree: Tree, role: Option<Role>) -> (&'static str, Value) {
    match (tree, role) {
        (Tree::V1, Some(Role::Primary)) => ("replication_state", json!("PRIMARY")),
        (Tree::V1, Some(Role::Secondary)) => ("replication_state", json!("SECONDARY")),
        (Tree::V1, None) => ("replication_state", json!("OTHER")),
        (Tree::Unstable, Some(Role::Primary)) => ("role", json!("Primary")),
        (Tree::Unstable, Some(Role::Secondary)) => ("role", json!("Secondary")),
        (Tree::Unstable, None) => ("role", json!({"Other": "it is not well"})),
    }
}

/// The node comes to be this to its shard.
fn becomes(body: &mut Value, tree: Tree, to: Role) {
    let (key, role) = role(tree, Some(to));
    body["shards"][0][key] = role;
    if to == Role::Primary {
        body["shards"][0][if tree == Tree::V1 { "replication_lag" } else { "lag" }] = Value::Null;
    }
}

/// A further shard.
fn second(body: &mut Value, tree: Tree, of: Role) {
    let mut shard = body["shards"][0].clone();
    let (key, role) = role(tree, Some(of));
    shard[key] = role;
    shard[if tree == Tree::V1 { "shard_id" } else { "id" }] = json!("shard-1");
    if let Some(shards) = body["shards"].as_array_mut() {
        shards.push(shard);
    }
}
