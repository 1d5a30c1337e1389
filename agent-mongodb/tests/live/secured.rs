//! Line 7: access control and TLS. Agents with exactly the rights that the guide names, with fewer, with none, with a wrong
//! password, and by a certificate.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use agent_mongodb::config::{Login, Mechanism, TlsFiles};
use agent_sdk::spec::{NodeState, Role};
use serde_json::json;
use tempfile::TempDir;
use testbed::mongodb::bson::{Document, doc};
use testbed::mongodb::{Cluster, Node, Release};

use crate::rig::{
    ADD, CONFIGURE, INIT, REMOVE, Rig, STEP_DOWN, UP, attribute, await_state, by_password, done, failed, node,
    password, role, run, run_within, settings, start, until,
};

/// The actions that the guide's role allows.
fn actions() -> Vec<String> {
    let role = role();
    let privileges = role.get_array("privileges").unwrap();
    let actions = privileges[0].as_document().unwrap().get_array("actions").unwrap();
    actions
        .iter()
        .map(|action| action.as_str().unwrap().to_owned())
        .collect()
}

/// A key that no cluster has.
fn key() -> (TempDir, PathBuf) {
    let (place, file) = password("bm90IHRoZSBrZXkgb2YgYW55Ym9keQ");
    std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    (place, file)
}

fn admin(node: &Node, command: Document) {
    node.command("admin", command).unwrap();
}

fn with_exactly_these_rights(release: Release) {
    let (_place, file) = password("agent:secret\n");
    let (_key_place, other_key) = key();
    let builder = Cluster::builder(4)
        .release(release)
        .secured()
        .node_arguments(4, &["--keyFile", other_key.to_str().unwrap()]);
    let rig = Rig::start_with(builder, |cluster, server| by_password(server, cluster, &file));
    // Nobody knows the agent's user yet: it is in no set all the same, and can be made the first of one.
    await_state(rig.agent(1), NodeState::NotInCluster);
    done(&run(rig.client(1), INIT, &json!({})));
    // As long as there is no user, it tells who is beside it.
    await_state(rig.agent(1), NodeState::Healthy);
    assert_eq!(
        done(&run(rig.client(1), INIT, &json!({})))["changed"],
        false,
        "as long as there is no user"
    );

    admin(rig.node(1), role());
    let roles = [doc! { "role": role().get_str("createRole").unwrap(), "db": "admin" }];
    admin(
        rig.node(1),
        doc! { "createUser": "agent", "pwd": "secret", "roles": roles.to_vec() },
    );
    await_state(rig.agent(1), NodeState::Healthy);
    for number in [2, 3] {
        done(&run(rig.client(1), ADD, &rig.named(number)));
        await_state(rig.agent(number), NodeState::Healthy);
    }
    for name in [
        "set",
        "priority",
        "storage-engine",
        "oplog-window-seconds",
        "connections",
        "cache-bytes",
        "term",
    ] {
        assert!(attribute(rig.agent(2), name).is_some(), "{name}");
    }
    assert_eq!(node(rig.agent(2)).store_version.number, release.version());
    assert!(
        attribute(rig.agent(2), "feature-compatibility-version").is_none(),
        "that needs a right more"
    );
    done(&run(
        rig.client(2),
        CONFIGURE,
        &rig.named_with(3, &json!({ "tags": { "dc": "b" } })),
    ));
    let handed = done(&run(
        rig.client(1),
        STEP_DOWN,
        &json!({ "stay_s": 20, "catch_up_s": 5 }),
    ));
    assert_ne!(handed["primary"], rig.named(1)["node"]);
    let other = rig.cluster.primary(UP).unwrap().number();
    let third = (2..=3).find(|number| *number != other).unwrap();
    done(&run(rig.client(1), REMOVE, &rig.named(third)));
    await_state(rig.agent(third), NodeState::NotInCluster);
    assert_eq!(failed(&run(rig.client(third), INIT, &json!({}))).0, "removed");
    done(&run(rig.client(other), ADD, &rig.named(third)));

    // One with another key, which nobody can see before the set has talked to it.
    let args = rig.named(4);
    let (code, message) = failed(&run(rig.client(1), ADD, &args));
    assert!(code == "other_key" && message.contains("key"), "{code} {message}");
    let members = rig.node(1).config().unwrap().get_array("members").unwrap().len();
    assert_eq!((members, rig.votes(1)), (3, 3), "it is out again");
}

#[test]
#[ignore = "needs real servers: cargo live-test mongodb"]
fn the_rights_of_the_guide_are_enough() {
    with_exactly_these_rights(Release::V6_0_5);
}

#[test]
#[ignore = "needs real servers: cargo live-test mongodb"]
fn the_rights_of_the_guide_are_enough_for_an_older_release() {
    with_exactly_these_rights(Release::V4_4_2);
}

/// Makes a role that lacks one of the guide's actions, and a user for it, with its name for a password.
fn lacking(node: &Node, action: &str) {
    let all: Vec<_> = actions().into_iter().filter(|other| other != action).collect();
    let privileges = [doc! { "resource": { "cluster": true }, "actions": all }].to_vec();
    let name = format!("no{action}");
    admin(
        node,
        doc! { "createRole": &name, "privileges": privileges, "roles": [] },
    );
    admin(node, doc! { "createUser": &name, "pwd": &name, "roles": [&name] });
}

