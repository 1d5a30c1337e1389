//! Kafka's own tools, run against the cluster, and what they say.
//!
//! A tool starts a JVM: 0.6 to 1.5 s each. Some wait a minute, or for ever, for a cluster that has no majority, so each is
//! run by `timeout`, which ends it even when this process is killed meanwhile.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::error::failed;
use super::node::{Common, Seat};
use super::{Error, Quorum, Topic, topics};
use crate::poll;

/// For one run. Most of it is for a machine that starts three nodes at the same time.
const DEADLINE: Duration = Duration::from_secs(60);

/// For one look of a waiting loop: one that began in the middle of an election may wait for much longer than the next one.
const ONE_LOOK: Duration = Duration::from_secs(8);

/// The tools of a cluster. They ask the nodes that run, and are not paused, at the moment of the question.
#[derive(Clone, Copy, Debug)]
pub struct Tools<'a> {
    pub(super) common: &'a Common,
    deadline: Duration,
}

impl<'a> Tools<'a> {
    pub(super) fn new(common: &'a Common) -> Self {
        Self {
            common,
            deadline: DEADLINE,
        }
    }

    /// Runs one by its name in the distribution, and returns what it printed. `input` is what it reads.
    ///
    /// # Errors
    /// [`Error::Tool`] with its complaint, also when it had to be ended.
    pub fn run(self, tool: &str, arguments: &[&str], input: &str) -> Result<String, Error> {
        let path = self.common.bin().join(tool);
        let mut child = Command::new("timeout")
            .arg("--signal=KILL")
            .arg(self.deadline.as_secs().to_string())
            .arg(&path)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed("run", &path))?;
        let pipe = child.stdin.take();
        // Written beside the reading: a tool that prints while it reads would wait for us for ever.
        let output = std::thread::scope(|scope| {
            scope.spawn(|| {
                // One that does not read says itself what it did not like.
                pipe.map(|mut pipe| pipe.write_all(input.as_bytes()))
            });
            child.wait_with_output()
        });
        let output = output.map_err(failed("wait for", &path))?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            return Ok(said);
        }
        Err(Error::Tool {
            tool: format!("{tool} {}", arguments.join(" ")),
            how: match output.status.code() {
                Some(code) => format!("failed with {code}"),
                None => format!("did not end within {:?}", self.deadline),
            },
            said: said + &String::from_utf8_lossy(&output.stderr),
        })
    }

    /// The quorum, as its leader describes it.
    pub fn quorum(self) -> Result<Quorum, Error> {
        let [option, addresses] = &self.quorum_at();
        let arguments = [option, addresses, "describe", "--status"];
        Quorum::parse(&self.run("kafka-metadata-quorum.sh", &arguments, "")?)
    }

    /// All topics, those included that Kafka made for itself.
    pub fn topics(self) -> Result<Vec<Topic>, Error> {
        let arguments = ["--bootstrap-server", &self.brokers(), "--describe"];
        topics::parse(&self.run("kafka-topics.sh", &arguments, "")?)
    }

    /// One topic.
    pub fn topic(self, name: &str) -> Result<Topic, Error> {
        let arguments = ["--bootstrap-server", &self.brokers(), "--describe", "--topic", name];
        let said = self.run("kafka-topics.sh", &arguments, "")?;
        topics::parse(&said)?.pop().ok_or(Error::Unexpected {
            tool: "kafka-topics.sh --describe",
            said,
        })
    }

    /// Makes a topic whose partitions have these replicas, the preferred leader first.
    pub fn create_topic(self, name: &str, replicas: &[&[u32]]) -> Result<(), Error> {
        let joined = |replicas: &&[u32]| {
            let ids: Vec<_> = replicas.iter().map(ToString::to_string).collect();
            ids.join(":")
        };
        let assignment = replicas.iter().map(joined).collect::<Vec<_>>().join(",");
        let brokers = self.brokers();
        let arguments = ["--bootstrap-server", &brokers, "--create", "--topic", name];
        let arguments = [&arguments[..], &["--replica-assignment", &assignment]].concat();
        self.run("kafka-topics.sh", &arguments, "").map(drop)
    }

    /// Writes `count` records, `record-0` to `record-(count - 1)`, acknowledged by all replicas in sync.
    pub fn produce(self, topic: &str, count: usize) -> Result<(), Error> {
        let mut records = String::new();
        for number in 0..count {
            // Writing into a String cannot fail.
            let _ = writeln!(records, "record-{number}");
        }
        let arguments = ["--bootstrap-server", &self.brokers(), "--topic", topic];
        self.run("kafka-console-producer.sh", &arguments, &records).map(drop)
    }

    /// Reads `count` records from the beginning, partition by partition.
    ///
    /// # Errors
    /// As [`Tools::run`], when there are fewer.
    pub fn consume(self, topic: &str, count: usize) -> Result<Vec<String>, Error> {
        let (brokers, count) = (self.brokers(), count.to_string());
        let arguments = ["--bootstrap-server", &brokers, "--topic", topic];
        let arguments = [&arguments[..], &["--from-beginning", "--max-messages", &count]].concat();
        let said = self.run("kafka-console-consumer.sh", &arguments, "")?;
        // 4.3 begins with advice about its group protocol.
        let records = said.lines().filter(|line| !line.contains("KIP-848"));
        Ok(records.map(str::to_owned).collect())
    }

    /// The leaders' end offsets, by partition.
    pub fn end_offsets(self, topic: &str) -> Result<BTreeMap<u32, u64>, Error> {
        let arguments = ["--bootstrap-server", &self.brokers(), "--topic-partitions", topic];
        let said = self.run("kafka-get-offsets.sh", &arguments, "")?;
        let line = |line: &str| {
            let mut fields = line.rsplit(':');
            let offset = fields.next()?.parse().ok()?;
            Some((fields.next()?.parse().ok()?, offset))
        };
        let offsets = said.lines().map(line).collect::<Option<_>>();
        offsets.ok_or(Error::Unexpected {
            tool: "kafka-get-offsets.sh",
            said,
        })
    }

    /// Adds a controller that observes to the voters, as its own configuration describes it.
    pub fn add_controller(self, node: &super::Node) -> Result<(), Error> {
        let [option, addresses] = &self.quorum_at();
        let config = node.config_file().display().to_string();
        let arguments = [option, addresses, "--command-config", &config, "add-controller"];
        self.run("kafka-metadata-quorum.sh", &arguments, "").map(drop)
    }

    /// Makes the cluster forget a broker. It does so whether the broker lives or not; one that lives goes on, and does not end
    /// when it is told to.
    pub fn unregister(self, node: &super::Node) -> Result<(), Error> {
        let (brokers, id) = (self.brokers(), node.number().to_string());
        let arguments = ["unregister", "--bootstrap-server", &brokers, "--id", &id];
        self.run("kafka-cluster.sh", &arguments, "").map(drop)
    }

    /// Describes the quorum until it is as wanted. A look that fails, as in the middle of an election, is not the last.
    ///
    /// # Errors
    /// [`Error::NotSeen`] with the last description, or the last failure.
    pub fn wait_quorum(self, within: Duration, wanted: impl Fn(&Quorum) -> bool) -> Result<Quorum, Error> {
        wait(within, || self.looking().quorum(), wanted)
    }

    /// Describes a topic until it is as wanted.
    ///
    /// # Errors
    /// As [`Tools::wait_quorum`].
    pub fn wait_topic(self, name: &str, within: Duration, wanted: impl Fn(&Topic) -> bool) -> Result<Topic, Error> {
        wait(within, || self.looking().topic(name), wanted)
    }

    /// Brokers, where there are any: 3.9's tool waits a minute for a controller that knows no leader, though a new one is
    /// there after a second or two.
    fn quorum_at(self) -> [String; 2] {
        match self.brokers() {
            none if none.is_empty() => {
                let controllers = self.awake(|seat| seat.roles.is_controller(), |seat| seat.at.controller.to_string());
                ["--bootstrap-controller".to_owned(), controllers]
            }
            brokers => ["--bootstrap-server".to_owned(), brokers],
        }
    }

    fn looking(self) -> Self {
        let deadline = ONE_LOOK;
        Self { deadline, ..self }
    }

    pub(super) fn brokers(self) -> String {
        self.awake(|seat| seat.roles.is_broker(), |seat| seat.at.broker.to_string())
    }

    fn awake(self, is: impl Fn(&Seat) -> bool, address: impl Fn(&Seat) -> String) -> String {
        let seats = self
            .common
            .seats
            .iter()
            .filter(|seat| is(seat) && seat.process.is_awake());
        seats.map(address).collect::<Vec<_>>().join(",")
    }
}

fn wait<T: std::fmt::Debug>(
    within: Duration,
    look: impl Fn() -> Result<T, Error>,
    wanted: impl Fn(&T) -> bool,
) -> Result<T, Error> {
    let mut last = String::new();
    let seen = poll::until(within, |_| match look() {
        Ok(seen) if wanted(&seen) => Ok::<_, Error>(Some(seen)),
        Ok(seen) => {
            last = format!("{seen:?}");
            Ok(None)
        }
        Err(error) => {
            last = error.to_string();
            Ok(None)
        }
    });
    seen?.ok_or(Error::NotSeen { within, last })
}
