//! Kafka's own programs, each run as a process of the stage's, so that it does not outlive the demonstration.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::{Kafka, TOPIC};
use crate::demo::Failure;
use crate::demo::stage::Process;
use crate::ports::Block;
use crate::supervision::Supervised;

/// For one run: the start of a JVM, and what it is told to write.
const WITHIN: Duration = Duration::from_secs(30);
/// Between two looks at whether it has ended.
const PAUSE: Duration = Duration::from_millis(20);
/// Records a second: slow enough for the agents to see them come.
const PACE: u32 = 300;
/// Records with the same key go to the same partition: so many keys reach all of them at once.
const KEYS: u32 = 30;
/// The end of what it said that a failure shows, in characters.
const SHOWN: usize = 300;

/// A program that comes to its end by itself.
pub(super) struct Run {
    running: Supervised,
    log: PathBuf,
}

impl Run {
    /// Waits for its end.
    ///
    /// **Errors**: what it said, when it failed or took too long.
    pub(super) async fn ended(self) -> Result<(), String> {
        let Self { mut running, log } = self;
        let end = async {
            loop {
                if let Some(status) = running.try_wait()? {
                    return Ok::<_, crate::supervision::Error>(status);
                }
                sleep(PAUSE).await;
            }
        };
        let how = match timeout(WITHIN, end).await {
            Ok(Ok(status)) if status.success() => return Ok(()),
            Ok(Ok(status)) => status.to_string(),
            Ok(Err(error)) => error.to_string(),
            // The watchdog ends it.
            Err(_) => format!("not within {} s", WITHIN.as_secs()),
        };
        let said = fs::read(log).unwrap_or_default();
        let said = String::from_utf8_lossy(&said).trim().to_owned();
        let surplus = said.chars().count().saturating_sub(SHOWN);
        Err(format!("{how}: {}", said.chars().skip(surplus).collect::<String>()))
    }
}

impl Kafka {
    /// Makes the topic. Each partition's first replica is on the node of the same place, the other one on the next.
    pub(super) fn begin_topic(&self) -> Result<Run, Failure> {
        let numbers: Vec<_> = self.cluster.nodes().iter().map(crate::kafka::Node::number).collect();
        let next = numbers.iter().cycle().skip(1);
        let replicas: Vec<_> = numbers
            .iter()
            .zip(next)
            .map(|(one, two)| format!("{one}:{two}"))
            .collect();
        let arguments = [
            "--create",
            "--topic",
            TOPIC,
            "--replica-assignment",
            &replicas.join(","),
        ];
        self.begin("kafka-topics.sh", 0, &arguments)
    }

    /// Writes records, each acknowledged by all replicas in sync.
    pub(super) fn begin_writing(&self, place: usize, count: u32) -> Result<Run, Failure> {
        let [count, pace, keys] = [count, PACE, KEYS].map(|number| number.to_string());
        let how = ["--topic", TOPIC, "--acks", "-1", "--max-messages", &count];
        let arguments = [&how[..], &["--throughput", &pace, "--repeating-keys", &keys]].concat();
        self.begin("kafka-verifiable-producer.sh", place, &arguments)
    }

    /// Starts one of Kafka's programs, which asks the node at this place for the others.
    fn begin(&self, program: &str, place: usize, arguments: &[&str]) -> Result<Run, Failure> {
        let mut all: Vec<OsString> = vec!["--bootstrap-server".into()];
        all.push(self.node(place).broker_address().to_string().into());
        all.extend(arguments.iter().map(OsString::from));
        let path = self.cluster.bin().join(program);
        // A process of the stage's holds ports; this one needs none of them.
        let process = Process::new(program, &path, all, &self.tools, Block::claim()?);
        Ok(Run {
            running: self.stage.run(&process)?,
            log: process.log().to_owned(),
        })
    }
}
