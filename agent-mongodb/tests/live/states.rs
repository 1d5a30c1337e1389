//! What a node is, as its agent tells, in every state that a real server can be brought into.

use agent_sdk::spec::NodeState;
use testbed::mongodb::Cluster;
use testbed::mongodb::bson::doc;

use crate::rig::{Rig, UP, await_state, node};

#[test]
#[ignore = "needs real servers: cargo live-test mongodb"]
fn a_node_that_freezes_dies_is_kept_from_reads_and_stops() {
    let rig = Rig::start(Cluster::builder(3).outside([3]).initiated());
    await_state(rig.agent(1), NodeState::Healthy);
    await_state(rig.agent(3), NodeState::NotInCluster);
    await_state(rig.agent(2), NodeState::Healthy);
    let second = rig.node(2);
    second.pause().unwrap();
    let frozen = await_state(rig.agent(2), NodeState::Unavailable);
    let reason = frozen.node_status_reason.unwrap();
    assert!(reason.contains("last seen"), "{reason}");
    second.resume().unwrap();
    await_state(rig.agent(2), NodeState::Healthy);
    second.kill().unwrap();
    await_state(rig.agent(2), NodeState::Unavailable);
    second.start().unwrap();
    await_state(rig.agent(2), NodeState::Healthy);
    second.command("admin", doc! { "replSetMaintenance": 1 }).unwrap();
    let kept = await_state(rig.agent(2), NodeState::Unhealthy);
    assert!(kept.node_status_reason.unwrap().contains("RECOVERING"));
    second.command("admin", doc! { "replSetMaintenance": 0 }).unwrap();
    await_state(rig.agent(2), NodeState::Healthy);
    second.terminate().unwrap();
    await_state(rig.agent(2), NodeState::LeavingCluster);
    second.wait_exit(UP).unwrap();
    await_state(rig.agent(2), NodeState::Unavailable);
}

#[test]
#[ignore = "needs real servers: cargo live-test mongodb"]
fn a_standalone_is_in_no_cluster() {
    let rig = Rig::start(Cluster::builder(1).standalone(1));
    let alone = await_state(rig.agent(1), NodeState::NotInCluster);
    assert!(alone.node_status_reason.unwrap().contains("--replSet"));
    assert_eq!(node(rig.agent(1)).node_id, rig.node(1).member_address());
}
