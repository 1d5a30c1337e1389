//! Lines 5 and 6: what does not belong into a set, and what the server answers with an error.

use agent_sdk::client::{Schedule, wait};
use agent_sdk::spec::{NodeState, State};
use serde_json::{Value, json};
use testbed::mongodb::Cluster;
use testbed::mongodb::bson::doc;

use crate::rig::{
    ADD, CONFIGURE, INIT, Rig, STEP_DOWN, UP, await_state, done, failed, run, run_within, settings, settle, start,
};

/// A node of another set, one of another set of the same name, a dead one, a standalone, and a member under another name.
#[test]
#[ignore = "needs real servers: cargo live-test mongodb"]
fn who_does_not_belong_is_not_taken_in() {
    let rig = Rig::start(Cluster::builder(3).outside([3]).initiated());
    let version = rig.version(1);
    let refused = |node: &str, code: &str, says: &str| {
        let (was, message) = failed(&run(rig.client(1), ADD, &json!({ "node": node })));
        assert!(was == code && message.contains(says), "{node}: {was} {message}");
        assert_eq!(rig.version(1), version, "{node}: the set is untouched");
    };
    let other = Cluster::builder(1).set_name("other").initiated().start(UP).unwrap();
    refused(&other.nodes()[0].member_address(), "other_set", "other");
    drop(other);
    let same_name = Cluster::builder(1).initiated().start(UP).unwrap();
    refused(
        &same_name.nodes()[0].member_address(),
        "other_set",
        "a set of its own, rs0",
    );
    drop(same_name);
    let alone = Cluster::builder(1).standalone(1).start(UP).unwrap();
    refused(&alone.nodes()[0].member_address(), "not_a_member", "--replSet");
    drop(alone);
    for number in [1, 2] {
        let alias = format!("localhost:{}", rig.node(number).address().port());
        refused(&alias, "same_node", &rig.node(number).member_address());
    }
    refused("mongo-1", "node_unresolved", "mongo-1");
    // A dead one may come back: tried again until the deadline.
    rig.node(3).kill().unwrap();
    let (code, message) = failed(&run_within(rig.client(1), ADD, &rig.named(3), 3));
    assert!(
        code == "deadline" && message.contains("nobody answers"),
        "{code} {message}"
    );
    assert_eq!(rig.version(1), version);
}

/// One that hides that it is of another set until the set talks to it: this release finds out before it takes it in. What it
/// finds out later is in `secured.rs`: another key.
#[test]
#[ignore = "needs real servers: cargo live-test mongodb"]
fn a_blank_node_for_another_set_is_not_taken_in() {
    let rig = Rig::start(Cluster::builder(1).initiated());
    // Blank, and started for a set of another name.
    let other = Cluster::builder(1).set_name("other").start(UP).unwrap();
    let args = json!({ "node": other.nodes()[0].member_address() });
    let record = run(rig.client(1), ADD, &args);
    let (code, message) = failed(&record);
    let members = rig.node(1).config().unwrap();
    assert_eq!(members.get_array("members").unwrap().len(), 1, "{code}: {message}");
    assert!(code == "other_set" && message.contains("103"), "{code}: {message}");
    assert_eq!(rig.votes(1), 1);
}

/// What the server refuses, by its codes.
#[test]
#[ignore = "needs real servers: cargo live-test mongodb"]
fn errors_of_the_server_are_told_for_what_they_are() {
    let rig = Rig::start(Cluster::builder(3));
    let first = rig.client(1);
    let with = |more: Value| run_within(first, INIT, &more, 3);
    // 74: a member that does not answer.
    rig.node(3).kill().unwrap();
    let (code, message) = failed(&with(json!({ "members": [rig.named(1), rig.named(3)] })));
    assert!(
        code == "deadline" && message.contains("74 NodeNotFound"),
        "{code} {message}"
    );
    // 93: a name that is not this server's.
    let mut named = settings(&rig.cluster, rig.node(1));
    named.member_address = Some("127.0.0.1:1".parse().unwrap());
    let misnamed = start(named);
    let (code, message) = failed(&run(misnamed.client(), INIT, &json!({})));
    assert!(
        code == "refused" && message.contains("93 InvalidReplicaSetConfig"),
        "{code} {message}"
    );
    drop(misnamed);
    done(&with(json!({})));
    // 262: nobody could take over.
    let alone = run(first, STEP_DOWN, &json!({ "stay_s": 5, "catch_up_s": 1 }));
    let (code, message) = failed(&alone);
    assert!(code == "no_successor" && message.contains("262"), "{code} {message}");
    // 103: an arbiter would change what a write is acknowledged by.
    let arbiter = rig.named_with(2, &json!({ "arbiter": true }));
    let (code, message) = failed(&run(first, ADD, &arbiter));
    assert!(
        code == "default_write_concern" && message.contains("setDefaultRWConcern"),
        "{code} {message}"
    );
    let cure = doc! { "setDefaultRWConcern": 1, "defaultWriteConcern": { "w": 1 } };
    rig.node(1).command("admin", cure).unwrap();
    assert_eq!(done(&run(first, ADD, &arbiter))["voter"], true);
    let info = await_state(rig.agent(2), NodeState::Healthy);
    assert!(info.node_status_reason.unwrap().contains("arbiter"));
    assert_eq!(wait(rig.client(2).shards()).unwrap().shards.len(), 0);
    assert_eq!(done(&run(first, ADD, &arbiter))["changed"], false);
}

