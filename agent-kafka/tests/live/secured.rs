//! TLS, logins and rights: the agent with exactly the rights that its guide names, with fewer, and with a wrong password.

use agent_kafka::client::login::Mechanism;
use agent_kafka::config::{Listener, Process, Sasl, TlsFiles};
use agent_sdk::spec::{NodeState, Role};
use serde_json::{Value, json};
use testbed::kafka::{Cluster, Node, Release, Resource, Voters};

use crate::rig::{
    ADD, ELECT, JOIN, REMOVE, Rig, attribute, await_state, by_member_address, done, failed, node, run, shard, shards,
    start, until,
};

/// By the secured listeners, with a login at each.
fn secured(cluster: &Cluster, node: &Node, mechanism: Mechanism, process: &mut Process) {
    let listener = |address: std::net::SocketAddr, mechanism| Listener {
        address: address.to_string().parse().unwrap(),
        tls: Some(TlsFiles {
            ca_file: cluster.authority_file(),
            certificate_file: None,
            key_file: None,
            server_name: None,
        }),
        sasl: Some(Sasl {
            mechanism,
            credentials_file: cluster.credentials_file(),
        }),
    };
    process.broker = Some(listener(node.secure_broker_address(), mechanism));
    process.controller = Some(listener(node.secure_controller_address(), Mechanism::Plain));
}

fn with_exactly_these_rights(release: Release, mechanism: Mechanism) {
    let cluster = Cluster::builder(2)
        .release(release)
        .secured()
        .voters(Voters::First)
        .start(crate::rig::UP)
        .unwrap();
    let agents = cluster.nodes().iter().map(|node| {
        let mut process = crate::rig::settings(node);
        secured(&cluster, node, mechanism, &mut process);
        start(process)
    });
    let rig = Rig {
        agents: agents.collect(),
        cluster,
    };
    let tools = rig.cluster.tools();
    tools.create_topic("orders", &[&[1, 2]]).unwrap();
    tools.produce("orders", 10).unwrap();
    // Nothing is granted: that is said, and not taken for a cluster that is ill or empty.
    let info = await_state(rig.agent(1), NodeState::Unknown);
    println!("{:?}", info.node_status_reason);

    tools.grant("Describe", Resource::Cluster).unwrap();
    tools.grant("DescribeConfigs", Resource::Cluster).unwrap();
    tools.grant("Alter", Resource::Cluster).unwrap();
    tools.grant("Describe", Resource::Topic("*")).unwrap();
    await_state(rig.agent(1), NodeState::Healthy);
    assert_eq!(node(rig.agent(1)).node_id, "1");
    until("the shards", || {
        rig.in_role("orders/0", Role::Primary) == [1] && rig.in_role("orders/0", Role::Secondary) == [2]
    });
    assert_eq!(
        shard(rig.agent(2), "orders/0").unwrap().commit_offset.unwrap().value,
        10
    );
    assert_eq!(shards(rig.agent(1)).len(), 2, "and the metadata log");
    assert_eq!(attribute(rig.agent(1), "log_directories"), Some(json!(1)));

    let other = by_member_address(rig.agent(2));
    let added = done(&run(rig.agent(1).client(), ADD, &other));
    assert_eq!((&added["voter"], &added["changed"]), (&json!(true), &json!(true)));
    done(&run(rig.agent(2).client(), JOIN, &by_member_address(rig.agent(1))));
    done(&run(rig.agent(1).client(), ELECT, &Value::Null));
    let vote = json!({"node": "2", "roles": ["controller"]});
    assert_eq!(done(&run(rig.agent(1).client(), REMOVE, &vote))["voters"], json!([1]));
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test kafka"]
fn the_rights_that_the_guide_names_are_enough() {
    with_exactly_these_rights(Release::default(), Mechanism::ScramSha512);
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test kafka"]
fn the_rights_that_the_guide_names_are_enough_for_the_older_release() {
    with_exactly_these_rights(Release::V3_9_2, Mechanism::ScramSha256);
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test kafka"]
fn who_does_not_come_as_the_listener_asks_is_told_why() {
    let cluster = Cluster::builder(1).secured().start(crate::rig::UP).unwrap();
    let node = cluster.node(1).unwrap();
    let why = |change: &dyn Fn(&mut Listener)| {
        let mut process = crate::rig::settings(node);
        secured(&cluster, node, Mechanism::Plain, &mut process);
        process.controller = None;
        change(process.broker.as_mut().unwrap());
        await_state(&start(process), NodeState::Unknown)
            .node_status_reason
            .unwrap()
    };
    let another_name = why(&|listener| listener.tls.as_mut().unwrap().server_name = Some("kafka-2".to_owned()));
    assert!(
        another_name.contains("no TLS") && another_name.contains("kafka-2"),
        "{another_name}"
    );
    let mechanism = why(&|listener| {
        listener.address = node.secure_controller_address().to_string().parse().unwrap();
        listener.sasl.as_mut().unwrap().mechanism = Mechanism::ScramSha512;
    });
    assert!(
        mechanism.contains("does not take SCRAM-SHA-512, but PLAIN"),
        "{mechanism}"
    );
    let rights = why(&|_| {});
    assert!(rights.contains("31 CLUSTER_AUTHORIZATION_FAILED"), "{rights}");
    // Without TLS: it answers as one who speaks it, or closes; the reason says that it may be that.
    let mut process = crate::rig::settings(node);
    secured(&cluster, node, Mechanism::Plain, &mut process);
    process.controller = None;
    process.broker.as_mut().unwrap().tls = None;
    let plain = crate::rig::node(&start(process));
    let reason = plain.node_status_reason.unwrap();
    println!("{:?}: {reason}", plain.node_status);
    assert!(reason.contains("TLS"), "{reason}");
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test kafka"]
fn line_6_a_wrong_password_is_told_and_can_be_mended_without_a_restart() {
    let cluster = Cluster::builder(1).secured().start(crate::rig::UP).unwrap();
    let node = cluster.node(1).unwrap();
    for operation in ["Describe", "DescribeConfigs", "Alter"] {
        cluster.tools().grant(operation, Resource::Cluster).unwrap();
    }
    let file = cluster.directory().join("agent-credentials");
    std::fs::write(&file, "agent:wrong\n").unwrap();
    let mut process = crate::rig::settings(node);
    secured(&cluster, node, Mechanism::ScramSha256, &mut process);
    for listener in [&mut process.broker, &mut process.controller] {
        listener
            .as_mut()
            .unwrap()
            .sasl
            .as_mut()
            .unwrap()
            .credentials_file
            .clone_from(&file);
    }
    let agent = start(process);
    let info = await_state(&agent, NodeState::Unknown);
    let reason = info.node_status_reason.unwrap();
    assert!(
        reason.contains("refuses the credentials") && !reason.contains("wrong"),
        "{reason}"
    );
    let (code, message) = failed(&crate::rig::run_within(
        agent.client(),
        REMOVE,
        &json!({"node": "9"}),
        3,
    ));
    println!("{code}: {message}");
    assert!(
        message.contains("credentials") && !message.contains("agent:wrong"),
        "{message}"
    );
    std::fs::copy(cluster.credentials_file(), &file).unwrap();
    await_state(&agent, NodeState::Healthy);
}
