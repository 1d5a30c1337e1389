//! P7 of the promises: what `info/shards` costs on a broker with many partitions, beside the three requests that it takes,
//! asked bare over a connection of their own, in the same run and by turns. Prints a table in Markdown; see
//! `docs/performance.md`. Needs Java and Maven.
//!
//! ```text
//! cargo bench -p agent-kafka --bench partitions [-- --rounds 30] [--partitions 100,1000,10000]
//! ```

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a benchmark that cannot go on has nothing else to say"
)]

use std::time::{Duration, Instant};

use agent_kafka::ask::{offsets, placement};
use agent_kafka::client::{Endpoint, Link};
use agent_kafka::config::{Listener, Process};
use agent_sdk::client::{Client, Method, wait};
use kafka_protocol::messages::DescribeLogDirsRequest;
use testbed::agent::Program;
use testbed::kafka::Cluster;
use testbed::poll;

const UP: Duration = Duration::from_secs(120);
const LONG: Duration = Duration::from_secs(20);
/// Kafka refuses more at once.
const AT_ONCE: u32 = 5_000;

struct Arguments {
    partitions: Vec<u32>,
    rounds: usize,
}

fn arguments() -> Arguments {
    let mut arguments = Arguments {
        partitions: vec![100, 1_000, 10_000],
        rounds: 30,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--rounds" => arguments.rounds = words.next().unwrap().parse().unwrap(),
            "--partitions" => {
                arguments.partitions = words.next().unwrap().split(',').map(|n| n.parse().unwrap()).collect();
            }
            // What cargo says to a benchmark.
            "--bench" => {}
            other => panic!("{other} is no option: --rounds N, --partitions N,N"),
        }
    }
    arguments
}

fn main() {
    let Arguments { partitions, rounds } = arguments();
    let cluster = Cluster::builder(1).heap(1_536).start(UP).unwrap();
    let node = cluster.node(1).unwrap();
    let listener = |address: std::net::SocketAddr| Listener {
        address: address.to_string().parse().unwrap(),
        tls: None,
        sasl: None,
    };
    let process = Process {
        broker: Some(listener(node.broker_address())),
        controller: Some(listener(node.controller_address())),
        log_directories: vec![node.data_directory()],
        ..Process::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    println!("| partitions | bare requests | `info/shards` | ratio | answer | agent's memory, resident (peak) |");
    println!("|---|---|---|---|---|---|");
    let mut there = 0;
    for wanted in partitions {
        grow(&cluster, there, wanted);
        there = wanted;
        // A new one for each size, so that its memory is that of the size.
        let mut program = Program::new(env!("CARGO_BIN_EXE_agent-kafka"), &process).unwrap();
        let client = program.start().unwrap();
        let mut link = Link::new(Endpoint::plain(node.broker_address().to_string().parse().unwrap()));
        let held = |client: &Client| wait(client.shards()).map_or(0, |info| info.shards.len());
        let settled = poll::until(UP, |_| Ok::<_, ()>((held(&client) > wanted as usize).then_some(())));
        assert!(
            settled.unwrap().is_some(),
            "the agent does not show {wanted} partitions"
        );
        let (mut bare, mut told, mut ratios, mut size) = (Vec::new(), Vec::new(), Vec::new(), 0);
        for _ in 0..rounds {
            let one = runtime.block_on(requests(&mut link));
            let begun = Instant::now();
            size = wait(client.raw(Method::Get, "/api/v1/info/shards", Vec::new()))
                .unwrap()
                .body
                .len();
            let other = begun.elapsed();
            ratios.push(other.as_secs_f64() / one.as_secs_f64());
            bare.push(one);
            told.push(other);
        }
        let (resident, peak) = memory(program.id().unwrap());
        ratios.sort_by(f64::total_cmp);
        println!(
            "| {wanted} | {} | {} | {:.2} | {} KB | {resident:.1} MiB ({peak:.1}) |",
            median(bare),
            median(told),
            ratios[ratios.len() / 2],
            size / 1_000,
        );
    }
}

/// One topic, made and grown in steps that Kafka takes.
fn grow(cluster: &Cluster, from: u32, to: u32) {
    let brokers = cluster.node(1).unwrap().broker_address().to_string();
    let mut now = from;
    while now < to {
        let next = (now + AT_ONCE).min(to);
        let count = next.to_string();
        let what = if now == 0 { "--create" } else { "--alter" };
        let arguments = [
            "--bootstrap-server",
            &brokers,
            what,
            "--topic",
            "orders",
            "--partitions",
            &count,
        ];
        cluster.tools().run("kafka-topics.sh", &arguments, "").unwrap();
        now = next;
    }
}

/// The three requests, and nothing done with their answers.
async fn requests(link: &mut Link) -> Duration {
    let begun = Instant::now();
    let end = tokio::time::Instant::now() + LONG;
    let placement = placement::ask(link, end).await.unwrap();
    link.call(&DescribeLogDirsRequest::default().with_topics(None), LONG)
        .await
        .unwrap();
    offsets::ask(link, placement.of(1), end).await.unwrap();
    begun.elapsed()
}

fn median(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    format!("{:.1} ms", times[times.len() / 2].as_secs_f64() * 1_000.0)
}

/// What the agent's process holds now, and has held at most, in MiB.
fn memory(process: u32) -> (f64, f64) {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let of = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim_matches([':', '\t', ' ', 'k', 'B']).parse::<f64>().unwrap() / 1_024.0
    };
    (of("VmRSS"), of("VmHWM"))
}
