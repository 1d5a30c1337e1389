//! Sets that grow and shrink by actions.

use agent_sdk::client::wait;
use agent_sdk::spec::{NodeState, Role};
use serde_json::json;
use testbed::mongodb::{Cluster, Release};

use crate::rig::{
    ADD, CONFIGURE, INIT, REMOVE, Rig, STEP_DOWN, UP, attribute, await_state, done, failed, node, run, run_within,
    shard, until,
};

/// All of a secondary that has nothing to hide.
const ATTRIBUTES: [&str; 19] = [
    "cache-bytes",
    "cache-bytes-max",
    "config-version",
    "connections",
    "connections-available",
    "delay-seconds",
    "feature-compatibility-version",
    "hidden",
    "member-id",
    "member-state",
    "oplog-window-seconds",
    "primary",
    "priority",
    "set",
    "storage-engine",
    "sync-source",
    "term",
    "votes",
    "voting-members",
];

/// Blank nodes, init, add, add: as the servers themselves say. Then everything once more, which changes nothing.
#[test]
#[ignore = "needs real servers: cargo live-test mongodb"]
fn blank_nodes_become_a_set_and_repeats_change_nothing() {
    let rig = Rig::start(Cluster::builder(3));
    for agent in &rig.agents {
        await_state(agent, NodeState::NotInCluster);
    }
    let initialised = done(&run(rig.client(1), INIT, &json!({})));
    assert_eq!(initialised["cluster_id"], "rs0");
    assert_eq!(initialised["changed"], true);
    for number in [2, 3] {
        let added = done(&run(rig.client(1), ADD, &rig.named(number)));
        assert_eq!((&added["voter"], &added["changed"]), (&json!(true), &json!(true)));
    }
    for agent in &rig.agents {
        await_state(agent, NodeState::Healthy);
    }
    let states: Vec<_> = (1..=3).map(|number| rig.node(number).state().unwrap()).collect();
    assert_eq!(states, [1, 2, 2]);
    assert_eq!(rig.in_role(Role::Primary), [1]);
    assert_eq!(rig.in_role(Role::Secondary), [2, 3]);
    assert_eq!(rig.votes(1), 3);

    let told = wait(rig.client(2).store()).unwrap().attributes;
    let names: Vec<_> = told
        .keys()
        .filter_map(|name| name.strip_prefix("mongodb.com/"))
        .collect();
    assert_eq!(names, ATTRIBUTES);
    let is = |name: &str| told[&format!("mongodb.com/{name}")].clone();
    assert_eq!(
        (is("primary"), is("sync-source")),
        (rig.named(1)["node"].clone(), rig.named(1)["node"].clone())
    );
    assert_eq!(
        (is("member-state"), is("feature-compatibility-version")),
        (json!("SECONDARY"), json!("6.0"))
    );
    assert_eq!(
        (is("voting-members"), is("config-version")),
        (json!(3), json!(rig.version(1)))
    );

    let version = rig.version(1);
    let unchanged = |number, kind, args| {
        assert_eq!(done(&run(rig.client(number), kind, &args))["changed"], false, "{kind}");
    };
    unchanged(1, INIT, json!({}));
    // From a secondary, which finds the primary.
    unchanged(3, ADD, rig.named(2));
    unchanged(1, REMOVE, json!({ "node": "127.0.0.1:1" }));
    unchanged(1, CONFIGURE, rig.named_with(2, &json!({ "votes": 1 })));
    unchanged(2, STEP_DOWN, json!({}));
    assert_eq!(rig.version(1), version);
}

