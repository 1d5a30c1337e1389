//! MongoDB's part: three real servers, blank at first, and the agent for MongoDB.
//!
//! What it has not: a node that takes itself in, since a set takes its members in. What it has more than others: the primary
//! hands over on purpose.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use agent_sdk::client::Record;
use agent_sdk::spec::NodeState;
use futures_util::future::{BoxFuture, FutureExt};
use mongodb::Client;
use mongodb::bson::{Document, doc};
use serde::Deserialize;
use serde_json::json;
use tokio::time::{sleep, timeout};

use super::Failure;
use super::play::{NODES, Play};
use super::programs::{build, find};
use super::screen::Screen;
use super::story::{SOON, Story};
use crate::mongodb::{Cluster, Node};

/// Between two writes: a server takes thousands a second, too many to watch.
const PACE: Duration = Duration::from_millis(15);
/// For all writes of one step.
const WRITING: Duration = Duration::from_secs(15);
const STEP_DOWN: &str = "mongodb.com/primary.step-down";

/// Three servers.
pub(super) struct MongoDb {
    cluster: Cluster,
    agent: PathBuf,
}

/// What the agent's actions give, as far as it is told here.
#[derive(Deserialize)]
#[serde(untagged)]
enum Given {
    Added { changed: bool, member_id: i64, voter: bool },
    Removed { changed: bool, members: Vec<String> },
    Elected { changed: bool, primary: String },
}

impl MongoDb {
    /// Builds the agent and gets the servers; nothing is started yet.
    pub(super) async fn prepare(screen: &Screen) -> Result<Self, Failure> {
        screen.step(
            "Build",
            "the agent for MongoDB; the server comes from a package of Python's, once",
        );
        let made = build(screen, &["--package", "agent-mongodb", "--bin", "agent-mongodb"]).await?;
        let agent = find(&made, "agent-mongodb")?;
        screen.seen("agent-mongodb is built");
        let nodes = u32::try_from(NODES).unwrap_or(u32::MAX);
        // It may fetch for a while, and that blocks.
        let prepared = tokio::task::spawn_blocking(move || Cluster::builder(nodes).prepare()).await;
        let cluster = prepared.map_err(|error| Failure::setup("the servers cannot be prepared", error))??;
        screen.seen(&format!("MongoDB {} is there", cluster.release().version()));
        Ok(Self { cluster, agent })
    }

    fn node(&self, place: usize) -> &Node {
        &self.cluster.nodes()[place]
    }
}

impl Play for MongoDb {
    const WRITES: &'static str = "documents";
    const COUNTS: bool = false;
    const LAGS: bool = false;
    const START: &'static str = "three blank servers, each in no set yet; an agent beside each";
    const INIT: &'static str = "the first one becomes the only member of a new set, and its primary";
    const BEFORE: NodeState = NodeState::NotInCluster;

    fn name(&self, place: usize) -> String {
        self.node(place).name().to_owned()
    }

    fn about(&self, place: usize) -> String {
        format!("MongoDB on {}", self.node(place).address())
    }

    fn start(&self, place: usize) -> Result<(), Failure> {
        Ok(self.node(place).start()?)
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
        let store = json!({
            "address": node.address().to_string(),
            "member_address": node.member_address(),
            "replica_set": self.cluster.set_name(),
        });
        // JSON is YAML.
        format!("store: {store}\n")
    }

    fn write(&self, primary: usize, count: u32) -> BoxFuture<'static, Result<(), String>> {
        let uri = format!("mongodb://{}/?directConnection=true", self.node(primary).address());
        let writing = async move {
            let client = Client::with_uri_str(&uri).await?;
            let documents = client.database("demo").collection::<Document>("documents");
            for number in 0..count {
                documents.insert_one(doc! { "number": i64::from(number) }).await?;
                sleep(PACE).await;
            }
            Ok::<_, mongodb::error::Error>(())
        };
        let bounded = timeout(WRITING, writing).map(|written| match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("not within {} s", WRITING.as_secs())),
        });
        bounded.boxed()
    }

    fn changed(&self, record: &Record) -> Option<(bool, String)> {
        Some(match record.output_as()? {
            Given::Added {
                changed,
                member_id,
                voter,
            } => {
                let vote = if voter { "with" } else { "without" };
                (changed, format!("member {member_id}, {vote} a vote"))
            }
            Given::Removed { changed, members } => (changed, format!("members {}", members.join(", "))),
            Given::Elected { changed, primary } => (changed, format!("primary {primary}")),
        })
    }
}

impl Story<'_, MongoDb> {
    /// From three blank servers to a dead member that is removed, and comes back.
    pub(super) async fn tell_of_elections(&self) -> Result<(), Failure> {
        self.start().await?;
        self.init().await?;
        self.add(1).await?;
        self.add(2).await?;
        self.write().await?;
        self.hand_over().await?;
        self.lose_primary().await?;
        self.lose_agent().await?;
        self.remove("the dead member is removed from the new primary's side, and then once more")
            .await?;
        self.come_back().await
    }

    /// Starts the member that was removed: it finds out, and is taken in again.
    async fn come_back(&self) -> Result<(), Failure> {
        let place = self.lost.take().unwrap_or_default();
        let name = &self.seats[place].node;
        self.step(
            &[place],
            "It comes back",
            "it has slept through its removal, and hears of it from the others",
        );
        self.screen.act(&format!("{name} is started again"));
        self.play.start(place)?;
        self.shows(place, NodeState::NotInCluster, None, SOON).await?;
        self.screen.seen(&format!("{name} is NOT_IN_CLUSTER"));
        self.add(place).await
    }

    /// Has the primary hand over on purpose.
    async fn hand_over(&self) -> Result<(), Failure> {
        let place = self.one_leads().await?;
        self.step(
            &[0, 1, 2],
            "primary.step-down",
            "an action of MongoDB's own: a failover on purpose, which waits until a secondary has every write",
        );
        let args = json!({ "stay_s": 15 });
        self.plan(place, STEP_DOWN, &args).await?;
        let began = Instant::now();
        self.change(place, STEP_DOWN, Some(args)).await?;
        let next = self.one_leads().await?;
        if next == place {
            let name = &self.seats[place].node;
            return Err(Failure::unexpected("another one leads", format!("{name} leads still")));
        }
        self.screen.seen(&format!(
            "{} is the primary now, {:.1} s after that was asked for",
            self.seats[next].node,
            began.elapsed().as_secs_f32()
        ));
        Ok(())
    }
}
