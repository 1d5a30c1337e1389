//! The node, its cluster and its shards.

use actix_web::http::Method;
use schemars::JsonSchema;
use serde::Serialize;

use super::shapes;
use crate::api::access::Role;
use crate::api::answer::Answer;
use crate::api::call::Ask;
use crate::api::problem::Code;
use crate::api::route::{Gives, Reply, Route, schema};
use crate::api::views::{AddressMap, AttributeMap};
use crate::datastore::{NodeInfo, ShardsInfo, StoreInfo};
use crate::spec::{AgentVersion, NodeState, Role as ReplicationRole, Shard};

pub(super) fn routes() -> Vec<Route> {
    let row = |path, about, gives, problems, handler| Route {
        method: Method::GET,
        path,
        about,
        needs: Role::Read,
        takes: None,
        query: &[],
        gives: Gives::Json(200, gives),
        problems,
        handler,
    };
    vec![
        row(
            "/api/v1/info/node",
            "Who the node is and how it is.",
            schema::<NodeView<'_>>,
            &[],
            node,
        ),
        row(
            "/api/v1/info/store",
            "The node's cluster, and what only the store's process knows.",
            schema::<Store<'_>>,
            &[Code::StoreUnavailable],
            store,
        ),
        row(
            "/api/v1/info/shards",
            "The shards on the node and how far each one is.",
            schema::<Shards<'_>>,
            &[Code::StoreUnavailable],
            shards,
        ),
    ]
}

fn node(call: Ask<'_>) -> Reply<'_> {
    Box::pin(async move {
        let info = call.service.node().await;
        let write = |info: &_| Answer::json(&NodeView::new(info, call.service.version()));
        call.service.node_shown.answer(&info, write)
    })
}

fn store(call: Ask<'_>) -> Reply<'_> {
    Box::pin(async move {
        let info = call.service.store().await?;
        let StoreInfo {
            cluster_id,
            configured_cluster_id: _,
            attributes,
        } = &*info;
        Answer::json(&Store {
            cluster_id: cluster_id.as_deref(),
            attributes: AttributeMap(attributes),
        })
    })
}

fn shards(call: Ask<'_>) -> Reply<'_> {
    Box::pin(async move {
        let info = call.service.shards().await?;
        call.service.shards_shown.answer(&info, |ShardsInfo { shards }| {
            Answer::json(&Shards {
                shards: shards.iter().map(|(shard, _)| ShardView::new(shard)).collect(),
            })
        })
    })
}

/// Who the node is and how it is.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Node")]
struct NodeView<'a> {
    /// Unique within the node's cluster.
    node_id: &'a str,
    node_status: NodeState,
    /// Why the status is what it is; never null for `UNKNOWN`.
    node_status_reason: Option<&'a str>,
    agent_version: AgentVersionView<'a>,
    /// What kind of store it is.
    store_id: &'a str,
    store_version: StoreVersionView<'a>,
    /// Where the node is reached.
    #[schemars(schema_with = "shapes::addresses")]
    addresses: AddressMap<'a>,
    /// What is known without the store's process.
    #[schemars(schema_with = "shapes::attributes")]
    attributes: AttributeMap<'a>,
}

/// Version of the agent.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AgentVersion")]
struct AgentVersionView<'a> {
    /// `SemVer`.
    number: String,
    /// Revision that it was built from.
    checkout: Option<&'a str>,
    /// Whether that revision had changes of its own.
    taint: Option<&'a str>,
}

/// Version of the store.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "StoreVersion")]
struct StoreVersionView<'a> {
    /// `SemVer`; parts that the store does not have are zero.
    number: String,
    /// Revision of the store.
    checkout: Option<&'a str>,
    /// The store's own words.
    extra: Option<&'a str>,
}

/// The node's cluster.
#[derive(Serialize, JsonSchema)]
struct Store<'a> {
    /// Null while the running process is in no cluster.
    cluster_id: Option<&'a str>,
    /// What only the store's process knows.
    #[schemars(schema_with = "shapes::attributes")]
    attributes: AttributeMap<'a>,
}

/// The node's shards; none while it is in no cluster.
#[derive(Serialize, JsonSchema)]
struct Shards<'a> {
    shards: Vec<ShardView<'a>>,
}

/// A shard on this node.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Shard")]
struct ShardView<'a> {
    /// The same on every node of the cluster.
    shard_id: &'a str,
    replication_state: ReplicationRole,
    /// Why, for `OTHER`.
    replication_state_reason: Option<&'a str>,
    /// The last persisted write; null where it cannot be read just now.
    commit_offset: Option<Measure<'a>>,
    /// How far this copy is behind its primary; null for a primary, and where the node cannot tell.
    replication_lag: Option<Measure<'a>>,
}

/// A number and what it counts.
#[derive(Serialize, JsonSchema)]
struct Measure<'a> {
    value: i64,
    unit: &'a str,
}

impl<'a> NodeView<'a> {
    fn new(info: &'a NodeInfo, agent: &'a AgentVersion) -> Self {
        let NodeInfo {
            node_id,
            status,
            store_id,
            version,
            addresses,
            attributes,
        } = info;
        let AgentVersion {
            number,
            checkout,
            taint,
        } = agent;
        Self {
            node_id,
            node_status: status.state(),
            node_status_reason: status.reason(),
            agent_version: AgentVersionView {
                number: number.to_string(),
                checkout: checkout.as_deref(),
                taint: taint.as_deref(),
            },
            store_id,
            store_version: StoreVersionView {
                number: version.number.to_string(),
                checkout: version.checkout.as_deref(),
                extra: version.extra.as_deref(),
            },
            addresses: AddressMap(addresses),
            attributes: AttributeMap(attributes),
        }
    }
}

impl<'a> ShardView<'a> {
    fn new(shard: &'a Shard) -> Self {
        let Shard {
            id,
            role,
            commit_offset,
            offset_unit,
            lag,
        } = shard;
        Self {
            shard_id: id,
            replication_state: role.role(),
            replication_state_reason: role.reason(),
            commit_offset: commit_offset.map(|value| Measure {
                value,
                unit: offset_unit.name(),
            }),
            replication_lag: lag.as_ref().map(|lag| Measure {
                value: lag.value,
                unit: lag.unit.name(),
            }),
        }
    }
}
