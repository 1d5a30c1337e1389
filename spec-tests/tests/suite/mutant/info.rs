//! What is told of an invented node that is well, and its only shard.

use serde_json::{Value, json};

use super::agent::Shared;
use super::answer::{Answer, Problem, Tree};
use super::bend;
use super::book::State;
use super::fault::Fault;
use super::kinds;
use super::options::Role;

/// `GET info/node`.
pub async fn node(shared: &Shared, tree: Tree) -> Result<Answer, Problem> {
    let faults = &shared.faults;
    let running = || shared.look(|book| book.actions.iter().any(|action| action.state == State::Running));
    let now_and_then = faults.has(Fault::NodeFailsNowAndThen) && shared.asked("node") % 3 == 2;
    if now_and_then || (faults.has(Fault::NodeFailsWhileBusy) && running()) {
        return Err(Problem::new("internal", "the node is locked"));
    }
    if faults.has(Fault::NodeSlow) {
        tokio::time::sleep(std::time::Duration::from_secs(6)).await;
    }
    let name = &shared.options.node_id;
    let addresses = json!({"client": format!("{name}:7000"), "member": format!("{name}:7001")});
    let attributes = json!({"example.org/rack": "a", "replicante.io/zone": "z1"});
    let mut body = match tree {
        Tree::V1 => json!({
            "node_id": name,
            "node_status": "HEALTHY",
            "node_status_reason": null,
            "agent_version": {"number": "1.2.3", "checkout": "11a24d9", "taint": "not tainted"},
            "store_id": "invented",
            "store_version": {"number": "3.9.0", "checkout": null, "extra": null},
            "addresses": addresses,
            "attributes": attributes,
        }),
        Tree::Unstable => json!({
            "node_id": name,
            "store_id": "invented",
            "node_status": "HEALTHY",
            "agent_version": {"number": "1.2.3", "checkout": "11a24d9", "taint": "not tainted"},
            "store_version": {"number": "3.9.0", "checkout": null, "extra": null},
            "address": addresses,
            "attributes": attributes,
        }),
    };
    bend::node(&mut body, shared, tree);
    Ok(Answer::json(200, &body))
}

/// `GET info/store`.
pub fn store(shared: &Shared) -> Result<Answer, Problem> {
    if shared.faults.has(Fault::StoreFails) {
        return Err(Problem::new("internal", "no idea"));
    }
    let mut body = json!({
        "cluster_id": shared.options.cluster_id,
        "attributes": {"example.org/full": 0.5, "example.org/on": true, "example.org/none": null},
    });
    bend::store(&mut body, shared);
    Ok(Answer::json(200, &body))
}

/// `GET info/shards`.
pub fn shards(shared: &Shared, tree: Tree) -> Result<Answer, Problem> {
    if shared.faults.has(Fault::ShardsFail) {
        return Err(Problem::new("internal", "no idea"));
    }
    let moved = shared.faults.has(Fault::PrimaryMoves) && shared.asked("primary") % 4 >= 2;
    let primary = shared.options.role == Role::Primary && !shared.faults.has(Fault::NoPrimary) && !moved;
    // A little more with time; peers began at other moments, and that is how far they are behind.
    let offset = 1000 + u64::try_from(shared.began.elapsed().as_millis() / 100).unwrap_or(0);
    let amount = |value: u64| match tree {
        Tree::V1 => json!({"value": value, "unit": "entries"}),
        Tree::Unstable => json!({"value": value, "unit": {"unit": "entries"}}),
    };
    let tells = !primary || shared.faults.has(Fault::LagOnPrimary);
    let lag = if tells { amount(1) } else { Value::Null };
    let mut shard = match tree {
        Tree::V1 => json!({
            "shard_id": "shard-0",
            "replication_state": if primary { "PRIMARY" } else { "SECONDARY" },
            "replication_state_reason": null,
            "commit_offset": amount(offset),
            "replication_lag": lag,
        }),
        Tree::Unstable => json!({
            "id": "shard-0",
            "role": if primary { "Primary" } else { "Secondary" },
            "commit_offset": amount(offset),
            "lag": lag,
        }),
    };
    bend::shard(&mut shard, shared, tree);
    let mut body = json!({"shards": [shard]});
    bend::shards(&mut body, shared);
    let removed = || shared.look(|book| book.actions.iter().any(|action| action.kind == kinds::REMOVE));
    if shared.faults.has(Fault::RemoveEmptiesNode) && removed() {
        body["shards"] = json!([]);
    }
    Ok(Answer::json(200, &body))
}
