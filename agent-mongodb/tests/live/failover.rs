//! Lines 3 and 4: primaries that are lost, writes that are taken back, and secondaries that stay behind.

use std::cell::RefCell;
use std::collections::BTreeMap;

use agent_sdk::spec::{NodeState, Role};
use serde_json::{Value, json};
use testbed::mongodb::bson::{Document, doc};
use testbed::mongodb::{Cluster, Node};

use crate::rig::{INIT, Rig, UP, attribute, await_state, done, grant, run, seconds, settle, shard, until};

/// A set of three that elects within two seconds, made by the richer form of `cluster.init`.
fn quick(rig: &Rig) {
    initiate(rig);
    settle(rig, 3);
}

fn initiate(rig: &Rig) {
    let members: Vec<_> = (1..=3).map(|number| rig.named(number)).collect();
    let settings = json!({ "election_timeout_ms": 2_000, "heartbeat_timeout_s": 2 });
    done(&run(
        rig.client(1),
        INIT,
        &json!({ "members": members, "settings": settings }),
    ));
    for agent in &rig.agents {
        await_state(agent, NodeState::Healthy);
    }
}

/// Terms by the nodes whose agents say that they are the primary. Two in one term there never are.
fn primaries(rig: &Rig) -> BTreeMap<u32, Value> {
    let mut found = BTreeMap::new();
    for number in rig.in_role(Role::Primary) {
        let term = attribute(rig.agent(number), "term");
        // Seen as the primary before and after it told its term.
        let still = shard(rig.agent(number)).is_some_and(|shard| shard.replication_state == Role::Primary);
        if let Some(term) = term.filter(|_| still) {
            assert!(!found.values().any(|other| *other == term), "two primaries in {term}");
            found.insert(number, term);
        }
    }
    found
}

/// The node that is the primary, and its term, once all agents agree on one. `but`: whose agent has nobody to ask.
fn agreed(rig: &Rig, but: Option<u32>) -> (u32, Value) {
    let found = RefCell::new(None);
    until("one primary, and it is another", || {
        let now = primaries(rig);
        let only = now.len() == 1;
        *found.borrow_mut() = now.into_iter().next();
        found.borrow().as_ref().is_some_and(|(number, _)| {
            let name = json!(rig.node(*number).member_address());
            let others = (1..=3).filter(|number| Some(*number) != but);
            let mut told = others.map(|number| attribute(rig.agent(number), "primary"));
            only && Some(*number) != but && told.all(|primary| primary.as_ref() == Some(&name))
        })
    });
    found.into_inner().unwrap()
}

#[test]
#[ignore = "needs real servers: cargo live-test mongodb"]
fn a_primary_that_dies_or_freezes_is_replaced_and_comes_back() {
    let rig = Rig::guarded(Cluster::builder(3));
    initiate(&rig);
    grant(rig.cluster.primary(UP).unwrap());
    rig.cluster.create_root().unwrap();
    settle(&rig, 3);
    let (first, term) = agreed(&rig, None);
    rig.node(first).kill().unwrap();
    await_state(rig.agent(first), NodeState::Unavailable);
    let (_, later) = agreed(&rig, Some(first));
    assert!(later.as_i64() > term.as_i64(), "{later} after {term}");
    rig.node(first).start().unwrap();
    await_state(rig.agent(first), NodeState::Healthy);
    until("the dead one is a secondary", || {
        rig.in_role(Role::Secondary).contains(&first)
    });

    // It may have been elected anew on a busy machine.
    let (second, term) = agreed(&rig, None);
    rig.node(second).pause().unwrap();
    await_state(rig.agent(second), NodeState::Unavailable);
    let (_, later) = agreed(&rig, Some(second));
    assert!(later.as_i64() > term.as_i64(), "{later} after {term}");
    rig.node(second).resume().unwrap();
    await_state(rig.agent(second), NodeState::Healthy);
    until("one primary and two secondaries", || {
        primaries(&rig).len() == 1 && rig.in_role(Role::Secondary).len() == 2
    });
}

fn fail_point(node: &Node, name: &str, mode: &str) {
    let command = doc! { "configureFailPoint": name, "mode": mode };
    node.command("admin", command).unwrap();
}

fn insert(node: &Node, id: i32) -> Result<Document, testbed::mongodb::Error> {
    let concern = doc! { "w": 1 };
    let command = doc! { "insert": "lost", "documents": [{ "_id": id }], "writeConcern": concern };
    node.command("testbed", command)
}

fn offset(rig: &Rig, number: u32) -> Option<i64> {
    Some(shard(rig.agent(number))?.commit_offset?.value)
}

