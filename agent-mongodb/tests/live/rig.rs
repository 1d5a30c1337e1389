//! A set of real servers with an agent beside each, and the questions that tests ask of them.

use std::time::Duration;

use agent_mongodb::config::{Server, Timeouts};
use agent_sdk::client::{Client, NodeInfo, Record, Schedule, ShardInfo, wait};
use agent_sdk::spec::{NodeState, Role, State};
use agent_sdk::testing::{StateDir, TestAgent};
use serde_json::{Value, json};
use testbed::mongodb::{Builder, Cluster, Node};
use testbed::poll;

pub(crate) const UP: Duration = Duration::from_secs(90);
pub(crate) const INIT: &str = "agent.replicante.io/cluster.init";
pub(crate) const ADD: &str = "agent.replicante.io/cluster.add";
pub(crate) const REMOVE: &str = "agent.replicante.io/cluster.remove";
pub(crate) const STEP_DOWN: &str = "mongodb.com/primary.step-down";
pub(crate) const CONFIGURE: &str = "mongodb.com/member.configure";

/// Nodes and their agents, by the nodes' numbers.
pub(crate) struct Rig {
    pub agents: Vec<TestAgent>,
    // Dropped after the agents: they would only log that their nodes are gone.
    pub cluster: Cluster,
}

/// The configuration of the agent beside a node.
pub(crate) fn settings(cluster: &Cluster, node: &Node) -> Server {
    Server {
        member_address: Some(node.member_address().parse().unwrap()),
        timeouts: Timeouts {
            // Below the second that an agent of tests gives a look.
            answer_ms: 800,
            change_ms: 10_000,
        },
        ..Server::new(node.address().to_string().parse().unwrap(), cluster.set_name())
    }
}

pub(crate) fn start(settings: Server) -> TestAgent {
    let configure = |config: &mut agent_sdk::config::Config<()>| config.actions.grace_s = 8;
    TestAgent::start_on(
        StateDir::new().unwrap(),
        agent_mongodb::agent(settings).unwrap(),
        configure,
    )
    .unwrap()
}

impl Rig {
    /// Starts the nodes, and an agent beside each.
    pub(crate) fn start(builder: Builder) -> Self {
        Self::start_with(builder, |_, _| {})
    }

    /// The same, with agents configured by the test.
    pub(crate) fn start_with(builder: Builder, change: impl Fn(&Cluster, &mut Server)) -> Self {
        let cluster = builder.start(UP).unwrap();
        let agent = |node: &Node| {
            let mut settings = settings(&cluster, node);
            change(&cluster, &mut settings);
            start(settings)
        };
        let agents = cluster.nodes().iter().map(agent).collect();
        Self { agents, cluster }
    }

    pub(crate) fn node(&self, number: u32) -> &Node {
        self.cluster.node(number).unwrap()
    }

    pub(crate) fn agent(&self, number: u32) -> &TestAgent {
        &self.agents[number as usize - 1]
    }

    /// The client of the agent beside this node.
    pub(crate) fn client(&self, number: u32) -> &Client {
        self.agent(number).client()
    }

    /// `{"node": …}` for this node.
    pub(crate) fn named(&self, number: u32) -> Value {
        json!({ "node": self.node(number).member_address() })
    }

    /// The same with more arguments.
    pub(crate) fn named_with(&self, number: u32, more: &Value) -> Value {
        let mut args = self.named(number);
        args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        args
    }

    /// Numbers of the nodes whose agents show the shard in this role.
    pub(crate) fn in_role(&self, role: Role) -> Vec<u32> {
        let holds = |agent: &TestAgent| shard(agent).is_some_and(|shard| shard.replication_state == role);
        (1..)
            .zip(&self.agents)
            .filter(|(_, agent)| holds(agent))
            .map(|(number, _)| number)
            .collect()
    }

    /// The version of the set's configuration that a node has.
    pub(crate) fn version(&self, number: u32) -> i32 {
        self.node(number).config().unwrap().get_i32("version").unwrap()
    }

    /// How many votes count, as this node says.
    pub(crate) fn votes(&self, number: u32) -> i32 {
        self.node(number)
            .status()
            .unwrap()
            .get_i32("votingMembersCount")
            .unwrap()
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

/// The shard, where the node has it and can be asked.
pub(crate) fn shard(agent: &TestAgent) -> Option<ShardInfo> {
    wait(agent.client().shards()).ok()?.shards.pop()
}

/// An attribute that the running process tells.
pub(crate) fn attribute(agent: &TestAgent, name: &str) -> Option<Value> {
    let store = wait(agent.client().store()).ok()?;
    store.attributes.get(&format!("mongodb.com/{name}")).cloned()
}

/// Runs an action to its end.
pub(crate) fn run(client: &Client, kind: &str, args: &Value) -> Record {
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
