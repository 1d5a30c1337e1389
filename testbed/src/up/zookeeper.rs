//! `testbed up zookeeper`.

use std::time::Duration;

use clap::Args;
use testbed::background;
use testbed::zookeeper::{Cluster, Layout, Release};

use super::headline;
use crate::Place;

#[derive(Args, Debug)]
pub(crate) struct ZooKeeper {
    /// How many servers.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=9))]
    nodes: u32,
    /// Which release: 3.9.5 or 3.8.6.
    #[arg(long, value_name = "RELEASE", default_value_t = Release::default())]
    version: Release,
    /// Only zk-1 is an ensemble (of one); the others wait outside it, to be joined.
    #[arg(long)]
    blank: bool,
    /// Let only the user `super` with this password change the ensemble; without it, everybody may (skipACL).
    #[arg(long, value_name = "PASSWORD")]
    super_password: Option<String>,
    /// How many seconds the servers may take to come up.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    within: u64,
    #[command(flatten)]
    place: Place,
}

impl ZooKeeper {
    pub(crate) fn up(self) -> anyhow::Result<()> {
        let Self {
            nodes,
            version,
            blank,
            super_password,
            within,
            place,
        } = self;
        let layout = if blank { Layout::Blank } else { Layout::Ensemble };
        let mut builder = Cluster::builder(nodes).release(version).layout(layout);
        builder = match &super_password {
            Some(password) => builder.super_password(password),
            None => builder.skip_acl(true),
        };
        let running = background::up_zookeeper(&place.resolve()?, builder, Duration::from_secs(within))?;
        println!("{}\n", headline(&running));
        println!(
            "{:<6} {:<16} {:<9} {:<8} member address",
            "node", "client", "mode", "pid"
        );
        for (number, node) in running.nodes.iter().enumerate() {
            // Such a server calls itself a follower or an observer; that is not what it is to the ensemble.
            let mode = if blank && number > 0 { "outside" } else { &node.mode };
            let pid = node.process.as_ref().map_or(0, |process| process.pid);
            println!(
                "{:<6} {:<16} {mode:<9} {pid:<8} {}",
                node.name, node.client, node.member
            );
        }
        println!("\nEnd it with: {}", place.down());
        Ok(())
    }
}
