//! Servers that listen on IPv6 only, and their agents.

use std::net::TcpListener;

use agent_sdk::spec::NodeState;
use agent_zookeeper::config;
use serde_json::json;
use testbed::zookeeper::Server;

use crate::foreseen::foreseen;
use crate::rig::{ADD, JOIN, REMOVE, await_state, blank, by_member_address, done, node, settings, start, until};

/// A server's line with every address on IPv6 loopback.
fn line(server: &Server, role: &str) -> String {
    let line = server.server_line().replace("127.0.0.1", "[::1]");
    line.replace("participant", role)
}

fn beside(cluster: &testbed::zookeeper::Cluster, number: usize) -> config::Server {
    let server = &cluster.servers()[number - 1];
    config::Server {
        address: format!("[::1]:{}", server.client_address().port()).parse().unwrap(),
        member: Some(line(server, "participant").parse().unwrap()),
        ..settings(cluster, server)
    }
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test zookeeper"]
fn an_ensemble_on_ipv6_grows_and_shrinks() {
    if let Err(error) = TcpListener::bind("[::1]:0") {
        println!("not run: this machine has no IPv6 loopback ({error})");
        return;
    }
    let cluster = blank(3).prepare().unwrap();
    let servers = cluster.servers();
    let member = line(&servers[0], "participant");
    servers[0].configure_member(&[&member]).unwrap();
    for outsider in &servers[1..] {
        outsider
            .configure_member(&[&member, &line(outsider, "observer")])
            .unwrap();
    }
    cluster.start().unwrap();
    let agents = [1, 2, 3].map(|number| start(beside(&cluster, number)));
    await_state(&agents[0], NodeState::Healthy);
    for outsider in &agents[1..] {
        await_state(outsider, NodeState::NotInCluster);
    }
    assert_eq!(by_member_address(&agents[0])["node"], member);
    assert_eq!(
        node(&agents[0]).addresses["client"],
        Some(format!("[::1]:{}", servers[0].client_address().port()))
    );

    foreseen(servers, agents[1].client(), JOIN, &by_member_address(&agents[0]));
    foreseen(servers, agents[0].client(), ADD, &by_member_address(&agents[2]));
    for agent in &agents {
        await_state(agent, NodeState::Healthy);
    }
    // Written otherwise, it is the same member.
    let written = line(&servers[1], "participant").replace("[::1]", "[0:0:0:0:0:0:0:1]");
    let again = foreseen(servers, agents[0].client(), ADD, &json!({ "node": written }));
    assert_eq!(done(&again)["changed"], false);
    foreseen(servers, agents[0].client(), REMOVE, &json!({ "node": written }));
    until("the removed one to be outside", || {
        node(&agents[1]).node_status == NodeState::NotInCluster
    });
}
