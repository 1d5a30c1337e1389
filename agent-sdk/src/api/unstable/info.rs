//! The node, its cluster and its shards.

use actix_web::http::Method;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::api::access::Role;
use crate::api::answer::Answer;
use crate::api::call::Ask;
use crate::api::problem::{Code, Problem};
use crate::api::route::{Gives, Reply, Route, schema};
use crate::api::views::{AddressMap, AttributeMap};
use crate::datastore::{NodeInfo, ShardsInfo, StoreInfo};
use crate::spec::{AgentVersion, Lag, NodeState, NodeStatus, ReplicationState, Shard, StoreVersion, Unit};

/// What stands for a revision that is not known: the client takes text only.
const UNKNOWN: &str = "unknown";

pub(super) fn routes() -> Vec<Route> {
    let row = |path, about, problems, handler| Route {
        method: Method::GET,
        path,
        about,
        needs: Role::Read,
        takes: None,
        query: &[],
        gives: Gives::Json(200, schema::<serde_json::Value>),
        problems,
        handler,
    };
    vec![
        row("/api/unstable/info/node", "Who the node is and how it is.", &[], node),
        row(
            "/api/unstable/info/store",
            "The node's cluster.",
            &[Code::StoreUnavailable, Code::NoClusterId],
            store,
        ),
        row(
            "/api/unstable/info/shards",
            "The shards on the node.",
            &[Code::StoreUnavailable],
            shards,
        ),
    ]
}

fn node(call: Ask<'_>) -> Reply<'_> {
    Box::pin(async move {
        let info = call.service.node().await;
        Answer::json(&NodeView::new(&info, call.service.version()))
    })
}

fn store(call: Ask<'_>) -> Reply<'_> {
    Box::pin(async move {
        let info = call.service.store().await?;
        let StoreInfo {
            cluster_id,
            configured_cluster_id,
            attributes,
        } = &*info;
        let cluster_id = cluster_id
            .as_deref()
            .or(configured_cluster_id.as_deref())
            .ok_or_else(|| {
                Problem::new(
                    Code::NoClusterId,
                    "the node is in no cluster, and node.cluster_id is not configured",
                )
            })?;
        Answer::json(&Store {
            cluster_id,
            attributes: AttributeMap(attributes),
        })
    })
}

fn shards(call: Ask<'_>) -> Reply<'_> {
    Box::pin(async move {
        let info = call.service.shards().await?;
        let ShardsInfo { shards } = &*info;
        Answer::json(&Shards {
            shards: shards
                .iter()
                .map(|(shard, seen)| ShardView::new(shard, *seen))
                .collect(),
        })
    })
}

#[derive(Serialize)]
struct NodeView<'a> {
    node_id: &'a str,
    store_id: &'a str,
    node_status: Status<'a>,
    agent_version: AgentVersionView<'a>,
    store_version: StoreVersionView<'a>,
    address: AddressMap<'a>,
    attributes: AttributeMap<'a>,
}

/// A state's name, but `{"UNKNOWN": "reason"}` for the one that always has a reason.
struct Status<'a>(&'a NodeStatus);

impl Serialize for Status<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.state() {
            NodeState::Unknown => one_entry(serializer, "UNKNOWN", self.0.reason().unwrap_or_default()),
            state => serializer.serialize_str(state.name()),
        }
    }
}

#[derive(Serialize)]
struct AgentVersionView<'a> {
    number: String,
    checkout: &'a str,
    taint: &'a str,
}

#[derive(Serialize)]
struct StoreVersionView<'a> {
    number: String,
    checkout: Option<&'a str>,
    extra: Option<&'a str>,
}

#[derive(Serialize)]
struct Store<'a> {
    cluster_id: &'a str,
    attributes: AttributeMap<'a>,
}

#[derive(Serialize)]
struct Shards<'a> {
    shards: Vec<ShardView<'a>>,
}

#[derive(Serialize)]
struct ShardView<'a> {
    id: &'a str,
    role: RoleView<'a>,
    commit_offset: Measure<'a>,
    lag: Option<Measure<'a>>,
}

#[derive(Serialize)]
struct Measure<'a> {
    unit: UnitView<'a>,
    value: i64,
}

/// `"Primary"`, or `{"Other": "reason"}`.
struct RoleView<'a>(&'a ReplicationState);

impl Serialize for RoleView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            ReplicationState::Primary => serializer.serialize_str("Primary"),
            ReplicationState::Secondary => serializer.serialize_str("Secondary"),
            ReplicationState::Recovering => serializer.serialize_str("Recovering"),
            ReplicationState::Other(reason) => one_entry(serializer, "Other", reason),
        }
    }
}

/// `"seconds"`, `"milliseconds"`, or `{"unit": "name"}`.
struct UnitView<'a>(&'a Unit);

impl Serialize for UnitView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Unit::Seconds | Unit::Milliseconds => serializer.serialize_str(self.0.name()),
            Unit::Named(name) => one_entry(serializer, "unit", name),
        }
    }
}

fn one_entry<S: Serializer>(serializer: S, key: &str, value: &str) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(key, value)?;
    map.end()
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
        let StoreVersion {
            number,
            checkout,
            extra,
        } = version;
        Self {
            node_id,
            store_id,
            node_status: Status(status),
            agent_version: AgentVersionView {
                number: agent.number.to_string(),
                checkout: agent.checkout.as_deref().unwrap_or(UNKNOWN),
                taint: agent.taint.as_deref().unwrap_or(UNKNOWN),
            },
            store_version: StoreVersionView {
                number: number.to_string(),
                checkout: checkout.as_deref(),
                extra: extra.as_deref(),
            },
            address: AddressMap(addresses),
            attributes: AttributeMap(attributes),
        }
    }
}

impl<'a> ShardView<'a> {
    /// `seen` is the last offset that this agent saw; the client cannot do without one.
    fn new(shard: &'a Shard, seen: Option<i64>) -> Self {
        let Shard {
            id,
            role,
            commit_offset,
            offset_unit,
            lag,
        } = shard;
        let value = commit_offset.or(seen).unwrap_or(-1);
        let behind = |lag: &'a Lag| Measure {
            unit: UnitView(&lag.unit),
            value: lag.value,
        };
        Self {
            id,
            role: RoleView(role),
            commit_offset: Measure {
                unit: UnitView(offset_unit),
                value,
            },
            lag: lag.as_ref().map(behind),
        }
    }
}
