//! A toy data store: a small but honest replicated log, for agents to run beside.
//!
//! One process per node, each with its own log on disk; one primary, which takes the writes; secondaries that copy it, late on
//! purpose, so that lag is something to see. A killed primary is replaced, members come and go while it runs, and
//! no write that was confirmed is lost while a majority of disks is left. How to talk to it is in [`protocol`].
//!
//! It leaves out whatever would hide how it works: authentication, snapshots, logs larger than memory, speed.

mod candidate;
mod change;
mod election;
mod log;
mod membership;
mod node;
mod peers;
mod protocol;
mod replicate;
mod server;
#[cfg(test)]
mod tests;

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

/// One node of the toy store.
#[derive(Debug, Parser)]
#[command(name = "toy-store", version = node::VERSION)]
struct Arguments {
    /// The node's name, unique in its cluster; stays with the directory.
    #[arg(long)]
    name: String,
    /// Where the node keeps its log; created when missing.
    #[arg(long)]
    dir: PathBuf,
    /// Where to listen. With port 0 a free one is taken the first time, and kept while the node is in a cluster.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// How long a secondary holds back what it could copy, in milliseconds.
    #[arg(long, default_value_t = 200)]
    copy_delay_ms: u64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let Arguments {
        name,
        dir,
        listen,
        copy_delay_ms,
    } = Arguments::parse();
    let copy_delay = Duration::from_millis(copy_delay_ms);
    // Before the node starts, so that no signal comes too early to be heard.
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let running = server::start(server::Options {
        name,
        dir,
        listen,
        copy_delay,
    })?;
    let node = Arc::clone(&running.node);
    writeln!(std::io::stdout(), "listening on {}", running.address).context("cannot say where it listens")?;
    let failed = tokio::select! {
        _ = terminate.recv() => false,
        _ = interrupt.recv() => false,
        () = node.failed.notified() => true,
    };
    running.stop();
    anyhow::ensure!(!failed, "the node could not go on");
    Ok(())
}
