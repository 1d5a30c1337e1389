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
    println!("{:<8} {:<16} {:<16} {:<12} pid", "node", "broker", "controller", "mode");
    for node in &running.nodes {
        let Node {
            name,
            client,
            member,
            mode,
            process,
            ..
        } = node;
        let pid = process.as_ref().map(|process| process.pid.to_string());
        let pid = pid.as_deref().unwrap_or("-");
        println!("{name:<8} {client:<16} {member:<16} {mode:<12} {pid}");
    }
    let runs = |node: &&Node| node.process.is_some();
    // The others join whom? The first of those that run, or the one that is to be the first.
    let Some(member) = running.nodes.iter().find(runs).or(running.nodes.first()) else {
        return;
    };
    println!(
        "\nTo try:\n  cd {}\n  AT={}",
        running.directory.display(),
        member.client
    );
    if member.process.is_some() {
        let replicas = running.nodes.iter().filter(runs).count();
        println!(
            "  bin/kafka-metadata-quorum.sh --bootstrap-server $AT describe --status
  bin/kafka-topics.sh --bootstrap-server $AT --create --topic t --partitions 3 --replication-factor {replicas}
  seq 1000 | bin/kafka-console-producer.sh --bootstrap-server $AT --topic t
  bin/kafka-topics.sh --bootstrap-server $AT --describe"
        );
    }
    for node in running.nodes.iter().filter(|node| node.process.is_none()) {
        let name = &node.name;
        let (goal, how) = if *name == member.name {
            ("be the first", "--standalone")
        } else {
            ("join", "--no-initial-controllers")
        };
        println!(
            "\n{name} is not formatted. To let it {goal}:
  bin/kafka-storage.sh format --config {name}/server.properties --cluster-id {id} {how}
  {name}/start"
        );
        if *name != member.name {
            println!(
                "\nOnce it has caught up, some seconds later, to let it vote:
  bin/kafka-metadata-quorum.sh --bootstrap-server $AT --command-config {name}/server.properties add-controller"
            );
        }
    }
}
