//! The scripts of a cluster: Kafka's tools by the names they have in the distribution, and one that starts a node.
//!
//! A person, an agent's configuration and this crate itself call the same ones.

use std::path::Path;

use super::Release;
use crate::supervision::script::{self, RECORD, quote};

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

/// `start` of a node. The native libraries that Kafka's compressors unpack stay in the node's directory. `options` are
/// Java's, as `sh` shall read them.
pub(super) fn start(
    java: Java<'_>,
    name: &str,
    directory: &Path,
    ports: &Path,
    options: &str,
    config: &Path,
) -> String {
    let Java { program, jars, .. } = java;
    let command = format!(
        "{program} {options} {LEAN} {LOGGING} -Djava.io.tmpdir={directory} -cp {jars} kafka.Kafka {config}",
        program = quote(program),
        directory = quote(directory),
        jars = quote(jars.join("*")),
        config = quote(config),
    );
    script::start(name, directory, ports, &command)
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
    let text = move |class| {
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
    .map(move |(name, class)| (name, text(class)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::process::Command;

    use crate::supervision::record;

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
}
