//! The scripts of a cluster: Kafka's tools by the names they have in the distribution, and one that starts a node.
//!
//! A person, an agent's configuration and this crate itself call the same ones.

use std::ffi::OsStr;
use std::path::Path;

use super::Release;

/// Java, and where its jars are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Java<'a> {
    pub(super) program: &'a Path,
    pub(super) jars: &'a Path,
    pub(super) release: Release,
}

/// One processor core per JVM is much on a machine that runs three and a tool: the small collector, and the compiler that
/// is done soonest. Three nodes are up in 5 s instead of 12 s with it.
const LEAN: &str = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData";

/// Logs are compared with each other and with the tests': give them a time. And of the configuration, which is four times
/// three hundred lines, nobody reads one.
const LOGGING: &str = "-Dorg.slf4j.simpleLogger.showDateTime=true \
    -Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS \
    -Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config.AbstractConfig=warn \
    -Dorg.slf4j.simpleLogger.log.kafka.server.KafkaConfig=warn";

/// Puts the shell that runs it on [record](crate::supervision::record) in the directory where it runs, so the process
/// that it becomes, or says why not and goes. The record is written before the look at `closed`, and read after `closed`
/// was written. No single quotes: it stands between some.
const RECORD: &str = r#"
field() { shift 19; echo "$1"; }
read -r stat < /proc/$$/stat && read -r boot < /proc/sys/kernel/random/boot_id || exit 1
echo "$$ $(field ${stat##*) }) $boot" > process.new && mv process.new process || { echo "no record of it can be written"; exit 1; }
[ -e ../closed ] && { echo "its cluster has been ended"; exit 1; }
"#;

/// Starts a node that is not running. Descriptor 3 is a lock that the node holds for as long as it lives (a killed JVM's
/// last thread lets go of it a moment after the process counts as ended), its input is the lock of its ports.
fn start_recorded() -> String {
    format!(
        r#"
exec 3>>lock
flock -w 2 3 || {{ echo "$name runs already" >&2; exit 1; }}
run='{RECORD}
flock -s -n 0 || {{ echo "its ports are used by another cluster by now"; exit 1; }}
exec "$@" >> node.log 2>&1
'
said=$(setsid sh -c "$run" "$name" "$@" < "$ports" &)
[ -z "$said" ] || {{ echo "$name does not start: $said" >&2; exit 1; }}
"#
    )
}

/// For a shell in a directory of the cluster: becomes its arguments' command, once that is on record. What the command
/// prints is not mixed with complaints.
pub(super) fn recorded() -> String {
    format!("{{ {RECORD} }} >&2\nexec \"$@\"")
}

/// `start` of a node: returns once the process is on record, and has become the server. The native libraries that Kafka's
/// compressors unpack stay in the node's directory. `options` are Java's, as `sh` shall read them.
pub(super) fn start(
    java: Java<'_>,
    name: &str,
    directory: &Path,
    ports: &Path,
    options: &str,
    config: &Path,
) -> String {
    let Java { program, jars, .. } = java;
    format!(
        "#!/bin/sh
# Starts {name} in the background, and returns.
cd {directory} || exit 1
name={name}
ports={ports}
set -- {program} {options} {LEAN} {LOGGING} -Djava.io.tmpdir={directory} -cp {jars} kafka.Kafka {config}
{}",
        start_recorded(),
        directory = quote(directory),
        ports = quote(ports),
        program = quote(program),
        jars = quote(jars.join("*")),
        config = quote(config),
    )
}

/// `format` of a node: what makes a format unique follows as arguments. It is on record while it runs, in a directory of its
/// own: who calls it may be killed meanwhile, and it would bring back the data of a cluster that was removed.
pub(super) fn format(name: &str, place: &Path, tool: &Path, config: &Path) -> String {
    format!(
        "#!/bin/sh
# Formats {name}.
cd {place} || exit 1
{{ {RECORD} }} >&2
exec {tool} format --config {config} \"$@\"
",
        place = quote(place),
        tool = quote(tool),
        config = quote(config),
    )
}

/// Name and text of every tool.
pub(super) fn tools(java: Java<'_>) -> impl Iterator<Item = (&'static str, String)> {
    let Java { program, jars, release } = java;
    let (acls, producer) = match release {
        Release::V3_9_2 => ("kafka.admin.AclCommand", "kafka.tools.ConsoleProducer"),
        Release::V4_3_0 => (
            "org.apache.kafka.tools.AclCommand",
            "org.apache.kafka.tools.ConsoleProducer",
        ),
    };
    let script = move |class| {
        format!(
            "#!/bin/sh\nexec {} -Xmx128m {LEAN} -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp {} {class} \"$@\"\n",
            quote(program),
            quote(jars.join("*"))
        )
    };
    [
        ("kafka-acls.sh", acls),
        ("kafka-cluster.sh", "org.apache.kafka.tools.ClusterTool"),
        ("kafka-configs.sh", "kafka.admin.ConfigCommand"),
        (
            "kafka-console-consumer.sh",
            "org.apache.kafka.tools.consumer.ConsoleConsumer",
        ),
        ("kafka-console-producer.sh", producer),
        ("kafka-features.sh", "org.apache.kafka.tools.FeatureCommand"),
        ("kafka-get-offsets.sh", "org.apache.kafka.tools.GetOffsetShell"),
        (
            "kafka-leader-election.sh",
            "org.apache.kafka.tools.LeaderElectionCommand",
        ),
        ("kafka-log-dirs.sh", "org.apache.kafka.tools.LogDirsCommand"),
        (
            "kafka-metadata-quorum.sh",
            "org.apache.kafka.tools.MetadataQuorumCommand",
        ),
        (
            "kafka-producer-perf-test.sh",
            "org.apache.kafka.tools.ProducerPerformance",
        ),
        (
            "kafka-reassign-partitions.sh",
            "org.apache.kafka.tools.reassign.ReassignPartitionsCommand",
        ),
        ("kafka-storage.sh", "kafka.tools.StorageTool"),
        ("kafka-topics.sh", "org.apache.kafka.tools.TopicCommand"),
        (
            "kafka-verifiable-consumer.sh",
            "org.apache.kafka.tools.VerifiableConsumer",
        ),
        (
            "kafka-verifiable-producer.sh",
            "org.apache.kafka.tools.VerifiableProducer",
        ),
    ]
    .into_iter()
    .map(move |(name, class)| (name, script(class)))
}