/// The primary steps down; the next one is removed as the primary, comes back as nobody, and is added again.
#[test]
#[ignore = "needs real servers: cargo live-test mongodb"]
fn a_primary_hands_over_and_leaves() {
    let rig = Rig::granted(Cluster::builder(3));
    assert_eq!(rig.cluster.primary(UP).unwrap().number(), 1);
    let handed = done(&run(rig.client(1), STEP_DOWN, &json!({ "stay_s": 5, "catch_up_s": 2 })));
    assert_eq!(handed["changed"], true);
    assert_ne!(handed["primary"], json!(rig.node(1).member_address()));
    let primary = rig.cluster.primary(UP).unwrap().number();
    let other = (1..=3).find(|number| *number != primary).unwrap();
    let removed = done(&run(rig.client(other), REMOVE, &rig.named(primary)));
    assert_eq!(removed["changed"], true);
    assert_eq!(removed["members"].as_array().unwrap().len(), 2);
    await_state(rig.agent(primary), NodeState::NotInCluster);
    assert_eq!(
        done(&run(rig.client(other), REMOVE, &rig.named(primary)))["changed"],
        false
    );
    // Started anew it is what it was, and init does not make it a set of its own.
    rig.node(primary).restart().unwrap();
    await_state(rig.agent(primary), NodeState::NotInCluster);
    assert_eq!(failed(&run(rig.client(primary), INIT, &json!({}))).0, "removed");
    done(&run(rig.client(other), ADD, &rig.named(primary)));
    await_state(rig.agent(primary), NodeState::Healthy);
    // By itself, and once more when it is out.
    let itself = |changed| {
        let removed = done(&run(rig.client(primary), REMOVE, &rig.named(primary)));
        assert_eq!(
            (&removed["changed"], removed["members"].as_array().unwrap().len()),
            (&json!(changed), 2)
        );
    };
    itself(true);
    await_state(rig.agent(primary), NodeState::NotInCluster);
    itself(false);
    // Dead, it is taken out without any force: those that are left are a majority.
    done(&run(rig.client(other), ADD, &rig.named(primary)));
    rig.node(primary).kill().unwrap();
    assert_eq!(
        done(&run(rig.client(other), REMOVE, &rig.named(primary)))["changed"],
        true
    );
    // A member by another name is not one that is gone.
    let alias = json!({ "node": format!("localhost:{}", rig.node(other).address().port()) });
    assert_eq!(failed(&run(rig.client(other), REMOVE, &alias)).0, "same_node");
}

/// What a member can be.
#[test]
#[ignore = "needs real servers: cargo live-test mongodb"]
fn a_member_is_hidden_delayed_given_tags_and_back() {
    let rig = Rig::granted(Cluster::builder(3));
    let change = |more| run(rig.client(1), CONFIGURE, &rig.named_with(3, &more));
    let hidden = done(&change(json!({ "hidden": true, "tags": { "dc": "b" }, "delay_s": 5 })));
    assert_eq!((&hidden["priority"], &hidden["votes"]), (&json!(0.0), &json!(1)));
    assert_eq!(
        (&hidden["delay_s"], &hidden["tags"]),
        (&json!(5), &json!({ "dc": "b" }))
    );
    // It stays behind by what it was told to, and is not in the way of others.
    rig.cluster.write(1, false).unwrap();
    until("it is as far behind as it shall be", || {
        let lag = shard(rig.agent(3)).and_then(|shard| shard.replication_lag);
        lag.is_some_and(|lag| lag.value >= 3_000)
    });
    assert_eq!(done(&change(json!({ "votes": 0 })))["votes"], 0);
    assert_eq!(rig.votes(1), 2);
    let shown = json!([true, 0, 5, 0.0, 2]);
    until("the agent shows what its member is", || {
        let names = ["hidden", "votes", "delay-seconds", "priority", "member-id"];
        json!(names.map(|name| attribute(rig.agent(3), name))) == shown
    });
    let back = json!({ "votes": 1, "hidden": false, "delay_s": 0, "priority": 1, "tags": {} });
    let back = done(&change(back));
    assert_eq!((&back["votes"], &back["tags"]), (&json!(1), &json!({})));
    assert_eq!(rig.votes(1), 3);
    let primary = rig.cluster.primary(UP).unwrap().number();
    let silenced = run(
        rig.client(1),
        CONFIGURE,
        &rig.named_with(primary, &json!({ "votes": 0 })),
    );
    assert_eq!(failed(&silenced).0, "is_primary");
}

