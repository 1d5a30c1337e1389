//! Line 5: removing the dead, the unknown and the leader itself; and the way back.

use agent_sdk::client::Client;
use agent_sdk::spec::{NodeState, Role};
use serde_json::json;
use testbed::zookeeper::Server;

use crate::foreseen::foreseen;
use crate::plans::{plan_refused, plans};
use crate::rig::{
    ADD, REMOVE, Rig, UP, await_state, by_member_address, config_version, done, failed, node, run, shard, until,
};

/// Whoever is named and never was there, and whoever is not named at all.
fn never_known(servers: &[Server], client: &Client, dead: [&str; 4]) {
    let unresolved = ["done", "refused: node_unresolved", "refused: node_unresolved", "done"];
    for (unknown, told) in [("99", unresolved), ("server.99=127.0.0.1:1:2:participant;3", dead)] {
        assert_eq!(plans(servers, client, unknown), told);
        foreseen(servers, client, REMOVE, &json!({ "node": unknown }));
    }
    for nobody in ["zk-2", "127.0.0.1:2181", "server.1", ""] {
        let args = json!({ "node": nobody });
        assert_eq!(plan_refused(client, REMOVE, &args), "node_unresolved");
        assert_eq!(failed(&run(client, REMOVE, &args)).0, "node_unresolved");
    }
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test zookeeper"]
fn line_5_the_dead_the_unknown_and_the_leader_are_removed() {
    let rig = Rig::ensemble(3);
    let leader = rig.leader();
    let dead = leader % 3 + 1;
    let survivor = dead % 3 + 1;
    let (servers, client) = (rig.cluster.servers(), rig.agent(survivor).client());

    // Dead, by its id.
    rig.server(dead).kill().unwrap();
    let dead_line = rig.server(dead).server_line();
    let removal = |number: usize| format!("remove server {number}");
    assert_eq!(
        plans(servers, client, &dead_line),
        ["done", "done", "done", &removal(dead)]
    );
    let args = json!({ "node": dead.to_string() });
    assert_eq!(done(&foreseen(servers, client, REMOVE, &args))["changed"], true);
    let version = config_version(rig.agent(survivor));
    let gone = [
        "done",
        "refused: joiner_unreachable",
        "refused: member_unreachable",
        "done",
    ];
    assert_eq!(plans(servers, client, &dead_line), gone);
    assert_eq!(done(&foreseen(servers, client, REMOVE, &args))["changed"], false);

    never_known(servers, client, gone);
    assert_eq!(config_version(rig.agent(survivor)), version);

    // The leader itself, by its own agent and its own server line.
    until("the leader to lead still", || rig.in_role(Role::Primary) == [leader]);
    let args = by_member_address(rig.agent(leader));
    let (leads, led_line) = (rig.agent(leader).client(), rig.server(leader).server_line());
    for client in [client, leads] {
        assert_eq!(
            plans(servers, client, &led_line),
            ["done", "done", "done", &removal(leader)]
        );
    }
    let removed = done(&foreseen(servers, leads, REMOVE, &args));
    assert_eq!(removed["changed"], true);
    assert!(removed["note"].as_str().unwrap().contains("dynamic file"));
    until("a new primary", || rig.in_role(Role::Primary) == [survivor]);
    await_state(rig.agent(survivor), NodeState::Healthy);
    await_state(rig.agent(leader), NodeState::NotInCluster);
    assert_eq!(shard(rig.agent(leader)), None);
    assert_eq!(
        done(&run(client, REMOVE, &args))["changed"],
        false,
        "once more, from elsewhere"
    );

    // Removed, and still running: it may be taken in again.
    let take = format!("take server.{leader}");
    assert_eq!(plans(servers, client, &led_line), ["done", &take, "done", "done"]);
    assert_eq!(
        plans(servers, leads, &led_line),
        ["refused: other_ensemble", &take, &take, "done"]
    );

    // The last one stays.
    let last = json!({ "node": survivor.to_string() });
    let last_line = rig.server(survivor).server_line();
    assert_eq!(
        plans(servers, client, &last_line),
        ["done", "done", "done", "refused: last_participant"]
    );
    assert_eq!(
        plans(servers, leads, &last_line),
        ["refused: other_ensemble", "done", &take, "refused: last_participant"]
    );
    for client in [client, leads] {
        assert_eq!(failed(&foreseen(servers, client, REMOVE, &last)).0, "last_participant");
    }

    // Restarted, a removed server exits.
    rig.server(leader).restart().unwrap();
    assert!(!rig.server(leader).wait_exit(UP).unwrap().success());
    let gone = await_state(rig.agent(leader), NodeState::Unavailable);
    let reason = gone.node_status_reason.unwrap();
    println!("the agent of a removed server that was restarted says: {reason}");
    assert!(
        reason.contains("last seen") && reason.contains("outside of the ensemble"),
        "{reason}"
    );
    assert_eq!(
        plans(servers, leads, &last_line),
        [
            "refused: no_quorum",
            "done",
            "refused: joiner_unreachable",
            "refused: last_participant"
        ]
    );

    // The way back: its own dynamic file names the members and itself again.
    rig.server(leader)
        .configure_joiner(&[rig.server(survivor).server_line()])
        .unwrap();
    rig.server(leader).start().unwrap();
    await_state(rig.agent(leader), NodeState::NotInCluster);
    let back = by_member_address(rig.agent(leader));
    assert_eq!(done(&foreseen(servers, client, ADD, &back))["changed"], true);
    await_state(rig.agent(leader), NodeState::Healthy);
    assert_eq!(node(rig.agent(dead)).node_status, NodeState::Unavailable);
}
