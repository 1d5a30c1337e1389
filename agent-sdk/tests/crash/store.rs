//! A store in a process of its own, and what looks at it: one that says that it is well, until it is killed, stopped, or
//! turns out to be something else.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use agent_sdk::datastore::{DataStore, StoreError};
use agent_sdk::spec::{Attributes, Identity, Map, NodeStatus, ReplicationState, Shard, Unit};
use agent_sdk::testing::Scripted;
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::AsyncReadExt;

/// Set for the process that is to be the store.
pub const VARIABLE: &str = "AGENT_SDK_TEST_STORE";

const WELL: &str = "well\n";

/// The store's own process: says that it is well to everybody who connects.
pub fn main() -> ExitCode {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("{}", listener.local_addr().unwrap());
    loop {
        if let Ok((mut stream, _)) = listener.accept() {
            drop(stream.write_all(WELL.as_bytes()));
        }
    }
}

/// A running store.
pub struct Store {
    child: Child,
    pub address: SocketAddr,
}

impl Store {
    pub fn start() -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .env(VARIABLE, "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        Self {
            child,
            address: line.trim().parse().unwrap(),
        }
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A peer that accepts and then does this with each connection.
pub fn peer(does: fn(std::net::TcpStream)) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || does(stream));
        }
    });
    address
}

/// Says nothing until the other side has gone.
pub fn silent(mut stream: std::net::TcpStream) {
    drop(stream.read(&mut [0]));
}

/// Says what is no answer.
pub fn garbage(mut stream: std::net::TcpStream) {
    drop(stream.write_all(&[0xff; 64]));
}

/// Never ends its answer.
pub fn endless(mut stream: std::net::TcpStream) {
    while stream.write_all(&[b'x'; 4096]).is_ok() {}
}

/// Looks at a store over TCP, without a deadline of its own: that is the agent's business.
pub enum Looks {
    At(SocketAddr),
    Nowhere(Scripted),
}

impl Looks {
    async fn ask(address: SocketAddr) -> Result<(), StoreError> {
        let stream = tokio::net::TcpStream::connect(address)
            .await
            .map_err(StoreError::unreachable)?;
        let mut said = Vec::new();
        stream
            .take(1024)
            .read_to_end(&mut said)
            .await
            .map_err(StoreError::unreachable)?;
        match said.as_slice() {
            said if said == WELL.as_bytes() => Ok(()),
            [] => Err(StoreError::unreachable(anyhow::anyhow!("it closed the connection"))),
            _ => Err(StoreError::garbled(anyhow::anyhow!("it is no store"))),
        }
    }
}

impl DataStore for Looks {
    const STORE_ID: &'static str = "looks";

    async fn status(&self) -> NodeStatus {
        match self {
            Self::Nowhere(scripted) => scripted.status().await,
            Self::At(address) => match Self::ask(*address).await {
                Ok(()) => NodeStatus::healthy(),
                Err(StoreError::Garbled(error)) => NodeStatus::unknown(error.to_string()),
                Err(error) => NodeStatus::unavailable(error.to_string()),
            },
        }
    }

    async fn identity(&self) -> Identity {
        Identity::default()
    }

    async fn cluster_id(&self) -> Result<Option<String>, StoreError> {
        Ok(Some("alone".to_owned()))
    }

    async fn shards(&self) -> Result<Vec<Shard>, StoreError> {
        match self {
            Self::Nowhere(scripted) => scripted.shards().await,
            Self::At(address) => {
                Self::ask(*address).await?;
                Ok(vec![Shard::new("s", ReplicationState::Primary, Unit::Seconds).at(1)])
            }
        }
    }

    async fn attributes(&self, _: Map) -> Attributes {
        Attributes::new()
    }
}

/// The deadline that the agents of these tests have.
pub const DEADLINE: Duration = Duration::from_secs(1);
