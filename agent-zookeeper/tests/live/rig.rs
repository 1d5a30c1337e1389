//! A cluster of real servers with an agent beside each, and the questions that tests ask of them.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use agent_sdk::client::{Client, ClientError, Method, NodeInfo, Record, Schedule, ShardInfo, wait};
use agent_sdk::spec::{NodeState, Preconditions, Role, State};
use agent_sdk::testing::{StateDir, TestAgent};
use agent_zookeeper::config;
use serde_json::{Value, json};
use testbed::poll;
use testbed::zookeeper::{Builder, Cluster, Layout, Server};

pub(crate) const UP: Duration = Duration::from_secs(60);
pub(crate) const INIT: &str = "agent.replicante.io/cluster.init";
pub(crate) const ADD: &str = "agent.replicante.io/cluster.add";
pub(crate) const JOIN: &str = "agent.replicante.io/cluster.join";
pub(crate) const REMOVE: &str = "agent.replicante.io/cluster.remove";

/// What an endpoint may take: the agents' deadline and half a second.
pub(crate) const IN_TIME: Duration = Duration::from_millis(1_500);

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
    let configure = |config: &mut agent_sdk::config::Config<()>| config.actions.grace_s = 8;
    TestAgent::start_on(StateDir::new().unwrap(), agent_zookeeper::agent(settings), configure).unwrap()
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

/// The one shard, when the node has it and can be asked.
pub(crate) fn shard(agent: &TestAgent) -> Option<ShardInfo> {
    let mut shards = wait(agent.client().shards()).ok()?.shards;
    assert!(shards.len() < 2, "{shards:?}");
    shards.pop()
}

pub(crate) fn offset(agent: &TestAgent) -> Option<i64> {
    let offset = shard(agent)?.commit_offset?;
    assert_eq!(offset.unit, "zxid");
    Some(offset.value)
}

/// Version of the configuration that a server shows.
pub(crate) fn config_version(agent: &TestAgent) -> String {
    let store = wait(agent.client().store()).unwrap();
    store.attributes["zookeeper.apache.org/config_version"]
        .as_str()
        .unwrap()
        .to_owned()
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

/// The same where this must hold.
pub(crate) fn run_if(client: &Client, kind: &str, args: &Value, preconditions: Preconditions) -> Record {
    let mut schedule = Schedule::new(kind).with_args(args);
    schedule.preconditions = Some(preconditions);
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

/// Every information endpoint answers in time, whatever it says.
pub(crate) fn all_in_time(agent: &TestAgent) {
    let client = agent.client();
    // Asked up to three times: a busy machine may be late once, an endpoint that hangs is late each time.
    let timed = |what: &str, call: &dyn Fn() -> Result<(), ClientError>| {
        let mut late = Vec::new();
        while late.len() < 3 {
            let begun = Instant::now();
            let answer = call();
            let took = begun.elapsed();
            if let Err(error) = answer {
                assert!(
                    error.problem().is_some_and(|problem| problem.status == 503),
                    "{what}: {error}"
                );
            }
            if took <= IN_TIME {
                return;
            }
            late.push(took);
        }
        panic!("{what} is late each time: {late:?}");
    };
    let get = |path: &str| {
        let answer = wait(client.raw(Method::Get, path, Vec::new()))?;
        assert!(matches!(answer.status, 200 | 500..=599), "{path}: {}", answer.status);
        Ok(())
    };
    timed("info/node", &|| wait(client.node()).map(drop));
    timed("info/store", &|| wait(client.store()).map(drop));
    timed("info/shards", &|| wait(client.shards()).map(drop));
    for path in [
        "/healthz",
        "/readyz",
        "/metrics",
        "/api/v1/kinds",
        "/api/v1/actions/queue",
        "/api/unstable/info/node",
        "/api/unstable/info/store",
        "/api/unstable/info/shards",
    ] {
        timed(path, &|| get(path));
    }
}
