//! The attributes of a node and of its cluster.

use super::{TRUTH, checked, partly};
use crate::manifest::Entry;

const CLUSTER_ID: &str = "Attributes › Cluster ID";
const NODE_ID: &str = "Attributes › Node ID";
const AGENT_VERSION: &str = "Attributes › Agent Version";
const DATA_STORE_NODE_VERSION: &str = "Attributes › Data Store Node Version";
const NODES_SHARD_LIST: &str = "Attributes › Node's Shard List";
const NODE_STATUS: &str = "Attributes › Node Status";

pub(super) const ENTRIES: &[Entry] = &[
    checked(
        CLUSTER_ID,
        "096172128125d789",
        "there is an id of the cluster",
        &["store.cluster_id"],
    ),
    checked(
        CLUSTER_ID,
        "8e40e53a41b8c23a",
        "every node of a cluster tells one and the same cluster id",
        &["cluster.id", "store.cluster_id"],
    ),
    checked(NODE_ID, "692e6be1a71a5e8d", "there is an id of the node", &["node.id"]),
    checked(
        NODE_ID,
        "bfb4468b0f3afde1",
        "a node's id is its own among those of its cluster",
        &["node.id", "cluster.node_ids"],
    ),
    checked(
        NODE_ID,
        "18adc297dcb89441",
        "two nodes of a cluster never share an id; nodes of different clusters may",
        &["cluster.node_ids"],
    ),
    checked(
        AGENT_VERSION,
        "5aa63868e87e479c",
        "there is a version of the agent",
        &["node.agent_version"],
    ),
    checked(
        AGENT_VERSION,
        "7cfd9fdad610084b",
        "the agent's own version is told as SemVer has it",
        &["node.agent_version"],
    ),
    checked(
        DATA_STORE_NODE_VERSION,
        "2a024a5daf632f9d",
        "there is a version of the store on the node",
        &["node.store_version"],
    ),
    checked(
        DATA_STORE_NODE_VERSION,
        "27fd91ff77b4e9aa",
        "the version of the store's process is told as SemVer has it",
        &["node.store_version"],
    ),
    checked(
        NODES_SHARD_LIST,
        "e862230aedbc2eed",
        "there is a list of what the node holds",
        &["shards.list"],
    ),
    partly(
        NODES_SHARD_LIST,
        "1a1ceca459142eb6",
        "every shard that the node holds now is in the list",
        &["shards.list"],
        "whether the list leaves one out, only the store knows: the suite speaks with agents alone",
    ),
    checked(
        NODE_STATUS,
        "d8027507ee8c7ca7",
        "there is a status of the node",
        &["node.status"],
    ),
    checked(
        NODE_STATUS,
        "2e7f9bc47fb923e4",
        "every node has a status",
        &["node.status"],
    ),
    partly(
        NODE_STATUS,
        "d8bf107f8565be19",
        "one status means that the agent cannot reach its node",
        &["node.status"],
        TRUTH,
    ),
    partly(
        NODE_STATUS,
        "adf66dbc22da81d7",
        "one status means that the node runs and has no cluster",
        &["node.status", "node.not_in_cluster"],
        TRUTH,
    ),
    partly(
        NODE_STATUS,
        "49e4eea823f6ef19",
        "one status means that the node is about to enter a cluster",
        &["node.status"],
        TRUTH,
    ),
    partly(
        NODE_STATUS,
        "b0c7abe459ad2424",
        "one status means that the node is about to go out of its cluster",
        &["node.status"],
        TRUTH,
    ),
    partly(
        NODE_STATUS,
        "eed8400e63573095",
        "one status means that the agent has made sure that something is wrong with the node",
        &["node.status"],
        TRUTH,
    ),
    partly(
        NODE_STATUS,
        "3b20816e44ea1616",
        "one status means that the agent reaches its node and has seen nothing wrong",
        &["node.status"],
        TRUTH,
    ),
    partly(
        NODE_STATUS,
        "d33211cd1f64fe63",
        "one status means that the agent could not find out, and goes with the reason",
        &["node.status", "node.status.reason"],
        "whether the agent could have found out is not seen by its client",
    ),
];
