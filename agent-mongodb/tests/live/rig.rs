//! A set of real servers with an agent beside each, and the questions that tests ask of them.

use std::path::{Path, PathBuf};

use agent_mongodb::config::{Login, Mechanism, Server, Timeouts, TlsFiles};
use agent_sdk::client::Client;
use agent_sdk::spec::Role;
use agent_sdk::testing::TestAgent;
use serde_json::{Value, json};
use tempfile::TempDir;
pub(crate) use testbed::agent::{
    ADD, INIT, REMOVE, UP, all_in_time, await_state, done, failed, node, only_shard as shard, run, run_within, until,
};
use testbed::mongodb::bson::{self, Document, doc};
use testbed::mongodb::{Builder, Cluster, Node};

pub(crate) const STEP_DOWN: &str = "mongodb.com/primary.step-down";
pub(crate) const CONFIGURE: &str = "mongodb.com/member.configure";

/// Nodes and their agents, by the nodes' numbers.
pub(crate) struct Rig {
    pub agents: Vec<TestAgent>,
    // Dropped after the agents: they would only log that their nodes are gone.
    pub cluster: Cluster,
    /// The password, where there is one.
    _secret: Option<TempDir>,
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
    testbed::agent::start(agent_mongodb::agent(settings).unwrap())
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
        Self {
            agents,
            cluster,
            _secret: None,
        }
    }

    /// With access control and TLS: agents have a password, and no rights before they are granted.
    pub(crate) fn guarded(builder: Builder) -> Self {
        let (place, file) = password("agent:secret");
        let rig = Self::start_with(builder.secured(), |cluster, server| by_password(server, cluster, &file));
        Self {
            _secret: Some(place),
            ..rig
        }
    }

    /// The same with an initiated set, whose agents have exactly the rights of the guide.
    pub(crate) fn granted(builder: Builder) -> Self {
        let rig = Self::guarded(builder.initiated());
        grant(rig.cluster.primary(UP).unwrap());
        rig
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

/// An attribute that the running process tells.
pub(crate) fn attribute(agent: &TestAgent, name: &str) -> Option<Value> {
    testbed::agent::attribute(agent, &format!("mongodb.com/{name}"))
}

/// What an operator is told to paste.
const GUIDE: &str = include_str!("../../../docs/mongodb.md");

/// The command of the guide that makes the role, as it stands there.
pub(crate) fn role() -> Document {
    let line = GUIDE
        .lines()
        .find_map(|line| line.strip_prefix("db.adminCommand(")?.strip_suffix(')'))
        .unwrap();
    let command: Value = serde_json::from_str(line).unwrap();
    bson::serialize_to_document(&command).unwrap()
}

/// An agent that comes with a password, by TLS.
pub(crate) fn by_password(server: &mut Server, cluster: &Cluster, file: &Path) {
    server.tls = Some(TlsFiles {
        ca_file: cluster.authority_file(),
        certificate_key_file: None,
    });
    server.login = Some(Login {
        mechanism: Mechanism::ScramSha256,
        credentials_file: Some(file.to_owned()),
        database: "admin".to_owned(),
    });
}

/// A directory for passwords, and the file in it.
pub(crate) fn password(text: &str) -> (TempDir, PathBuf) {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("password");
    std::fs::write(&file, text).unwrap();
    (place, file)
}

/// Makes the guide's role, and the agents' user with it, on a primary.
pub(crate) fn grant(primary: &Node) {
    primary.command("admin", role()).unwrap();
    let name = role().get_str("createRole").unwrap().to_owned();
    let roles = [doc! { "role": name, "db": "admin" }].to_vec();
    let user = doc! { "createUser": "agent", "pwd": "secret", "roles": roles };
    primary.command("admin", user).unwrap();
}

/// Waits until all members, the first so many nodes, have all writes, and know that a majority has them: a server of which less is true cannot take
/// writes back, and ends instead (`UnrecoverableRollbackError`).
pub(crate) fn settle(rig: &Rig, members: u32) {
    rig.cluster.primary(UP).unwrap();
    rig.cluster.write(1, true).unwrap();
    until("every member knows that a majority has every write", || {
        let statuses: Vec<_> = (1..=members)
            .filter_map(|number| rig.node(number).status().ok())
            .collect();
        let newest = statuses.iter().map(|status| seconds(status, "appliedOpTime")).max();
        statuses.len() == members as usize
            && statuses
                .iter()
                .all(|status| Some(seconds(status, "lastCommittedOpTime")) == newest)
    });
}

/// The second of a member's last write, or of the last one that it knows a majority to have.
pub(crate) fn seconds(status: &Document, which: &str) -> u32 {
    let optimes = status.get_document("optimes").unwrap();
    optimes.get_document(which).unwrap().get_timestamp("ts").unwrap().time
}
