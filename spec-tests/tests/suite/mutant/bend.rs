//! What faults make of right answers about node, store and shards.

use serde_json::{Value, json};

use super::agent::Shared;
use super::answer::Tree;
use super::fault::Fault;
use super::options::Role;

fn remove(body: &mut Value, key: &str) {
    if let Some(map) = body.as_object_mut() {
        map.remove(key);
    }
}

pub(super) fn node(body: &mut Value, shared: &Shared, tree: Tree) {
    let addresses = if tree == Tree::V1 { "addresses" } else { "address" };
    for fault in &shared.faults.0 {
        match fault {
            Fault::NodeIdMissing => remove(body, "node_id"),
            Fault::NodeIdEmpty => body["node_id"] = json!(""),
            Fault::NodeIdChanges => body["node_id"] = json!(format!("node-{}", shared.asked("id"))),
            Fault::NodeIdSharedByAll => body["node_id"] = json!("node-0"),
            Fault::NodeStatusLowerCase => body["node_status"] = json!("healthy"),
            Fault::NodeStatusCamelCase => body["node_status"] = json!("Healthy"),
            Fault::NodeStatusUnknownWord => body["node_status"] = json!("GREAT"),
            Fault::NodeStatusUnknownWithoutReason => body["node_status"] = json!("UNKNOWN"),
            Fault::NodeStatusMissing => remove(body, "node_status"),
            Fault::NodeOutsideWithShards => body["node_status"] = json!("NOT_IN_CLUSTER"),
            Fault::DialectsDiffer if tree == Tree::Unstable => body["store_version"]["number"] = json!("3.8.0"),
            Fault::AgentVersionNotSemver => body["agent_version"]["number"] = json!("1.0"),
            Fault::AgentVersionMissing => remove(body, "agent_version"),
            Fault::StoreVersionNotSemver => body["store_version"]["number"] = json!("v3.9"),
            Fault::StoreVersionMissing => remove(body, "store_version"),
            Fault::StoreIdMissing => remove(body, "store_id"),
            Fault::NodeAddressesMissing => remove(body, addresses),
            Fault::NodeAddressNumber => body[addresses]["admin"] = json!(7002),
            Fault::NodeAttributesMissing => remove(body, "attributes"),
            Fault::NodeAttributeList => body["attributes"]["example.org/disks"] = json!(["a", "b"]),
            Fault::NodeAttributeObject => body["attributes"]["example.org/disk"] = json!({"a": 1}),
            Fault::NodeAttributeUnscoped => body["attributes"]["rack"] = json!("a"),
            Fault::NodeAttributeReserved => body["attributes"]["replicante.io/other"] = json!(1),
            Fault::NodeAttributeReservedBelow => body["attributes"]["more.replicante.io/other"] = json!(1),
            _ => {}
        }
    }
}

pub(super) fn store(body: &mut Value, shared: &Shared) {
    for fault in &shared.faults.0 {
        match fault {
            Fault::ClusterIdMissing => remove(body, "cluster_id"),
            Fault::ClusterIdEmpty => body["cluster_id"] = json!(""),
            Fault::ClusterIdChanges => body["cluster_id"] = json!(format!("cluster-{}", shared.asked("cluster"))),
            Fault::ClusterIdDiffers => body["cluster_id"] = json!(format!("of-{}", shared.options.node_id)),
            Fault::ClusterIdNullWhileHealthy => body["cluster_id"] = Value::Null,
            Fault::StoreAttributesMissing => remove(body, "attributes"),
            Fault::StoreAttributeList => body["attributes"]["example.org/disks"] = json!(["a", "b"]),
            Fault::StoreAttributeUnscoped => body["attributes"]["full"] = json!(0.5),
            Fault::StoreAttributeReserved => body["attributes"]["replicante.io/other"] = json!(1),
            _ => {}
        }
    }
}

/// Where the parts of a shard stand in either tree.
struct Names {
    id: &'static str,
    role: &'static str,
    lag: &'static str,
}

const V1: Names = Names {
    id: "shard_id",
    role: "replication_state",
    lag: "replication_lag",
};
const UNSTABLE: Names = Names {
    id: "id",
    role: "role",
    lag: "lag",
};

