//! What a node is, as its agent tells, in every state that a real server can be brought into.

use agent_sdk::client::{Schedule, wait};
use agent_sdk::spec::{NodeState, Role, State};
use testbed::mongodb::Cluster;
use testbed::mongodb::bson::doc;

use crate::rig::{ADD, REMOVE, Rig, UP, all_in_time, await_state, done, failed, node, run, settle, shard, until};

#[test]
#[ignore = "needs real servers: cargo live-test mongodb"]
fn a_node_that_freezes_dies_is_kept_from_reads_and_stops() {
    let rig = Rig::start(Cluster::builder(4).outside([4]).initiated());
    await_state(rig.agent(1), NodeState::Healthy);
    await_state(rig.agent(4), NodeState::NotInCluster);
    await_state(rig.agent(2), NodeState::Healthy);
    settle(&rig, 3);
    let second = rig.node(2);
    second.pause().unwrap();
    let frozen = await_state(rig.agent(2), NodeState::Unavailable);
    let reason = frozen.node_status_reason.unwrap();
    assert!(reason.contains("last seen"), "{reason}");
    all_in_time(rig.agent(2));
    second.resume().unwrap();
    await_state(rig.agent(2), NodeState::Healthy);
    // It may have been elected as it woke up.
    settle(&rig, 3);
    second.kill().unwrap();
    await_state(rig.agent(2), NodeState::Unavailable);
    second.start().unwrap();
    await_state(rig.agent(2), NodeState::Healthy);
    until("it follows again", || second.state().unwrap() == 2);
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

/// A first copy that cannot begin, since its source may be a secondary only, and there is none.
#[test]
#[ignore = "needs real servers: cargo live-test mongodb"]
fn a_member_that_makes_its_first_copy_joins_and_is_never_a_voter_before() {
    let source = ["--setParameter", "initialSyncSourceReadPreference=secondary"];
    let rig = Rig::start(Cluster::builder(2).outside([2]).initiated().node_arguments(2, &source));
    let schedule = Schedule::new(ADD).with_args(&rig.named(2));
    let id = wait(rig.client(1).schedule(&schedule)).unwrap().id;
    let joining = await_state(rig.agent(2), NodeState::JoiningCluster);
    assert!(joining.node_status_reason.unwrap().contains("STARTUP2"));
    let copy = shard(rig.agent(2)).unwrap();
    assert_eq!(copy.replication_state, Role::Recovering);
    assert!(
        copy.commit_offset.is_none() && copy.replication_lag.is_none(),
        "{copy:?}"
    );
    until("the action says what it waits for", || {
        let record = wait(rig.client(1).record(id)).unwrap();
        record
            .state_payload
            .is_some_and(|payload| payload.get().contains("STARTUP2"))
    });
    // Somebody takes it out meanwhile: it is not taken in again.
    done(&run(rig.client(2), REMOVE, &rig.named(2)));
    let gone = wait(rig.client(1).ended(id, UP)).unwrap();
    assert_eq!(failed(&gone).0, "removed_meanwhile");
    await_state(rig.agent(2), NodeState::NotInCluster);

    let id = wait(rig.client(1).schedule(&schedule)).unwrap().id;
    await_state(rig.agent(2), NodeState::JoiningCluster);
    wait(rig.client(1).cancel(id)).unwrap();
    let cancelled = wait(rig.client(1).ended(id, UP)).unwrap();
    assert_eq!(cancelled.state, State::Failed);
    assert_eq!(rig.votes(1), 1);
    let differs = failed(&run(rig.client(1), ADD, &rig.named(2)));
    assert!(
        differs.0 == "member_differs" && differs.1.contains("member.configure"),
        "{differs:?}"
    );
    done(&run(rig.client(1), REMOVE, &rig.named(2)));
    await_state(rig.agent(2), NodeState::NotInCluster);
}
