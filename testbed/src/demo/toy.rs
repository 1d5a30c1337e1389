//! The toy store's part: its nodes are processes of this workspace's examples, and writing is a line of JSON.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use agent_sdk::client::Record;
use agent_sdk::spec::NodeState;
use futures_util::future::{BoxFuture, FutureExt, try_join_all};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Failure;
use super::play::{NODES, Play};
use super::programs::{build, find};
use super::screen::Screen;
use super::stage::{Process, Stage};
use crate::ports::Block;

/// Who writes at once. A write waits for a majority, and secondaries copy late on purpose: one alone would hardly make
/// anybody lag.
const WRITERS: u32 = 8;
/// How long a write may take; the store gives it up after 3 s.
const WRITING: Duration = Duration::from_secs(5);

/// Three nodes of the toy store.
pub(super) struct Toy {
    stage: Rc<Stage>,
    agent: PathBuf,
    nodes: Vec<Process>,
}

/// What the agent's actions on membership give.
#[derive(Deserialize)]
struct Reached {
    changed: bool,
    config_version: u64,
}

impl Toy {
    /// Builds the store and its agent; nothing is started yet.
    pub(super) async fn prepare(screen: &Screen, stage: Rc<Stage>) -> Result<Self, Failure> {
        screen.step(
            "Build",
            "the toy store, a small replicated log, and the agent that a vendor wrote for it",
        );
        let made = build(
            screen,
            &[
                "--package",
                "agent-sdk",
                "--example",
                "toy-store",
                "--example",
                "toy-agent",
            ],
        )
        .await?;
        let (store, agent) = (find(&made, "toy-store")?, find(&made, "toy-agent")?);
        screen.seen("toy-store and toy-agent are built");
        let mut nodes = Vec::new();
        for place in 1..=NODES {
            let (name, ports) = (format!("toy-{place}"), Block::claim()?);
            let directory = stage.place(&name)?;
            let listen = ports.address(0).to_string();
            let mut arguments = vec!["--name".into(), name.clone().into(), "--listen".into(), listen.into()];
            arguments.extend(["--dir".into(), directory.join("data").into()]);
            nodes.push(Process::new(&name, &store, arguments, &directory, ports));
        }
        Ok(Self { stage, agent, nodes })
    }
}

impl Play for Toy {
    const WRITES: &'static str = "entries";
    const LAGS: bool = true;
    const START: &'static str = "three nodes that know nothing of each other, and an agent beside each";
    const INIT: &'static str = "the first node becomes a cluster of one";
    const BEFORE: NodeState = NodeState::NotInCluster;

    fn name(&self, place: usize) -> String {
        self.nodes[place].name.clone()
    }

    fn about(&self, place: usize) -> String {
        format!("toy-store on {}", self.nodes[place].address())
    }

    fn start(&self, place: usize) -> Result<(), Failure> {
        self.stage.start(&self.nodes[place])
    }

    fn kill(&self, place: usize) -> Result<(), Failure> {
        self.nodes[place].kill()
    }

    fn log(&self, place: usize) -> PathBuf {
        self.nodes[place].log().to_owned()
    }

    fn agent(&self) -> &Path {
        &self.agent
    }

    fn configuration(&self, place: usize) -> String {
        format!("store:\n  address: {}\n", self.nodes[place].address())
    }

    fn write(&self, primary: usize, count: u32) -> BoxFuture<'static, Result<(), String>> {
        let address = self.nodes[primary].address();
        let writers = (0..WRITERS.min(count)).map(move |writer| {
            let share = count / WRITERS + u32::from(writer < count % WRITERS);
            write(address, share)
        });
        try_join_all(writers).map(|written| written.map(|_| ())).boxed()
    }

    fn changed(&self, record: &Record) -> Option<(bool, String)> {
        let Reached {
            changed,
            config_version,
        } = record.output_as()?;
        Some((changed, format!("configuration version {config_version}")))
    }
}

/// Writes one after another over one connection.
async fn write(address: SocketAddr, count: u32) -> Result<(), String> {
    let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
    let mut stream = BufReader::new(stream);
    for number in 0..count {
        let request = json!({ "do": "write", "data": format!("entry {number}") });
        let exchange = async {
            stream.write_all(format!("{request}\n").as_bytes()).await?;
            let mut line = String::new();
            stream.read_line(&mut line).await?;
            Ok::<Value, std::io::Error>(serde_json::from_str(&line)?)
        };
        let answer = timeout(WRITING, exchange).await.map_err(|late| late.to_string())?;
        let answer = answer.map_err(|error| error.to_string())?;
        if answer.get("ok").is_none() {
            return Err(format!("the node at {address} answers {answer}"));
        }
    }
    Ok(())
}
