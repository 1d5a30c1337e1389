//! A cluster of real nodes with an agent beside each, and the questions that tests ask of them.

use std::time::Duration;

use agent_kafka::config::{Listener, Process, Timeouts};
use agent_sdk::client::{Client, NodeInfo, Record, Schedule, ShardInfo, wait};
use agent_sdk::spec::{NodeState, Role, State};
use agent_sdk::testing::{StateDir, TestAgent};
use serde_json::{Value, json};
use testbed::kafka::{Builder, Cluster, Node};
use testbed::poll;

pub(crate) const UP: Duration = Duration::from_secs(120);
pub(crate) const INIT: &str = "agent.replicante.io/cluster.init";
pub(crate) const ADD: &str = "agent.replicante.io/cluster.add";
pub(crate) const JOIN: &str = "agent.replicante.io/cluster.join";
pub(crate) const DRAIN: &str = "kafka.apache.org/broker.drain";
pub(crate) const ELECT: &str = "kafka.apache.org/leaders.elect";
pub(crate) const REMOVE: &str = "agent.replicante.io/cluster.remove";

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
    let configure = |config: &mut agent_sdk::config::Config<()>| config.actions.grace_s = 8;
    TestAgent::start_on(
        StateDir::new().unwrap(),
        agent_kafka::agent(settings).unwrap(),
        configure,
    )
    .unwrap()
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

/// Waits until this holds.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let found = poll::until(UP, |_| Ok::<_, ()>(holds().then_some(()))).unwrap();
    assert!(found.is_some(), "not within {UP:?}: {what}");
}

pub(crate) fn node(agent: &TestAgent) -> NodeInfo {
    wait(agent.client().node()).unwrap()
}

/// Waits until the node is in this state.
pub(crate) fn await_state(agent: &TestAgent, state: NodeState) -> NodeInfo {
    let mut last = None;
    let found = poll::until(UP, |_| {
        let info = node(agent);
        last = Some((info.node_status, info.node_status_reason.clone()));
        Ok::<_, ()>((info.node_status == state).then_some(info))
    });
    found
        .unwrap()
        .unwrap_or_else(|| panic!("{state:?} expected, and it is {last:?}"))
}

/// All shards, where the node can be asked.
pub(crate) fn shards(agent: &TestAgent) -> Vec<ShardInfo> {
    wait(agent.client().shards())
        .map(|info| info.shards)
        .unwrap_or_default()
}

/// One shard, where the node has it and can be asked.
pub(crate) fn shard(agent: &TestAgent, id: &str) -> Option<ShardInfo> {
    shards(agent).into_iter().find(|shard| shard.shard_id == id)
}

/// An attribute that the running process tells.
pub(crate) fn attribute(agent: &TestAgent, name: &str) -> Option<Value> {
    let store = wait(agent.client().store()).ok()?;
    store.attributes.get(&format!("kafka.apache.org/{name}")).cloned()
}

/// Runs an action to its end.
pub(crate) fn run(client: &Client, kind: &str, args: &Value) -> Record {
    // A null is no argument at all.
    perform(client, &Schedule::new(kind).with_args(args))
}

/// The same within a deadline.
pub(crate) fn run_within(client: &Client, kind: &str, args: &Value, deadline_s: u32) -> Record {
    let mut schedule = Schedule::new(kind).with_args(args);
    schedule.deadline_s = Some(deadline_s);
    perform(client, &schedule)
}

fn perform(client: &Client, schedule: &Schedule) -> Record {
    let id = wait(client.schedule(schedule)).unwrap().id;
    wait(client.ended(id, UP)).unwrap()
}

/// What a done action gave.
pub(crate) fn done(record: &Record) -> Value {
    assert_eq!(record.state, State::Done, "{:?}", record.error);
    record.output_as().unwrap()
}

/// Code and message of an action that failed.
pub(crate) fn failed(record: &Record) -> (String, String) {
    assert_eq!(record.state, State::Failed, "{:?}", record.output);
    let error = record.error.clone().unwrap();
    (error.code, error.message)
}

/// `{"node": …}`, the control plane's form, with what the node's agent shows as its member address.
pub(crate) fn by_member_address(agent: &TestAgent) -> Value {
    json!({ "node": node(agent).addresses["member"].clone().unwrap() })
}
