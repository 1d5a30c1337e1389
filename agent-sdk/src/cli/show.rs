//! `node` and `shards`: what the agent sees.

use serde_json::{Value, json};

use super::args::Args;
use super::connect::connect;
use super::output::{Console, or_dash, pairs, printable, rows};
use super::{Exit, Failure, Program};
use crate::client::{Amount, NodeInfo, ShardInfo, StoreVersion, wait};

/// `node`. The cluster is the process' to tell: without it, the rest is shown all the same.
pub(super) fn node(args: &Args, program: &dyn Program, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let connection = connect(args, program)?;
    let node = wait(connection.client.node()).map_err(|error| connection.failure(&error))?;
    let store = wait(connection.client.store());
    if args.json {
        let (store, store_error) = match &store {
            Ok(store) => (json!(store), Value::Null),
            Err(error) => (Value::Null, json!(error.to_string())),
        };
        console.document(&json!({ "node": node, "store": store, "store_error": store_error }))?;
        return Ok(Exit::Done);
    }
    let NodeInfo {
        node_id,
        node_status,
        node_status_reason,
        agent_version,
        store_id,
        store_version: StoreVersion {
            number,
            checkout: _,
            extra,
        },
        addresses,
        attributes,
    } = node;
    let mut lines = vec![("Node", node_id), ("Status", node_status.name().to_owned())];
    lines.extend(node_status_reason.map(|reason| ("Reason", reason)));
    lines.push((
        "Store",
        format!(
            "{store_id} {number}{}",
            extra.map(|extra| format!(" ({extra})")).unwrap_or_default()
        ),
    ));
    let cluster = match &store {
        Ok(store) => store.cluster_id.clone().unwrap_or_else(|| "none".to_owned()),
        Err(error) => error
            .problem()
            .map_or_else(|| error.to_string(), |problem| format!("not known: {}", problem.detail)),
    };
    lines.push(("Cluster", cluster));
    lines.push(("Agent", agent_version.number));
    for (name, address) in addresses {
        if let Some(address) = address {
            lines.push(("Address", format!("{name}: {address}")));
        }
    }
    let of_store = store.map(|store| store.attributes).unwrap_or_default();
    for (name, value) in attributes.into_iter().chain(of_store) {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        lines.push(("Attribute", format!("{name}: {value}")));
    }
    console.table(pairs(lines))?;
    Ok(Exit::Done)
}

/// `shards`.
pub(super) fn shards(args: &Args, program: &dyn Program, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let connection = connect(args, program)?;
    let answer = wait(connection.client.shards()).map_err(|error| connection.failure(&error))?;
    if args.json {
        console.document(&answer)?;
        return Ok(Exit::Done);
    }
    if answer.shards.is_empty() {
        console.say("no shards on this node")?;
        return Ok(Exit::Done);
    }
    let mut table = rows(["SHARD", "ROLE", "COMMITTED", "BEHIND", "WHY"]);
    for shard in &answer.shards {
        let ShardInfo {
            shard_id,
            replication_state,
            replication_state_reason,
            commit_offset,
            replication_lag,
        } = shard;
        let amount = |amount: &Option<Amount>| {
            or_dash(
                amount
                    .as_ref()
                    .map(|Amount { value, unit }| format!("{value} {unit}"))
                    .as_deref(),
            )
        };
        table.add_row([
            printable(shard_id),
            replication_state.name().to_owned(),
            amount(commit_offset),
            amount(replication_lag),
            replication_state_reason.as_deref().map(printable).unwrap_or_default(),
        ]);
    }
    console.table(table)?;
    Ok(Exit::Done)
}