/// Writes that only the old primary has are taken back when it is a secondary again.
#[test]
#[ignore = "needs real servers: cargo live-test mongodb"]
fn a_write_that_is_lost_is_seen_as_an_offset_that_goes_back() {
    // The server's own means to hold it in the middle of what takes a tenth of a second.
    let builder = (1..=3).fold(Cluster::builder(3), |builder, number| {
        builder.node_arguments(number, &["--setParameter", "enableTestCommands=1"])
    });
    let rig = Rig::start(builder);
    quick(&rig);
    let (old, _) = agreed(&rig, None);
    let others: Vec<u32> = (1..=3).filter(|number| *number != old).collect();
    rig.cluster.write(10, true).unwrap();
    // Not frozen: what a frozen one was sent it would get later.
    for number in &others {
        rig.node(*number).kill().unwrap();
    }
    for id in 0..10 {
        insert(rig.node(old), id).unwrap();
    }
    until("the agent shows the writes", || offset(&rig, old).is_some());
    let doomed = offset(&rig, old).unwrap();
    fail_point(rig.node(old), "rollbackHangAfterTransitionToRollback", "alwaysOn");
    rig.node(old).pause().unwrap();
    for number in &others {
        rig.node(*number).start().unwrap();
    }
    let new = others[0];
    for number in &others {
        await_state(rig.agent(*number), NodeState::Healthy);
    }
    until("another one is elected, and takes a write", || {
        others.iter().any(|number| insert(rig.node(*number), 100).is_ok())
    });
    rig.node(old).resume().unwrap();

    let reason = await_state(rig.agent(old), NodeState::Unhealthy)
        .node_status_reason
        .unwrap();
    assert!(reason.contains("ROLLBACK"), "{reason}");
    let held = shard(rig.agent(old)).unwrap();
    assert_eq!(held.replication_state, Role::Recovering);
    assert!(
        held.commit_offset.unwrap().value >= doomed,
        "as long as nothing is taken back"
    );
    // It copies nothing new for now, so that what is left is seen.
    fail_point(rig.node(old), "stopReplProducer", "alwaysOn");
    fail_point(rig.node(old), "rollbackHangAfterTransitionToRollback", "off");
    until("the writes are taken back", || {
        offset(&rig, old).is_some_and(|now| now < doomed)
    });
    fail_point(rig.node(old), "stopReplProducer", "off");
    await_state(rig.agent(old), NodeState::Healthy);
    until("it has what the others have", || {
        offset(&rig, old).is_some_and(|now| now > doomed) && offset(&rig, new).is_some()
    });
}

fn lag(rig: &Rig, number: u32) -> Option<i64> {
    let shard = shard(rig.agent(number))?;
    let lag = shard.replication_lag?;
    assert!(lag.value >= 0 && lag.unit == "milliseconds", "{lag:?}");
    Some(lag.value)
}

/// A secondary is held back under load, and let go; then nothing is written but what the server writes by itself.
#[test]
#[ignore = "needs real servers: cargo live-test mongodb"]
fn lag_grows_and_shrinks_and_does_not_drift() {
    // An hour of idle time has 360 writes of the server's own; here it makes one in each second.
    let arguments = [
        "--setParameter",
        "enableTestCommands=1",
        "--setParameter",
        "periodicNoopIntervalSecs=1",
    ];
    let builder = (1..=2).fold(Cluster::builder(2), |builder, number| {
        builder.node_arguments(number, &arguments)
    });
    let rig = Rig::start(builder.initiated());
    let (primary, behind) = (rig.cluster.primary(UP).unwrap().number(), 2);
    assert_eq!(primary, 1);
    fail_point(rig.node(behind), "stopReplProducer", "alwaysOn");
    let before = offset(&rig, behind).unwrap();
    until("it is four seconds behind", || {
        rig.cluster.write(1, false).unwrap();
        lag(&rig, behind).is_some_and(|lag| lag > 4_000)
    });
    assert_eq!(offset(&rig, behind).unwrap(), before, "it stands still");
    fail_point(rig.node(behind), "stopReplProducer", "off");
    until("it has caught up", || lag(&rig, behind).is_some_and(|lag| lag < 1_000));

    let idle_since = seconds(&rig.node(behind).status().unwrap(), "appliedOpTime");
    let mut largest = 0;
    until("a dozen writes of the server's own have come", || {
        largest = largest.max(lag(&rig, behind).unwrap_or_default());
        seconds(&rig.node(behind).status().unwrap(), "appliedOpTime") >= idle_since + 12
    });
    assert!(largest < 3_000, "it has drifted to {largest} ms");
    assert!(lag(&rig, primary).is_none(), "a primary is behind nobody");
}