pub(super) fn shard(shard: &mut Value, shared: &Shared, tree: Tree) {
    let (names, v1) = if tree == Tree::V1 {
        (V1, true)
    } else {
        (UNSTABLE, false)
    };
    let unit = |name: &str| match name {
        "seconds" | "milliseconds" => json!(name),
        name if v1 => json!(name),
        name => json!({"unit": name}),
    };
    let other_form = |name: &str| if v1 { json!({"unit": name}) } else { json!(name) };
    let lagging = !shard[names.lag].is_null();
    let role = shard[names.role].as_str().unwrap_or_default().to_owned();
    for fault in &shared.faults.0 {
        match fault {
            Fault::ShardIdMissing => remove(shard, names.id),
            Fault::ShardIdEmpty => shard[names.id] = json!(""),
            Fault::ShardIdFromNode => shard[names.id] = json!(format!("{}-0", shared.options.node_id)),
            Fault::RoleUnknownWord => shard[names.role] = json!(if v1 { "LEADER" } else { "leader" }),
            Fault::RoleWrongCase if v1 => shard[names.role] = json!(role.to_lowercase()),
            Fault::RoleWrongCase => shard[names.role] = json!(role.to_uppercase()),
            Fault::RoleMissing => remove(shard, names.role),
            Fault::OffsetMissing => remove(shard, "commit_offset"),
            Fault::OffsetString => shard["commit_offset"]["value"] = json!("1000"),
            Fault::OffsetFloat => shard["commit_offset"]["value"] = json!(1000.5),
            Fault::OffsetBeyond64Bits => shard["commit_offset"]["value"] = json!(u64::MAX),
            Fault::OffsetWithoutUnit => remove(&mut shard["commit_offset"], "unit"),
            Fault::OffsetUnitUnlikePeers => shard["commit_offset"]["unit"] = unit("milliseconds"),
            Fault::OffsetUnitChanges if shared.asked("unit") % 2 == 1 => shard["commit_offset"]["unit"] = unit("bytes"),
            Fault::MillisecondsCalledSeconds => {
                let odd = shared.asked("unit") % 2 == 1;
                shard["commit_offset"]["unit"] = unit(if odd { "seconds" } else { "milliseconds" });
            }
            Fault::OffsetGoesBack => shard["commit_offset"]["value"] = json!(1000 - i64::from(shared.asked("offset"))),
            Fault::OffsetUnitOtherForm => shard["commit_offset"]["unit"] = other_form("entries"),
            Fault::LagUnitOtherForm if lagging => shard[names.lag]["unit"] = other_form("entries"),
            Fault::OnlyOther => {
                shard[names.role] = if v1 {
                    json!("OTHER")
                } else {
                    json!({"Other": "no idea"})
                }
            }
            Fault::LagMissing => remove(shard, names.lag),
            Fault::LagWithoutUnit if lagging => remove(&mut shard[names.lag], "unit"),
            Fault::LagString if lagging => shard[names.lag]["value"] = json!("1"),
            Fault::LagFloat if lagging => shard[names.lag]["value"] = json!(0.5),
            Fault::LagBeyond64Bits if lagging => shard[names.lag]["value"] = json!(u64::MAX),
            Fault::LagUnitChanges if lagging && shared.asked("lag") % 2 == 1 => {
                shard[names.lag]["unit"] = unit("bytes");
            }
            _ => {}
        }
    }
}

pub(super) fn shards(body: &mut Value, shared: &Shared) {
    for fault in &shared.faults.0 {
        match fault {
            Fault::ShardsMissing => remove(body, "shards"),
            Fault::NoShards => body["shards"] = json!([]),
            Fault::OnlyOther if shared.options.role == Role::Secondary => body["shards"] = json!([]),
            Fault::ShardsBareList => *body = body["shards"].take(),
            Fault::ShardIdTwice => {
                let shard = body["shards"][0].clone();
                if let Some(list) = body["shards"].as_array_mut() {
                    list.push(shard);
                }
            }
            _ => {}
        }
    }
}
