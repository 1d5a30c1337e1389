//! Lines 4 and 7: servers that die, hang, or have no quorum.

use std::time::Instant;

use agent_sdk::spec::{NodeState, Role};
use serde_json::json;
use testbed::zookeeper::Layout;

use crate::plans::{NO_QUORUM, plan_refused, plans};
use crate::rig::{
    ADD, IN_TIME, JOIN, REMOVE, Rig, all_in_time, await_state, blank, by_member_address, config_version, failed, node,
    run, run_within, shard, until,
};

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test zookeeper"]
fn line_4_a_killed_leader_is_replaced_and_comes_back() {
    let rig = Rig::ensemble(3);
    let leader = rig.leader();
    until("one primary", || rig.in_role(Role::Primary) == [leader]);
    rig.server(leader).kill().unwrap();
    let begun = Instant::now();
    let dead = node(rig.agent(leader));
    assert_eq!(dead.node_status, NodeState::Unavailable, "{dead:?}");
    assert!(begun.elapsed() <= IN_TIME, "{:?}", begun.elapsed());
    assert_eq!(dead.node_id, leader.to_string(), "known without its process");
    until("one new primary", || {
        let primaries = rig.in_role(Role::Primary);
        primaries.len() == 1 && primaries[0] != leader
    });
    for number in (1..=3).filter(|number| *number != leader) {
        await_state(rig.agent(number), NodeState::Healthy);
    }
    let (servers, survivor) = (rig.cluster.servers(), leader % 3 + 1);
    let [dead_line, live_line] = [leader, survivor].map(|number| rig.server(number).server_line());
    let removal = format!("remove server {leader}");
    // A dead member is a member. Init asks the agent's own server only.
    assert_eq!(
        plans(servers, rig.agent(survivor).client(), &dead_line),
        ["done", "done", "done", &removal]
    );
    assert_eq!(
        plans(servers, rig.agent(leader).client(), &live_line),
        [
            "refused: no_quorum",
            "done",
            "done",
            &format!("remove server {survivor}")
        ]
    );
    rig.server(leader).restart().unwrap();
    await_state(rig.agent(leader), NodeState::Healthy);
    assert_eq!(rig.in_role(Role::Primary).len(), 1);
    assert_eq!(
        plans(servers, rig.agent(survivor).client(), &dead_line),
        ["done", "done", "done", &removal]
    );
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test zookeeper"]
fn line_7_a_paused_server_costs_no_endpoint_more_than_its_deadline() {
    let rig = Rig::ensemble(3);
    let leader = rig.leader();
    for number in [leader % 3 + 1, leader] {
        rig.server(number).pause().unwrap();
        all_in_time(rig.agent(number));
        let hung = node(rig.agent(number));
        assert_eq!(hung.node_status, NodeState::Unavailable);
        let reason = hung.node_status_reason.unwrap();
        assert!(reason.contains("last seen"), "{reason}");
        for agent in &rig.agents {
            all_in_time(agent);
        }
        // Without the leader there is no quorum until the others have noticed and elected another.
        let leads = |number| rig.in_role(Role::Primary) == [number];
        let others = (1..=3).filter(|other| *other != number);
        let mut found = None;
        until("a leader that serves", || {
            found = others.clone().find(|other| leads(*other));
            found.is_some()
        });
        let (servers, other) = (rig.cluster.servers(), found.unwrap());
        assert_eq!(
            plans(servers, rig.agent(other).client(), &rig.server(number).server_line()),
            ["done", "done", "done", &format!("remove server {number}")]
        );
        assert_eq!(
            plans(servers, rig.agent(number).client(), &rig.server(other).server_line()),
            ["refused: no_quorum", "done", "done", &format!("remove server {other}")]
        );
        rig.server(number).resume().unwrap();
        await_state(rig.agent(number), NodeState::Healthy);
    }
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test zookeeper"]
fn line_7_without_a_quorum_nothing_is_sent() {
    let rig = Rig::ensemble(3);
    let survivor = rig.leader() % 3 + 1;
    let agent = rig.agent(survivor);
    let version = config_version(agent);
    let others: Vec<_> = (1..=3).filter(|number| *number != survivor).collect();
    for number in &others {
        rig.server(*number).kill().unwrap();
    }
    let lost = await_state(agent, NodeState::Unhealthy);
    assert!(lost.node_status_reason.unwrap().contains("not serving"));
    assert_eq!(shard(agent).unwrap().replication_state, Role::Other);
    all_in_time(agent);

    let victim = json!({ "node": others[0].to_string() });
    let line = rig.server(others[0]).server_line();
    assert_eq!(plans(rig.cluster.servers(), agent.client(), &line), NO_QUORUM);
    let begun = Instant::now();
    let (code, message) = failed(&run_within(agent.client(), REMOVE, &victim, 3));
    assert_eq!(code, "deadline");
    assert!(
        message.contains("nothing was sent") && message.contains("not serving"),
        "{message}"
    );
    assert!(begun.elapsed().as_secs() < 12, "{:?}", begun.elapsed());

    for number in &others {
        rig.server(*number).start().unwrap();
    }
    await_state(agent, NodeState::Healthy);
    assert_eq!(config_version(agent), version, "nothing came of it later either");
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test zookeeper"]
fn line_7_with_hung_peers_nothing_is_sent_either() {
    let rig = Rig::ensemble(3);
    let leader = rig.leader();
    let agent = rig.agent(leader);
    let version = config_version(agent);
    let others: Vec<_> = (1..=3).filter(|number| *number != leader).collect();
    for number in &others {
        rig.server(*number).pause().unwrap();
    }
    // The leader does not know yet, and says that it leads.
    let victim = json!({ "node": others[0].to_string() });
    std::thread::scope(|scope| {
        let running = scope.spawn(|| failed(&run_within(agent.client(), REMOVE, &victim, 4)));
        let line = rig.server(others[0]).server_line();
        assert_eq!(plans(rig.cluster.servers(), agent.client(), &line), NO_QUORUM);
        let (code, message) = running.join().unwrap();
        assert!(message.contains("nothing was sent"), "{code}: {message}");
    });
    for number in &others {
        rig.server(*number).resume().unwrap();
    }
    for agent in &rig.agents {
        await_state(agent, NodeState::Healthy);
    }
    assert_eq!(config_version(agent), version);
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test zookeeper"]
fn line_7_a_dead_or_hung_joiner_is_refused_before_any_change() {
    let rig = Rig::start(blank(2));
    await_state(rig.agent(1), NodeState::Healthy);
    await_state(rig.agent(2), NodeState::NotInCluster);
    let (version, joiner, member) = (
        config_version(rig.agent(1)),
        by_member_address(rig.agent(2)),
        by_member_address(rig.agent(1)),
    );
    let refused = || {
        assert_eq!(
            plans(
                rig.cluster.servers(),
                rig.agent(1).client(),
                &rig.server(2).server_line()
            ),
            [
                "done",
                "refused: joiner_unreachable",
                "refused: member_unreachable",
                "done"
            ]
        );
        assert_eq!(
            failed(&run(rig.agent(1).client(), ADD, &joiner)).0,
            "joiner_unreachable"
        );
        assert_eq!(
            plans(
                rig.cluster.servers(),
                rig.agent(2).client(),
                &rig.server(1).server_line()
            ),
            [
                "refused: no_quorum",
                "done",
                "refused: joiner_unreachable",
                "refused: last_participant"
            ]
        );
        assert_eq!(
            failed(&run(rig.agent(2).client(), JOIN, &member)).0,
            "joiner_unreachable"
        );
        assert_eq!(config_version(rig.agent(1)), version);
        assert_eq!(node(rig.agent(1)).node_status, NodeState::Healthy);
    };
    rig.server(2).pause().unwrap();
    refused();
    rig.server(2).kill().unwrap();
    refused();
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test zookeeper"]
fn a_joiner_that_is_no_joiner_is_refused() {
    let rig = Rig::start(blank(3).layout(Layout::Standalone));
    let alone = await_state(rig.agent(1), NodeState::Healthy);
    assert!(alone.node_status_reason.unwrap().contains("standalone"));
    assert_eq!(shard(rig.agent(1)).unwrap().replication_state, Role::Primary);
    let ensemble = Rig::start(blank(1));
    await_state(ensemble.agent(1), NodeState::Healthy);
    let stranger = json!({ "node": rig.server(2).server_line() });
    assert_eq!(
        plan_refused(ensemble.agent(1).client(), ADD, &stranger),
        "joiner_standalone"
    );
    // A leader of an ensemble of its own, under another id than its own.
    let other = Rig::start(blank(1));
    let line = other.server(1).server_line().replace("server.1=", "server.5=");
    assert_eq!(
        plan_refused(ensemble.agent(1).client(), ADD, &json!({ "node": line })),
        "joiner_mistaken"
    );
    let taken = json!({ "node": other.server(1).server_line() });
    assert_eq!(failed(&run(ensemble.agent(1).client(), ADD, &taken)).0, "id_taken");
    for node in ["zk-2", "127.0.0.1:2181", ""] {
        assert_eq!(
            plan_refused(ensemble.agent(1).client(), ADD, &json!({ "node": node })),
            "node_unresolved"
        );
    }
}
