//! A cluster of real nodes with an agent beside each, and the questions that tests ask of them.

use agent_kafka::config::{Listener, Process, Timeouts};
use agent_sdk::spec::Role;
use agent_sdk::testing::TestAgent;
use serde_json::Value;
use testbed::kafka::{Builder, Cluster, Node};

pub(crate) use testbed::agent::{
    ADD, INIT, JOIN, REMOVE, UP, await_state, by_member_address, done, failed, node, run, run_within, shard, shards,
    until,
};

pub(crate) const DRAIN: &str = "kafka.apache.org/broker.drain";
pub(crate) const ELECT: &str = "kafka.apache.org/leaders.elect";

/// Nodes and their agents, by the nodes' numbers.
pub(crate) struct Rig {
    pub agents: Vec<TestAgent>,
    // Dropped after the agents: they would only log that their nodes are gone.
    pub cluster: Cluster,
}

/// The configuration of the agent beside a node.
pub(crate) fn settings(node: &Node) -> Process {
    let listener = |address: std::net::SocketAddr| Listener {
        address: address.to_string().parse().unwrap(),
        tls: None,
        sasl: None,
    };
    let texts =
        |command: Vec<std::ffi::OsString>| command.into_iter().map(|word| word.into_string().unwrap()).collect();
    Process {
        broker: node.roles().is_broker().then(|| listener(node.broker_address())),
        controller: node
            .roles()
            .is_controller()
            .then(|| listener(node.controller_address())),
        log_directories: vec![node.data_directory()],
        format_command: texts(node.format_command()),
        start_command: texts(node.start_command()),
        timeouts: Timeouts {
            // Below the second that an agent of tests gives a look.
            answer_ms: 700,
            change_ms: 5_000,
            ..Timeouts::default()
        },
        ..Process::default()
    }
}

pub(crate) fn start(settings: Process) -> TestAgent {
    testbed::agent::start(agent_kafka::agent(settings).unwrap())
}

impl Rig {
    /// Starts the nodes that are formatted, and an agent beside each node.
    pub(crate) fn start(builder: Builder) -> Self {
        Self::start_with(builder, |_, _| {})
    }

    /// The same, with agents configured by the test.
    pub(crate) fn start_with(builder: Builder, change: impl Fn(&Node, &mut Process)) -> Self {
        Self::beside(builder.start(UP).unwrap(), change)
    }

    /// An agent beside each node of a cluster that the test has made.
    pub(crate) fn beside(cluster: Cluster, change: impl Fn(&Node, &mut Process)) -> Self {
        let agent = |node: &Node| {
            let mut settings = settings(node);
            change(node, &mut settings);
            start(settings)
        };
        let agents = cluster.nodes().iter().map(agent).collect();
        Self { agents, cluster }
    }

    /// Three combined nodes that all vote.
    pub(crate) fn three() -> Self {
        Self::start(Cluster::builder(3))
    }

    pub(crate) fn node(&self, number: u32) -> &Node {
        self.cluster.node(number).unwrap()
    }

    pub(crate) fn agent(&self, number: u32) -> &TestAgent {
        &self.agents[number as usize - 1]
    }

    /// Numbers of the nodes whose agents show this shard in this role.
    pub(crate) fn in_role(&self, id: &str, role: Role) -> Vec<u32> {
        let holds = |agent: &TestAgent| shard(agent, id).is_some_and(|shard| shard.replication_state == role);
        (1..)
            .zip(&self.agents)
            .filter(|(_, agent)| holds(agent))
            .map(|(number, _)| number)
            .collect()
    }
}

/// An attribute that the running process tells, by its name below `kafka.apache.org`.
pub(crate) fn attribute(agent: &TestAgent, name: &str) -> Option<Value> {
    testbed::agent::attribute(agent, &format!("kafka.apache.org/{name}"))
}
