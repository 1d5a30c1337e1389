//! `testbed up kafka`.

use std::time::Duration;

use clap::Args;
use testbed::background::{self, Besides, Node, Running};
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
    /// Also listen by TLS, with logins, for a user who may do what it is granted.
    #[arg(long)]
    secured: bool,
    /// Show metrics, by Prometheus' exporter.
    #[arg(long)]
    metrics: bool,
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
            secured,
            metrics,
            within,
            place,
        } = self;
        let mut builder = Cluster::builder(nodes).release(version).unformatted(unformatted);
        if secured {
            builder = builder.secured();
        }
        if metrics {
            builder = builder.metrics();
        }
        let (running, besides) = background::up_kafka(&place.resolve()?, builder, Duration::from_secs(within))?;
        print(&running, &besides);
        println!("\nEnd it with: {}", place.down());
        Ok(())
    }
}

fn print(running: &Running, besides: &Besides) {
    let id = &besides.id;
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
    print_more(running, besides);
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
        if !besides.files.is_empty() {
            let rule = "--add --allow-principal User:agent --operation Describe --cluster";
            println!("  bin/kafka-acls.sh --bootstrap-server $AT {rule}");
        }
    }
    for node in running.nodes.iter().filter(|node| node.process.is_none()) {
        let name = &node.name;
        let (goal, how) = if *name == member.name {
            ("be the first", "--standalone")
        } else {
            ("join", "--no-initial-controllers")
        };
        let mut format = vec![format!("bin/kafka-storage.sh format --config {name}/server.properties")];
        format.extend_from_slice(&besides.format);
        format.push(format!("--cluster-id {id} {how}"));
        println!(
            "\n{name} is not formatted. To let it {goal}:
  {}
  {name}/start",
            format.join(" ")
        );
        if *name != member.name {
            println!(
                "\nOnce it has caught up, some seconds later, to let it vote:
  bin/kafka-metadata-quorum.sh --bootstrap-server $AT --command-config {name}/server.properties add-controller"
            );
        }
    }
}

/// What a secured cluster has, and one with metrics.
fn print_more(running: &Running, besides: &Besides) {
    let Besides { listeners, files, .. } = besides;
    if listeners.is_empty() {
        return;
    }
    let row = |name: &str, cells: Vec<String>| {
        let cells: Vec<_> = cells.iter().map(|cell| format!("{cell:<17}")).collect();
        println!("{name:<8} {}", cells.join(" ").trim_end());
    };
    println!();
    row("node", listeners.iter().map(|(title, _)| (*title).to_owned()).collect());
    for (place, node) in running.nodes.iter().enumerate() {
        let cells = listeners.iter().filter_map(|(_, addresses)| addresses.get(place));
        row(&node.name, cells.map(ToString::to_string).collect());
    }
    for (title, path) in files {
        println!("{title:<12} {}", path.display());
    }
}