/// Each right for itself: what is missing is said, and is nothing else than that.
#[test]
#[ignore = "needs real servers: cargo live-test mongodb"]
fn what_fewer_rights_cost_is_told() {
    let cluster = Cluster::builder(2).secured().initiated().start(UP).unwrap();
    let first = cluster.primary(UP).unwrap();
    let without = |action: &str| {
        lacking(first, action);
        let (place, file) = password(&format!("no{action}:no{action}"));
        let mut server = settings(&cluster, first);
        by_password(&mut server, &cluster, &file);
        (start(server), place)
    };
    let second = json!({ "node": cluster.node(2).unwrap().member_address(), "tags": { "dc": "b" } });

    let (blind, _place) = without("replSetGetStatus");
    let reason = await_state(&blind, NodeState::Unknown).node_status_reason.unwrap();
    assert!(reason.contains("13 Unauthorized"), "{reason}");
    let (without_figures, _place) = without("serverStatus");
    await_state(&without_figures, NodeState::Healthy);
    assert!(attribute(&without_figures, "connections").is_none());
    assert!(attribute(&without_figures, "priority").is_some());
    let (without_config, _place) = without("replSetGetConfig");
    await_state(&without_config, NodeState::Healthy);
    assert!(attribute(&without_config, "priority").is_none());
    for (action, kind, args) in [
        ("replSetConfigure", CONFIGURE, second),
        ("replSetStateChange", STEP_DOWN, json!({})),
    ] {
        let (agent, _place) = without(action);
        let (code, message) = failed(&run(agent.client(), kind, &args));
        assert!(
            code == "not_allowed" && message.contains("13 Unauthorized"),
            "{action}: {code} {message}"
        );
    }
}

/// A wrong password is no dead node, and is mended without a restart.
#[test]
#[ignore = "needs real servers: cargo live-test mongodb"]
fn a_wrong_password_is_told_and_mended() {
    let cluster = Cluster::builder(1).secured().initiated().start(UP).unwrap();
    let first = &cluster.nodes()[0];
    admin(first, role());
    admin(
        first,
        doc! { "createUser": "agent", "pwd": "secret", "roles": [role().get_str("createRole").unwrap()] },
    );
    let (_place, file) = password("agent:wrong");
    let mut server = settings(&cluster, first);
    by_password(&mut server, &cluster, &file);
    let agent = start(server);
    let reason = await_state(&agent, NodeState::Unknown).node_status_reason.unwrap();
    assert!(
        reason.contains("does not let the agent in") && !reason.contains("wrong"),
        "{reason}"
    );
    let tags = json!({ "node": first.member_address(), "tags": { "a": "b" } });
    let (code, message) = failed(&run_within(agent.client(), CONFIGURE, &tags, 3));
    assert!(
        code == "deadline" && message.contains("does not let the agent in"),
        "{code} {message}"
    );
    std::fs::write(&file, "agent:secret").unwrap();
    await_state(&agent, NodeState::Healthy);
    done(&run(agent.client(), CONFIGURE, &tags));
    // A user that is made anew is another one to the connections of the first.
    admin(first, doc! { "dropUser": "agent" });
    await_state(&agent, NodeState::Unknown);
    admin(
        first,
        doc! { "createUser": "agent", "pwd": "secret", "roles": [role().get_str("createRole").unwrap()] },
    );
    await_state(&agent, NodeState::Healthy);
    done(&run(agent.client(), CONFIGURE, &tags));
}

/// The certificate of the connection is the user.
#[test]
#[ignore = "needs real servers: cargo live-test mongodb"]
fn a_certificate_is_enough() {
    let cluster = Cluster::builder(2).secured().initiated().start(UP).unwrap();
    let first = cluster.primary(UP).unwrap();
    let by_certificate = |node: &Node| {
        let mut server = settings(&cluster, node);
        server.tls = Some(TlsFiles {
            ca_file: cluster.authority_file(),
            certificate_key_file: Some(cluster.client_certificate_file()),
        });
        server.login = Some(Login {
            mechanism: Mechanism::X509,
            credentials_file: None,
            database: "admin".to_owned(),
        });
        start(server)
    };
    let agent = by_certificate(first);
    let reason = await_state(&agent, NodeState::Unknown).node_status_reason.unwrap();
    println!("without the user: {reason}");
    admin(first, role());
    let roles = [doc! { "role": role().get_str("createRole").unwrap(), "db": "admin" }].to_vec();
    first
        .command(
            "$external",
            doc! { "createUser": cluster.client_subject(), "roles": roles },
        )
        .unwrap();
    await_state(&agent, NodeState::Healthy);
    let second = by_certificate(cluster.node(2).unwrap());
    await_state(&second, NodeState::Healthy);
    until("both show the shard", || {
        crate::rig::shard(&second).is_some_and(|shard| shard.replication_state == Role::Secondary)
    });
    let tags = json!({ "node": first.member_address(), "tags": { "a": "b" } });
    done(&run(second.client(), CONFIGURE, &tags));
    // Who does not trust the authority gets no answer, which is no absence either.
    let other = Cluster::builder(1).secured().start(UP).unwrap();
    let mut stranger = settings(&cluster, first);
    stranger.tls = Some(TlsFiles {
        ca_file: other.authority_file(),
        certificate_key_file: None,
    });
    let reason = await_state(&start(stranger), NodeState::Unknown)
        .node_status_reason
        .unwrap();
    assert!(reason.contains("TLS with"), "{reason}");
}
