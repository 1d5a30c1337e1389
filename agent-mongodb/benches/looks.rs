//! What `info/node` and `info/shards` cost beside the same commands, asked bare through the driver in the same run and by
//! turns; and what an agent holds and sends while nobody asks it. Prints a table in Markdown; see `docs/performance.md`.
//! Needs Python and pip.
//!
//! ```text
//! cargo bench -p agent-mongodb --bench looks [-- --rounds 500]
//! ```

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a benchmark that cannot go on has nothing else to say"
)]

use std::time::{Duration, Instant};

use agent_mongodb::config::Server;
use agent_sdk::client::{Client, Method, wait};
use mongodb::bson::{Document, doc};
use mongodb::options::{ClientOptions, ServerMonitoringMode};
use testbed::agent::Program;
use testbed::mongodb::{Cluster, run};
use testbed::poll;

const UP: Duration = Duration::from_secs(120);

/// Twice as long as an answer may be given again.
const FRESH: Duration = Duration::from_millis(10);

/// How long nothing is asked of an agent, to see what it sends by itself.
const IDLE: Duration = Duration::from_secs(30);

/// The driver, as bare as it is.
struct Bare(mongodb::Database);

impl Bare {
    fn new(address: &str) -> Self {
        let mut options = {
            let uri = format!("mongodb://{address}/?directConnection=true");
            run(async move { ClientOptions::parse(uri).await }).unwrap().unwrap()
        };
        options.heartbeat_freq = Some(Duration::from_secs(600));
        options.server_monitoring_mode = Some(ServerMonitoringMode::Poll);
        options.app_name = Some("bare".to_owned());
        let client = run(async { mongodb::Client::with_options(options) }).unwrap().unwrap();
        Self(client.database("admin"))
    }

    fn ask(&self, command: Document) -> Document {
        let database = self.0.clone();
        run(async move { database.run_command(command).await })
            .unwrap()
            .unwrap()
    }

    /// How often the server was asked these by whomever, this question not counted.
    fn counts(&self) -> [i64; 2] {
        let answer = self.ask(doc! { "serverStatus": 1 });
        let commands = answer
            .get_document("metrics")
            .unwrap()
            .get_document("commands")
            .unwrap();
        ["hello", "replSetGetStatus"].map(|name| commands.get_document(name).unwrap().get_i64("total").unwrap())
    }

    /// How many connections the agent has.
    fn connections(&self) -> usize {
        let pipeline = [
            doc! { "$currentOp": { "allUsers": true, "idleConnections": true } },
            doc! { "$match": { "appName": "agent-mongodb" } },
        ];
        let command = doc! { "aggregate": 1, "pipeline": pipeline.to_vec(), "cursor": {} };
        let answer = self.ask(command);
        answer
            .get_document("cursor")
            .unwrap()
            .get_array("firstBatch")
            .unwrap()
            .len()
    }
}

fn rounds() -> usize {
    let mut words = std::env::args().skip(1);
    let mut rounds = 500;
    while let Some(word) = words.next() {
        match word.as_str() {
            "--rounds" => rounds = words.next().unwrap().parse().unwrap(),
            // What cargo says to a benchmark.
            "--bench" => {}
            other => panic!("{other} is no option: --rounds N"),
        }
    }
    rounds
}

fn main() {
    let rounds = rounds();
    let cluster = Cluster::builder(1).initiated().start(UP).unwrap();
    let node = cluster.node(1).unwrap();
    let server = Server::new(node.address().to_string().parse().unwrap(), cluster.set_name());
    let mut program = Program::new(env!("CARGO_BIN_EXE_agent-mongodb"), &server).unwrap();
    let client = program.start().unwrap();
    let shown = poll::until(UP, |_| {
        Ok::<_, ()>(
            wait(client.shards())
                .is_ok_and(|info| info.shards.len() == 1)
                .then_some(()),
        )
    });
    assert!(shown.unwrap().is_some(), "the agent does not show the set");
    let bare = Bare::new(&node.member_address());
    let get = |client: &Client, path: &str| wait(client.raw(Method::Get, path, Vec::new())).unwrap();
    let pair = || {
        // Older than an answer may be to be given again (`observe.reuse_ms`).
        std::thread::sleep(FRESH);
        let begun = Instant::now();
        get(&client, "/api/v1/info/node");
        get(&client, "/api/v1/info/shards");
        begun.elapsed()
    };
    let before = bare.counts();
    for _ in 0..10 {
        pair();
    }
    let after = bare.counts();
    let [hellos, statuses] = [0, 1].map(|which| (after[which] - before[which]) / 10);
    let commands = || {
        // As long after the last ones as the agent's.
        std::thread::sleep(FRESH);
        let begun = Instant::now();
        for _ in 0..hellos {
            bare.ask(doc! { "hello": 1 });
        }
        for _ in 0..statuses {
            bare.ask(doc! { "replSetGetStatus": 1, "initialSync": 1, "maxTimeMS": 1_000 });
        }
        begun.elapsed()
    };
    let (mut ones, mut others, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let (one, other) = (commands(), pair());
        ratios.push(other.as_secs_f64() / one.as_secs_f64());
        ones.push(one);
        others.push(other);
    }
    ratios.sort_by(f64::total_cmp);
    let (resident, peak) = memory(program.id().unwrap());
    let before = bare.counts();
    // Nothing happens that could be waited for: that is what is measured.
    std::thread::sleep(IDLE);
    let after = bare.counts();
    let binary = std::fs::metadata(env!("CARGO_BIN_EXE_agent-mongodb")).unwrap().len();
    println!("| what | | |");
    println!("|---|---|---|");
    println!("| commands for `info/node` and `info/shards` | {hellos} hello, {statuses} replSetGetStatus | |");
    println!("| the same commands, bare | {} | |", median(ones));
    println!(
        "| `info/node` and `info/shards` | {} | ratio {:.2} (at most 1.3) |",
        median(others),
        ratios[ratios.len() / 2]
    );
    println!("| resident memory (peak) | {resident:.1} MiB ({peak:.1}) | |");
    #[expect(clippy::cast_precision_loss, reason = "of megabytes")]
    let size = binary as f64 / 1_048_576.0;
    println!("| binary | {size:.1} MiB | |");
    println!("| connections to the mongod | {} | at most 4 |", bare.connections());
    println!(
        "| commands in {} s while nobody asks | {} | none |",
        IDLE.as_secs(),
        after[0] - before[0] + after[1] - before[1]
    );
}

fn median(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    format!("{:.2} ms", times[times.len() / 2].as_secs_f64() * 1_000.0)
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