/// Changes from all sides at once: who comes second is told so (103, 109 or 308), and tries again until it is done.
#[test]
#[ignore = "needs real servers: cargo live-test mongodb"]
fn changes_at_the_same_time_are_all_made() {
    let rig = Rig::granted(Cluster::builder(3));
    let scheduled: Vec<_> = (1..=3)
        .map(|number| {
            let args = rig.named_with(number, &json!({ "tags": { "rack": number.to_string() } }));
            let schedule = Schedule::new(CONFIGURE).with_args(&args);
            (number, wait(rig.client(number).schedule(&schedule)).unwrap().id)
        })
        .collect();
    for (number, id) in scheduled {
        let record = wait(rig.client(number).ended(id, UP)).unwrap();
        assert_eq!(record.state, State::Done, "{:?}", record.error);
    }
    let config = rig.node(1).config().unwrap();
    let racks: Vec<_> = config
        .get_array("members")
        .unwrap()
        .iter()
        .map(|member| {
            member
                .as_document()
                .unwrap()
                .get_document("tags")
                .unwrap()
                .get_str("rack")
                .unwrap()
        })
        .collect();
    assert_eq!(racks, ["1", "2", "3"]);
}

/// A voter that somebody has added by hand, and that cannot begin its copy, is held back by the server: others are not.
#[test]
#[ignore = "needs real servers: cargo live-test mongodb"]
fn a_vote_that_is_held_back_holds_nothing_else_up() {
    let source = ["--setParameter", "initialSyncSourceReadPreference=secondary"];
    let rig = Rig::start(Cluster::builder(2).outside([2]).initiated().node_arguments(2, &source));
    let mut config = rig.node(1).config().unwrap();
    config.insert("version", 2);
    let added = doc! { "_id": 7, "host": rig.node(2).member_address() };
    config.get_array_mut("members").unwrap().push(added.into());
    rig.node(1)
        .command("admin", doc! { "replSetReconfig": config })
        .unwrap();
    await_state(rig.agent(2), NodeState::JoiningCluster);
    assert_eq!(rig.votes(1), 1, "the second one is held back");
    let tags = rig.named_with(1, &json!({ "tags": { "dc": "a" } }));
    assert_eq!(done(&run(rig.client(1), CONFIGURE, &tags))["changed"], true);
}

/// Members that are frozen hold a change up: what came of it is read back when they are there again.
#[test]
#[ignore = "needs real servers: cargo live-test mongodb"]
fn a_change_that_nobody_confirms_is_read_back() {
    let rig = Rig::start_with(Cluster::builder(3).initiated(), |_, server| {
        server.timeouts.change_ms = 1_000;
    });
    // What may have to be taken back in the end has to have something before it.
    settle(&rig, 3);
    for number in [2, 3] {
        rig.node(number).pause().unwrap();
    }
    let args = rig.named_with(1, &json!({ "tags": { "dc": "a" } }));
    let (code, message) = failed(&run_within(rig.client(1), CONFIGURE, &args, 5));
    // Whether it was done nobody has said in that time.
    let unsaid = [
        "did not answer",
        "propagate",
        "updating",
        "no primary",
        "Quorum check failed",
    ];
    assert!(code == "deadline" || code == "undecided", "{code}: {message}");
    assert!(unsaid.iter().any(|words| message.contains(words)), "{message}");
    let before = rig.version(1);
    for number in [2, 3] {
        rig.node(number).resume().unwrap();
    }
    for agent in &rig.agents {
        await_state(agent, NodeState::Healthy);
    }
    rig.cluster.primary(UP).unwrap();
    done(&run(rig.client(2), CONFIGURE, &args));
    // An election is a change of the configuration's term, and not of its version.
    assert!(rig.version(1) <= before + 1, "{before}, {}", rig.version(1));
}