/// For `sh`: one word, whatever is in it.
pub(super) fn quote(text: impl AsRef<OsStr>) -> String {
    format!("'{}'", text.as_ref().to_string_lossy().replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::process::{Command, Output};
    use std::time::Duration;

    use crate::poll;
    use crate::supervision::record;

    /// A node whose server is a shell script.
    struct Stand {
        place: tempfile::TempDir,
    }

    impl Stand {
        fn new(server: &str) -> Self {
            let place = tempfile::tempdir().unwrap();
            let node = place.path().join("kafka-1");
            fs::create_dir(&node).unwrap();
            fs::write(place.path().join("ports"), "").unwrap();
            // `set --` in front: what the script would run is replaced by the stand-in.
            let java = Java {
                program: Path::new("/bin/true"),
                jars: Path::new("/jars"),
                release: Release::default(),
            };
            let text = start(
                java,
                "kafka-1",
                &node,
                &place.path().join("ports"),
                "-Xmx256m",
                Path::new("server.properties"),
            );
            let stand_in = format!("set -- sh -c {}\nexec 3>>lock\n", quote(server));
            fs::write(node.join("start"), text.replace("exec 3>>lock\n", &stand_in)).unwrap();
            Self { place }
        }

        fn start(&self) -> Output {
            let script = self.place.path().join("kafka-1/start");
            Command::new("sh").arg(script).output().unwrap()
        }
    }

    #[test]
    fn a_started_node_is_on_record_and_is_started_once() {
        let stand = Stand::new("echo out; echo err >&2; exec sleep 600");
        let node = stand.place.path().join("kafka-1");
        assert!(stand.start().status.success());
        let process = record::read(&node).unwrap();
        assert!(process.is_alive());
        let again = stand.start();
        assert!(!again.status.success());
        assert_eq!(String::from_utf8(again.stderr).unwrap(), "kafka-1 runs already\n");
        let logged = poll::until(Duration::from_secs(10), |_| {
            fs::read_to_string(node.join("node.log")).map(|log| (log == "out\nerr\n").then_some(()))
        });
        assert_eq!(logged.unwrap(), Some(()));
        record::end(stand.place.path()).unwrap();
        assert!(!process.is_alive());
    }

    #[test]
    fn nothing_starts_in_a_cluster_that_was_ended() {
        let stand = Stand::new("exec sleep 600");
        record::end(stand.place.path()).unwrap();
        let late = stand.start();
        let said = String::from_utf8(late.stderr).unwrap();
        assert!(
            !late.status.success() && said.contains("its cluster has been ended"),
            "{said}"
        );
        let late = record::read(&stand.place.path().join("kafka-1")).unwrap();
        let gone = |_| Ok::<_, std::io::Error>((!late.is_alive()).then_some(()));
        assert_eq!(poll::until(Duration::from_secs(10), gone).unwrap(), Some(()));
    }

    #[test]
    fn nothing_is_formatted_in_a_cluster_that_was_ended() {
        let place = tempfile::tempdir().unwrap();
        let formatting = place.path().join("kafka-1-format");
        fs::create_dir(&formatting).unwrap();
        let text = format("kafka-1", &formatting, Path::new("echo"), Path::new("it's a file"));
        let format = || {
            Command::new("sh")
                .args(["-c", &text, "format", "--standalone"])
                .output()
                .unwrap()
        };
        let said = format();
        let printed = String::from_utf8(said.stdout).unwrap();
        assert_eq!(printed, "format --config it's a file --standalone\n");
        assert!(said.stderr.is_empty() && record::read(&formatting).is_some());
        record::end(place.path()).unwrap();
        let late = format();
        assert!(!late.status.success() && late.stdout.is_empty());
        drop(place);
        assert!(!format().status.success(), "the cluster's directory is gone");
    }

    #[test]
    fn ports_that_another_cluster_has_claimed_are_not_used() {
        let stand = Stand::new("exec sleep 600");
        let claimed = fs::File::open(stand.place.path().join("ports")).unwrap();
        claimed.try_lock().unwrap();
        let said = String::from_utf8(stand.start().stderr).unwrap();
        assert!(said.contains("used by another cluster"), "{said}");
    }

    #[test]
    fn a_path_with_a_quote_stays_one_word() {
        let said = Command::new("sh")
            .args(["-c", &format!("printf %s {}", quote("/it's a/$HOME"))])
            .output()
            .unwrap();
        assert_eq!(said.stdout, b"/it's a/$HOME");
    }
}
