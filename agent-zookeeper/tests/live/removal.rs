//! Line 5: removing the dead, the unknown and the leader itself; and the way back.

use agent_sdk::spec::{NodeState, Role};
use serde_json::json;

use crate::plans::{plan, plan_refused, planned, plans};
use crate::rig::{
    ADD, REMOVE, Rig, UP, await_state, by_member_address, config_version, done, failed, node, run, shard, until,
};

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test zookeeper"]
fn line_5_the_dead_the_unknown_and_the_leader_are_removed() {
    let rig = Rig::ensemble(3);
    let leader = rig.leader();
    let dead = leader % 3 + 1;
    let survivor = dead % 3 + 1;
    let client = rig.agent(survivor).client();

    // Dead, by its id.
    rig.server(dead).kill().unwrap();
    let args = json!({ "node": dead.to_string() });
    let step = planned(client, REMOVE, &args);
    assert!(
        step.summary.contains(&format!("remove server {dead}")),
        "{}",
        step.summary
    );
    assert_eq!(done(&run(client, REMOVE, &args))["changed"], true);
    let version = config_version(rig.agent(survivor));
    let told = plans(rig.cluster.servers(), client, &rig.server(dead).server_line());
    assert_eq!(
        told,
        [
            "done",
            "refused: joiner_unreachable",
            "refused: member_unreachable",
            "done"
        ]
    );
    assert_eq!(done(&run(client, REMOVE, &args))["changed"], false);

    // Never known, and not to be known.
    for unknown in ["99", "server.99=nowhere:1:2:participant;3"] {
        let args = json!({ "node": unknown });
        assert!(plan(client, REMOVE, &args).done);
        assert_eq!(done(&run(client, REMOVE, &args))["changed"], false);
    }
    for nobody in ["zk-2", "127.0.0.1:2181", "server.1", ""] {
        let args = json!({ "node": nobody });
        assert_eq!(plan_refused(client, REMOVE, &args), "node_unresolved");
        assert_eq!(failed(&run(client, REMOVE, &args)).0, "node_unresolved");
    }
    assert_eq!(config_version(rig.agent(survivor)), version);

    // The leader itself, by its own agent and its own server line.
    until("the leader to lead still", || rig.in_role(Role::Primary) == [leader]);
    let args = by_member_address(rig.agent(leader));
    planned(rig.agent(leader).client(), REMOVE, &args);
    let removed = done(&run(rig.agent(leader).client(), REMOVE, &args));
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

    // The last one stays.
    let last = json!({ "node": survivor.to_string() });
    assert_eq!(plan_refused(client, REMOVE, &last), "last_participant");
    assert_eq!(failed(&run(client, REMOVE, &last)).0, "last_participant");

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

    // The way back: its own dynamic file names the members and itself again.
    rig.server(leader)
        .configure_joiner(&[rig.server(survivor).server_line()])
        .unwrap();
    rig.server(leader).start().unwrap();
    await_state(rig.agent(leader), NodeState::NotInCluster);
    assert_eq!(
        done(&run(client, ADD, &by_member_address(rig.agent(leader))))["changed"],
        true
    );
    await_state(rig.agent(leader), NodeState::Healthy);
    assert_eq!(node(rig.agent(dead)).node_status, NodeState::Unavailable);
}
