//! Kafka's part: three real nodes, blank at first, each a broker and a controller, and the agent for Kafka.
//!
//! What it has more than others: partitions, each with a leader and followers of its own, and so steps about them
//! ([`partitions`]); nodes that come back ([`comeback`]), and ones that leave without loss ([`departure`]). What it has not:
//! a node added from a member's side, which the agent does too.

mod comeback;
mod departure;
mod growth;
mod partitions;
mod programs;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use agent_sdk::client::Record;
use agent_sdk::spec::NodeState;
use futures_util::future::{BoxFuture, FutureExt};
use serde::Deserialize;
use serde_json::json;

use super::Failure;
use super::play::{NODES, Play};
use super::programs::{build, find};
use super::screen::Screen;
use super::stage::Stage;
use super::story::Story;
use crate::kafka::{Cluster, Node};

/// The topic. It has a replica on two of the three nodes for each partition: one that is drained has somewhere to go.
const TOPIC: &str = "orders";
/// The partition whose leader dies, and that the story follows.
const FOLLOWED: &str = "orders/0";

/// Two copies of everything; nodes that are missed sooner than after Kafka's 9 s; leaders that stay where they are until
/// somebody asks, where Kafka itself would look after them every five minutes.
const SETTINGS: &str = "default.replication.factor=2
offsets.topic.replication.factor=2
transaction.state.log.replication.factor=2
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
controller.quorum.fetch.timeout.ms=1500
auto.leader.rebalance.enable=false";

/// Three nodes.
pub(super) struct Kafka {
    stage: Rc<Stage>,
    cluster: Cluster,
    agent: PathBuf,
    /// Where its tools write what they say.
    tools: PathBuf,
}

/// What the agent's actions give, as far as it is told here.
#[derive(Deserialize)]
#[serde(untagged)]
enum Given {
    Joined {
        changed: bool,
        voter: bool,
        broker: bool,
    },
    Removed {
        changed: bool,
        voters: Vec<i32>,
        replicas_left: usize,
    },
    Elected {
        changed: bool,
        preferred: usize,
        unelectable: usize,
    },
    Drained {
        changed: bool,
        replicas: usize,
    },
}

impl Kafka {
    /// Builds the agent and gets the nodes; nothing is formatted or started yet.
    pub(super) async fn prepare(screen: &Screen, stage: Rc<Stage>) -> Result<Self, Failure> {
        screen.step("Build", "the agent for Kafka; Kafka itself comes by Maven, once");
        let made = build(screen, &["--package", "agent-kafka", "--bin", "agent-kafka"]).await?;
        let agent = find(&made, "agent-kafka")?;
        screen.seen("agent-kafka is built");
        let nodes = u32::try_from(NODES).unwrap_or(u32::MAX);
        // It may fetch for a while, and that blocks.
        let prepare = move || {
            Cluster::builder(nodes)
                .unformatted(1..=nodes)
                .config(SETTINGS)
                .prepare()
        };
        let prepared = tokio::task::spawn_blocking(prepare).await;
        let cluster = prepared.map_err(|error| Failure::setup("the nodes cannot be prepared", error))??;
        screen.seen(&format!("Kafka {} is there", cluster.release().version()));
        let tools = stage.place("tools")?;
        Ok(Self {
            stage,
            cluster,
            agent,
            tools,
        })
    }

    fn node(&self, place: usize) -> &Node {
        &self.cluster.nodes()[place]
    }
}

impl Play for Kafka {
    const WRITES: &'static str = "records";
    const ENOUGH: u32 = 30;
    const LAGS: bool = true;
    const START: &'static str = "three nodes whose disks are blank, so none of them runs; an agent beside each";
    const INIT: &'static str = "the first one formats its disk, starts, and is a cluster of one";
    const BEFORE: NodeState = NodeState::NotInCluster;

    fn name(&self, place: usize) -> String {
        self.node(place).name().to_owned()
    }

    fn about(&self, place: usize) -> String {
        format!("Kafka, to be on {}", self.node(place).broker_address())
    }

    fn start(&self, place: usize) -> Result<(), Failure> {
        let node = self.node(place);
        // Its agent does that first.
        if !node.is_formatted() {
            return Ok(());
        }
        Ok(node.start()?)
    }

    fn kill(&self, place: usize) -> Result<(), Failure> {
        Ok(self.node(place).kill()?)
    }

    fn log(&self, place: usize) -> PathBuf {
        self.node(place).log_path()
    }

    fn agent(&self) -> &Path {
        &self.agent
    }

    fn configuration(&self, place: usize) -> String {
        let node = self.node(place);
        let at = |address: SocketAddr| json!({ "address": address.to_string() });
        let words = |command: &[OsString]| -> Vec<String> {
            let words = command.iter().map(|word| word.to_string_lossy().into_owned());
            words.collect()
        };
        let store = json!({
            "broker": at(node.broker_address()),
            "controller": at(node.controller_address()),
            "log_directories": [node.data_directory().to_string_lossy()],
            "format_command": words(&node.format_command()),
            "start_command": words(&node.start_command()),
            "lag": { "source": "leaders" },
        });
        // JSON is YAML.
        format!("store: {store}\n")
    }

    fn write(&self, primary: usize, count: u32) -> BoxFuture<'static, Result<(), String>> {
        match self.begin_writing(primary, count) {
            Ok(writing) => writing.ended().boxed(),
            Err(failure) => futures_util::future::ready(Err(failure.to_string())).boxed(),
        }
    }

    fn changed(&self, record: &Record) -> Option<(bool, String)> {
        let is = |yes: bool| if yes { "a" } else { "no" };
        Some(match record.output_as()? {
            Given::Joined { changed, voter, broker } => {
                (changed, format!("{} voter and {} broker", is(voter), is(broker)))
            }
            Given::Removed {
                changed,
                voters,
                replicas_left,
            } => (
                changed,
                format!("voters {voters:?}, {replicas_left} replicas lost with it"),
            ),
            Given::Elected {
                changed,
                preferred,
                unelectable,
            } => (
                changed,
                format!("{preferred} led by their first replica, {unelectable} not"),
            ),
            Given::Drained { changed, replicas } => (changed, format!("{replicas} replicas moved")),
        })
    }
}

impl Story<'_, Kafka> {
    /// From three blank disks to a node that leaves without loss.
    pub(super) async fn tell_of_partitions(&self) -> Result<(), Failure> {
        self.start().await?;
        self.init().await?;
        self.join_both().await?;
        self.write_orders().await?;
        self.lose_primary().await?;
        self.come_back().await?;
        self.lose_agent().await?;
        self.give_back().await?;
        self.drain(LEAVES).await?;
        self.stop(LEAVES).await?;
        self.remove("the node that was drained is removed from the first one's side, and then once more")
            .await
    }
}

/// Who leaves in the end, by place: not the first one, whose partition is followed.
const LEAVES: usize = 2;