/// Without a majority a removal is refused, and force takes it all the same.
#[test]
#[ignore = "needs real servers: cargo live-test mongodb"]
fn a_lost_majority_is_told_and_only_force_goes_on() {
    let rig = Rig::granted(Cluster::builder(3));
    rig.node(3).kill().unwrap();
    let third = rig.node(3).member_address();
    until("the primary has heard of it", || {
        let members = rig.node(1).status().unwrap();
        members.get_array("members").unwrap().iter().any(|member| {
            let member = member.as_document().unwrap();
            member.get_str("name").unwrap() == third && member.get_i32("state").unwrap() == 8
        })
    });
    let (code, message) = failed(&run(rig.client(1), REMOVE, &rig.named(2)));
    assert!(code == "no_majority" && message.contains(&third), "{message}");
    assert_eq!(rig.version(1), 1, "nothing was changed");
    rig.node(2).kill().unwrap();
    until("there is no primary", || rig.node(1).state().unwrap() == 2);
    let (code, message) = failed(&run_within(rig.client(1), REMOVE, &rig.named(2), 3));
    assert!(code == "deadline" && message.contains("no primary"), "{code} {message}");
    for number in [2, 3] {
        done(&run(
            rig.client(1),
            REMOVE,
            &rig.named_with(number, &json!({ "force": true })),
        ));
    }
    until("the one that is left is the primary", || {
        rig.in_role(Role::Primary) == [1]
    });
}

/// With a majority there, force waits for the election, and forces nothing.
#[test]
#[ignore = "needs real servers: cargo live-test mongodb"]
fn force_does_not_come_before_an_election() {
    let rig = Rig::granted(Cluster::builder(3));
    rig.cluster.primary(UP).unwrap().kill().unwrap();
    let lost = (1..=3).find(|number| !rig.node(*number).is_running()).unwrap();
    let left = (1..=3).find(|number| *number != lost).unwrap();
    let forced = rig.named_with(lost, &json!({ "force": true }));
    assert_eq!(done(&run(rig.client(left), REMOVE, &forced))["changed"], true);
    assert_eq!(rig.version(left), 2, "an ordinary change, on the next primary");
}

/// One whose agent does not know its name in the set takes itself out all the same.
#[test]
#[ignore = "needs real servers: cargo live-test mongodb"]
fn a_member_by_another_address_takes_itself_out() {
    let rig = Rig::start_with(Cluster::builder(2).initiated(), |_, server| {
        server.address = format!("localhost:{}", server.address.port()).parse().unwrap();
        server.member_address = None;
    });
    let removed = done(&run(rig.client(2), REMOVE, &rig.named(2)));
    assert_eq!(
        (&removed["changed"], &removed["members"]),
        (&json!(true), &json!([rig.node(1).member_address()]))
    );
}

/// The older releases, as far as they differ: how the delay is called, how a change is answered, what is told of others.
#[test]
#[ignore = "needs real servers: cargo live-test mongodb"]
fn older_releases_grow_and_shrink_too() {
    for release in [Release::V4_4_2, Release::V5_0_4] {
        let rig = Rig::start(Cluster::builder(3).release(release));
        done(&run(rig.client(1), INIT, &json!({})));
        done(&run(rig.client(1), ADD, &rig.named(2)));
        let delayed = rig.named_with(3, &json!({ "delay_s": 2 }));
        done(&run(rig.client(1), ADD, &delayed));
        assert_eq!(done(&run(rig.client(1), ADD, &delayed))["changed"], false);
        assert_eq!(node(rig.agent(2)).store_version.number, release.version());
        until("the lag is told", || {
            shard(rig.agent(2)).is_some_and(|shard| shard.replication_lag.is_some())
        });
        done(&run(rig.client(1), REMOVE, &rig.named(3)));
        await_state(rig.agent(3), NodeState::NotInCluster);
    }
}
