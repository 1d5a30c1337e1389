//! ZooKeeper's part: three real servers, of which the first is an ensemble of one, and the agent for ZooKeeper.
//!
//! What it has not: it is begun as an ensemble of one, so `cluster.init` verifies that it is; and no server knows how far
//! a copy is behind, so no lag is shown.

use std::path::{Path, PathBuf};
use std::time::Duration;

use agent_sdk::client::Record;
use agent_sdk::spec::NodeState;
use futures_util::future::{BoxFuture, FutureExt};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::{sleep, timeout};
use zookeeper_client::{Acls, Client, CreateMode};

use super::Failure;
use super::play::{NODES, Play};
use super::programs::{build, find};
use super::screen::Screen;
use crate::zookeeper::{Cluster, Layout, Server};

/// Between two writes: a server takes thousands a second, too many to watch.
const PACE: Duration = Duration::from_millis(8);
/// For all writes of one step.
const WRITING: Duration = Duration::from_secs(15);
/// What the ensemble is called: ZooKeeper has no name of its own for it.
const ENSEMBLE: &str = "demo";

/// Three servers.
pub(super) struct ZooKeeper {
    cluster: Cluster,
    agent: PathBuf,
}

/// What the agent's actions on membership give. `cluster.init` only verifies, and has nothing to change.
#[derive(Deserialize)]
struct Outcome {
    changed: Option<bool>,
    config_version: String,
}

impl ZooKeeper {
    /// Builds the agent and gets the servers; nothing is started yet.
    pub(super) async fn prepare(screen: &Screen) -> Result<Self, Failure> {
        screen.step("Build", "the agent for ZooKeeper; the servers come by Maven, once");
        let made = build(screen, &["--package", "agent-zookeeper", "--bin", "agent-zookeeper"]).await?;
        let agent = find(&made, "agent-zookeeper")?;
        screen.seen("agent-zookeeper is built");
        let nodes = u32::try_from(NODES).unwrap_or(u32::MAX);
        // It may fetch for a while, and that blocks.
        let prepare = move || Cluster::builder(nodes).layout(Layout::Blank).skip_acl(true).prepare();
        let prepared = tokio::task::spawn_blocking(prepare).await;
        let cluster = prepared.map_err(|error| Failure::setup("the servers cannot be prepared", error))??;
        screen.seen(&format!("ZooKeeper {} is there", cluster.release().version()));
        Ok(Self { cluster, agent })
    }

    fn server(&self, place: usize) -> &Server {
        &self.cluster.servers()[place]
    }
}

impl Play for ZooKeeper {
    const WRITES: &'static str = "nodes";
    const LAGS: bool = false;
    const START: &'static str = "three servers, the first an ensemble of one, the others outside; an agent beside each";
    const INIT: &'static str = "the first one was begun as an ensemble of one; this verifies that it can grow";
    const BEFORE: NodeState = NodeState::Healthy;

    fn name(&self, place: usize) -> String {
        self.server(place).name().to_owned()
    }

    fn about(&self, place: usize) -> String {
        format!("ZooKeeper on {}", self.server(place).client_address())
    }

    fn start(&self, place: usize) -> Result<(), Failure> {
        Ok(self.server(place).start()?)
    }

    fn kill(&self, place: usize) -> Result<(), Failure> {
        Ok(self.server(place).kill()?)
    }

    fn log(&self, place: usize) -> PathBuf {
        self.server(place).log_path()
    }

    fn agent(&self) -> &Path {
        &self.agent
    }

    fn configuration(&self, place: usize) -> String {
        let server = self.server(place);
        format!(
            "store:\n  address: {}\n  cluster_id: {ENSEMBLE}\n  member: {}\n  data_directory: {}\n",
            server.client_address(),
            Value::from(server.server_line()),
            Value::from(server.data_directory().to_string_lossy()),
        )
    }

    fn write(&self, primary: usize, count: u32) -> BoxFuture<'static, Result<(), String>> {
        let address = self.server(primary).client_address().to_string();
        let writing = async move {
            let client = Client::connector().with_fail_eagerly().connect(&address).await?;
            let options = CreateMode::PersistentSequential.with_acls(Acls::anyone_all());
            for _ in 0..count {
                client.create("/demo-", b"", &options).await?;
                sleep(PACE).await;
            }
            Ok::<_, zookeeper_client::Error>(())
        };
        let bounded = timeout(WRITING, writing).map(|written| match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("not within {} s", WRITING.as_secs())),
        });
        bounded.boxed()
    }

    fn changed(&self, record: &Record) -> Option<(bool, String)> {
        let Outcome {
            changed,
            config_version,
        } = record.output_as()?;
        Some((
            changed.unwrap_or(false),
            format!("configuration version {config_version}"),
        ))
    }
}
