//! `testbed up kafka`.

use std::time::Duration;

use clap::Args;
use testbed::background::{self, Node, Running};
use testbed::kafka::{Cluster, Release};

use super::headline;
use crate::Place;

#[derive(Args, Debug)]
pub(crate) struct Kafka {
    /// How many nodes, each a broker and a controller.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=9))]
    nodes: u32,
    /// Which release: 4.3.0 or 3.9.2.
    #[arg(long, value_name = "RELEASE", default_value_t = Release::default())]
    version: Release,
    /// Nodes that are only configured: to be formatted and started by you, or by an agent.
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',')]
    unformatted: Vec<u32>,
    /// How many seconds the nodes may take to come up.
    #[arg(long, value_name = "SECONDS", default_value_t = 90)]
    within: u64,
    #[command(flatten)]
    place: Place,
}

impl Kafka {
    pub(crate) fn up(self) -> anyhow::Result<()> {
        let Self {
            nodes,
            version,
            unformatted,
            within,
            place,
        } = self;
        let builder = Cluster::builder(nodes).release(version).unformatted(unformatted);
        let (running, id) = background::up_kafka(&place.resolve()?, builder, Duration::from_secs(within))?;
        print(&running, &id);
        println!("\nEnd it with: {}", place.down());
        Ok(())
    }
}

fn print(running: &Running, id: &str) {
    println!("{}\ncluster id {id}\n", headline(running));
    println!(
        "{:<8} {:<16} {:<16} {:<12} {:<8} directory",
        "node", "broker", "controller", "mode", "pid"
    );
    for node in &running.nodes {
        let pid = node.process.as_ref().map(|process| process.pid.to_string());
        println!(
            "{:<8} {:<16} {:<16} {:<12} {:<8} {}",
            node.name,
            node.client,
            node.member,
            node.mode,
            pid.as_deref().unwrap_or("-"),
            directory(node)
        );
    }
    let bin = running.directory.join("bin").display().to_string();
    let runs = |node: &&Node| node.process.is_some();
    let brokers: Vec<_> = running
        .nodes
        .iter()
        .filter(runs)
        .map(|node| node.client.to_string())
        .collect();
    if !brokers.is_empty() {
        let (all, replicas) = (brokers.join(","), brokers.len());
        println!(
            "
To try:
  cd {bin}
  export AT={all}
  ./kafka-metadata-quorum.sh --bootstrap-server $AT describe --status
  ./kafka-topics.sh --bootstrap-server $AT --create --topic t --partitions 3 --replication-factor {replicas}
  seq 1000 | ./kafka-console-producer.sh --bootstrap-server $AT --topic t
  ./kafka-topics.sh --bootstrap-server $AT --describe"
        );
    }
    // The others join whom? The first of those that run, or the one that is to be the first.
    let member = running.nodes.iter().find(runs).or(running.nodes.first());
    for node in running.nodes.iter().filter(|node| node.process.is_none()) {
        let (name, own) = (&node.name, directory(node));
        let (goal, how) = match member {
            Some(member) if member.name != *name => ("join", "--no-initial-controllers"),
            _ => ("be the first", "--standalone"),
        };
        println!(
            "
{name} is not formatted. To let it {goal}:
  {bin}/kafka-storage.sh format --config {own}/server.properties --cluster-id {id} {how}
  {own}/start"
        );
        if let Some(member) = member.filter(|member| member.name != *name) {
            println!(
                "and once it has caught up, some seconds later, to let it vote:
  {bin}/kafka-metadata-quorum.sh --bootstrap-server {} \\
    --command-config {own}/server.properties add-controller",
                member.client
            );
        }
    }
}

fn directory(node: &Node) -> String {
    node.config
        .parent()
        .map(|place| place.display().to_string())
        .unwrap_or_default()
}
