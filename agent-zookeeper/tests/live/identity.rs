//! The server's id, where neither the configuration nor a session tells it: from the word `conf`, or the `AdminServer`.

use agent_sdk::spec::NodeState;
use agent_sdk::testing::TestAgent;
use agent_zookeeper::config;
use testbed::zookeeper::{Builder, Cluster};

use crate::rig::{UP, address, await_state, blank, settings, start, until};
use crate::superuser::hide_config;

/// Server 1, which shows its ensemble to nobody, and what its agent knows of it.
fn hidden(builder: Builder, lines: impl Fn(&Cluster) -> String) -> (Cluster, config::Server) {
    let cluster = builder.prepare().unwrap();
    let server = &cluster.servers()[0];
    let file = server.config_file();
    let text = std::fs::read_to_string(&file).unwrap() + &lines(&cluster);
    std::fs::write(&file, text).unwrap();
    cluster.start().unwrap();
    cluster.wait_serving(UP).unwrap();
    hide_config(server);
    let settings = config::Server {
        member: None,
        data_directory: None,
        credentials_file: None,
        ..settings(&cluster, server)
    };
    (cluster, settings)
}

fn is_known(agent: &TestAgent) {
    let mut told = String::new();
    until("the id to be known", || {
        told = await_state(agent, NodeState::Unknown).node_id;
        told == "1"
    });
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test zookeeper"]
fn the_id_comes_from_the_word_conf() {
    let (cluster, settings) = hidden(blank(1).whitelist("srvr, conf"), |_| String::new());
    is_known(&start(settings));
    drop(cluster);
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test zookeeper"]
fn the_id_comes_from_the_admin_server() {
    let (cluster, mut settings) = hidden(blank(1), |cluster| {
        let admin = cluster.servers()[0].admin_address();
        let (ip, port) = (admin.ip(), admin.port());
        format!("admin.enableServer=true\nadmin.serverAddress={ip}\nadmin.serverPort={port}\n")
    });
    let unknown = await_state(&start(settings.clone()), NodeState::Unknown);
    assert_ne!(unknown.node_id, "1", "neither is asked, or allowed");
    settings.admin_server = Some(address(cluster.servers()[0].admin_address()));
    is_known(&start(settings));
}
