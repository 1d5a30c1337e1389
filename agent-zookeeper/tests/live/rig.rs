//! A cluster of real servers with an agent beside each, and the questions that tests ask of them.

use std::net::SocketAddr;

use agent_sdk::client::{Client, Record, Schedule};
use agent_sdk::spec::{NodeState, Preconditions, Role};
use agent_sdk::testing::TestAgent;
use agent_zookeeper::config;
use serde_json::Value;
use testbed::zookeeper::{Builder, Cluster, Layout, Server};

pub(crate) use testbed::agent::{
    ADD, IN_TIME, INIT, JOIN, REMOVE, UP, all_in_time, await_state, by_member_address, done, failed, node,
    only_shard as shard, run, run_within, until,
};

pub(crate) const PASSWORD: &str = "secret";

/// Servers and their agents, by the servers' order.
pub(crate) struct Rig {
    pub agents: Vec<TestAgent>,
    // Dropped after the agents: they would only log that their servers are gone.
    pub cluster: Cluster,
}

/// Servers with a password for `super`, started.
pub(crate) fn blank(nodes: u32) -> Builder {
    Cluster::builder(nodes).layout(Layout::Blank).super_password(PASSWORD)
}

/// The configuration of the agent beside a server, with the right password.
pub(crate) fn settings(cluster: &Cluster, server: &Server) -> config::Server {
    let file = cluster.directory().join("credentials");
    std::fs::write(&file, format!("super:{PASSWORD}\n")).unwrap();
    config::Server {
        member: Some(server.server_line().parse().unwrap()),
        data_directory: Some(server.data_directory()),
        credentials_file: Some(file),
        timeouts: config::Timeouts {
            answer_ms: 700,
            session_ms: 3_000,
            reconfig_ms: 3_000,
        },
        ..config::Server::new(address(server.client_address()), "ensemble")
    }
}

pub(crate) fn address(socket: SocketAddr) -> agent_sdk::config::Address {
    socket.to_string().parse().unwrap()
}

pub(crate) fn start(settings: config::Server) -> TestAgent {
    testbed::agent::start(agent_zookeeper::agent(settings))
}

impl Rig {
    /// Starts the servers, and an agent beside each.
    pub(crate) fn start(builder: Builder) -> Self {
        Self::start_with(builder, |_| {})
    }

    /// The same, with agents configured by the test.
    pub(crate) fn start_with(builder: Builder, change: impl Fn(&mut config::Server)) -> Self {
        let cluster = builder.start(UP).unwrap();
        let agent = |server: &Server| {
            let mut settings = settings(&cluster, server);
            change(&mut settings);
            start(settings)
        };
        let agents = cluster.servers().iter().map(agent).collect();
        Self { agents, cluster }
    }

    /// Starts an ensemble whose servers all are members.
    pub(crate) fn ensemble(nodes: u32) -> Self {
        let rig = Self::start(blank(nodes).layout(Layout::Ensemble));
        for agent in &rig.agents {
            await_state(agent, NodeState::Healthy);
        }
        rig
    }

    pub(crate) fn server(&self, number: usize) -> &Server {
        &self.cluster.servers()[number - 1]
    }

    pub(crate) fn agent(&self, number: usize) -> &TestAgent {
        &self.agents[number - 1]
    }

    /// Number of the server that leads.
    pub(crate) fn leader(&self) -> usize {
        self.cluster.wait_leader(UP).unwrap().id() as usize
    }

    /// Numbers of the agents whose one shard is in this role.
    pub(crate) fn in_role(&self, role: Role) -> Vec<usize> {
        let holds = |agent: &TestAgent| shard(agent).is_some_and(|shard| shard.replication_state == role);
        let numbered = self.agents.iter().enumerate();
        numbered
            .filter(|(_, agent)| holds(agent))
            .map(|(index, _)| index + 1)
            .collect()
    }
}

pub(crate) fn offset(agent: &TestAgent) -> Option<i64> {
    let offset = shard(agent)?.commit_offset?;
    assert_eq!(offset.unit, "zxid");
    Some(offset.value)
}

/// Version of the configuration that a server shows.
pub(crate) fn config_version(agent: &TestAgent) -> String {
    let shown = testbed::agent::attribute(agent, "zookeeper.apache.org/config_version");
    shown.unwrap().as_str().unwrap().to_owned()
}

/// Runs an action to its end, where this must hold.
pub(crate) fn run_if(client: &Client, kind: &str, args: &Value, preconditions: Preconditions) -> Record {
    let mut schedule = Schedule::new(kind).with_args(args);
    schedule.preconditions = Some(preconditions);
    testbed::agent::perform(client, &schedule)
}
