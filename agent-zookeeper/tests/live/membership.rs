//! Lines 1, 2, 3 and 9: from three servers to an ensemble of three.

use agent_sdk::client::wait;
use agent_sdk::spec::{NodeState, Preconditions, Role};
use serde_json::json;
use testbed::zookeeper::Release;

use crate::plans::{plan, plan_refused, planned, plans};
use crate::proxy::{Proxy, Trap};
use crate::rig::{
    ADD, INIT, JOIN, REMOVE, Rig, UP, address, await_state, blank, by_member_address, config_version, done, failed,
    node, offset, run, run_if, settings, shard, start, until,
};
use crate::superuser::{hide_config, write};

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test zookeeper"]
fn a_server_on_its_way_in_says_so() {
    let rig = Rig::start(blank(2));
    await_state(rig.agent(1), NodeState::Healthy);
    let proxy = Proxy::start(rig.server(2).client_address());
    let mut joiner = settings(&rig.cluster, rig.server(2));
    joiner.address = address(proxy.address());
    let joiner = start(joiner);
    await_state(&joiner, NodeState::NotInCluster);
    let args = by_member_address(rig.agent(1));
    proxy.set(Trap::Request);
    std::thread::scope(|scope| {
        let running = scope.spawn(|| done(&run(joiner.client(), JOIN, &args)));
        until("the change to be caught", || proxy.sprung());
        assert_eq!(node(&joiner).node_status, NodeState::JoiningCluster);
        planned(joiner.client(), JOIN, &args);
        assert_eq!(
            node(&joiner).node_status,
            NodeState::JoiningCluster,
            "a plan changes nothing"
        );
        proxy.set(Trap::Off);
        assert_eq!(running.join().unwrap()["changed"], true);
    });
    assert_eq!(node(&joiner).node_status, NodeState::Healthy);
    // Nothing of it is left when the server is outside again.
    done(&run(rig.agent(1).client(), REMOVE, &json!({ "node": "2" })));
    await_state(&joiner, NodeState::NotInCluster);
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test zookeeper"]
fn an_observer_is_added_and_becomes_a_participant() {
    let rig = Rig::start(blank(3).whitelist("srvr, mntr"));
    await_state(rig.agent(1), NodeState::Healthy);
    done(&run(rig.agent(1).client(), ADD, &by_member_address(rig.agent(2))));
    let line = rig.server(3).server_line();
    let args = json!({ "node": line, "role": "observer" });
    let output = done(&run(rig.agent(2).client(), ADD, &args));
    assert!(output["member"].as_str().unwrap().contains(":observer;"), "{output}");
    await_state(rig.agent(3), NodeState::Healthy);
    assert_eq!(shard(rig.agent(3)).unwrap().replication_state, Role::Secondary);
    assert_eq!(done(&run(rig.agent(1).client(), ADD, &args))["changed"], false);
    let store = wait(rig.agent(3).client().store()).unwrap().attributes;
    assert_eq!(store["zookeeper.apache.org/role"], "observer");
    assert_eq!(store["zookeeper.apache.org/observers"], 1);
    // Right after its admission it is still taken for a follower without a vote.
    rig.server(3).wait_mode("observer", UP).unwrap();
    let promoted = done(&run(
        rig.agent(1).client(),
        ADD,
        &json!({ "node": line, "role": "participant" }),
    ));
    assert_eq!(promoted["changed"], true);
    await_state(rig.agent(3), NodeState::Healthy);
    let counters = || {
        let attributes = wait(rig.agent(rig.leader()).client().store()).unwrap().attributes;
        attributes.get("zookeeper.apache.org/synced_followers") == Some(&json!(2))
    };
    until("a leader that counts two synced followers", counters);
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test zookeeper"]
fn what_the_config_node_hides_is_unknown_and_credentials_show_it() {
    let cluster = blank(1).start(UP).unwrap();
    let server = &cluster.servers()[0];
    hide_config(server);
    let with = settings(&cluster, server);
    let mut without = with.clone();
    without.credentials_file = None;
    let agent = start(without);
    let unknown = await_state(&agent, NodeState::Unknown);
    let reason = unknown.node_status_reason.unwrap();
    assert!(reason.contains("-102") && reason.contains("setAcl"), "{reason}");
    assert_eq!(shard(&agent).unwrap().replication_state, Role::Other);
    assert_eq!(
        plan_refused(agent.client(), REMOVE, &json!({ "node": "2" })),
        "no_authority"
    );
    await_state(&start(with), NodeState::Healthy);
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test zookeeper"]
fn a_leaders_counters_come_from_the_admin_server_where_mntr_is_not_allowed() {
    let cluster = blank(1).prepare().unwrap();
    let server = &cluster.servers()[0];
    let admin = server.admin_address();
    let file = server.config_file();
    let mut text = std::fs::read_to_string(&file).unwrap();
    let more = format!(
        "admin.enableServer=true\nadmin.serverAddress={}\nadmin.serverPort={}\n",
        admin.ip(),
        admin.port()
    );
    text.push_str(&more);
    std::fs::write(&file, text).unwrap();
    cluster.start().unwrap();
    let mut settings = settings(&cluster, server);
    settings.admin_server = Some(address(admin));
    let agent = start(settings);
    await_state(&agent, NodeState::Healthy);
    let shown = || {
        let attributes = wait(agent.client().store()).unwrap().attributes;
        attributes.get("zookeeper.apache.org/pending_syncs") == Some(&json!(0))
    };
    until("the leader's counters", shown);
}

/// Lines 1 to 3 on one release.
fn from_one_to_three(release: Release) {
    let rig = Rig::start(blank(3).release(release));
    let (first, second, third) = (rig.agent(1), rig.agent(2), rig.agent(3));

    // 1: a server outside calls itself a follower, and its agent is not taken in.
    let alone = await_state(first, NodeState::Healthy);
    assert_eq!(alone.store_version.number, release.version());
    assert_eq!(alone.node_id, "1");
    for number in [2, 3] {
        assert_eq!(rig.server(number).wait_serving(UP).unwrap().mode(), "follower");
        await_state(rig.agent(number), NodeState::NotInCluster);
        assert_eq!(shard(rig.agent(number)), None);
        assert_eq!(wait(rig.agent(number).client().store()).unwrap().cluster_id, None);
    }

    // Init verifies, and says what to do where it cannot hold.
    assert!(plan(first.client(), INIT, &json!({})).done);
    let initialised = done(&run(first.client(), INIT, &json!({})));
    assert_eq!(initialised["members"], json!([1]));
    assert_eq!(plan_refused(second.client(), INIT, &json!({})), "other_ensemble");
    assert_eq!(failed(&run(second.client(), INIT, &json!({}))).0, "other_ensemble");

    // 2: join by the control plane's form, add by the richer one.
    let version = config_version(first);
    let member = by_member_address(first);
    let step = planned(second.client(), JOIN, &member);
    assert!(step.summary.contains("take server.2="), "{}", step.summary);
    assert_eq!(step.data["base"], version);
    assert_eq!(config_version(first), version, "a plan changes nothing");
    let joined = done(&run(second.client(), JOIN, &member));
    assert_eq!((&joined["server_id"], &joined["changed"]), (&json!(2), &json!(true)));
    assert_eq!(node(second).node_status, NodeState::Healthy, "by the time it is done");

    let rich = json!({ "node": node(third).addresses["member"], "role": "participant" });
    planned(first.client(), ADD, &rich);
    assert_eq!(done(&run(first.client(), ADD, &rich))["changed"], true);
    for agent in &rig.agents {
        await_state(agent, NodeState::Healthy);
        assert_eq!(
            wait(agent.client().store()).unwrap().cluster_id.as_deref(),
            Some("ensemble")
        );
        assert_eq!(shard(agent).unwrap().shard_id, "ensemble");
        assert_eq!(shard(agent).unwrap().replication_lag, None);
    }
    assert_eq!(
        (rig.in_role(Role::Primary).len(), rig.in_role(Role::Secondary).len()),
        (1, 2)
    );
    let before = offset(first).unwrap();
    write(rig.server(2), 5);
    let agree = || {
        let offsets: Vec<_> = rig.agents.iter().map(offset).collect();
        offsets.iter().all(|offset| *offset == offsets[0]) && offsets[0] >= Some(before + 5)
    };
    until("offsets that agree and have moved by the writes", agree);

    // 3: each again.
    let version = config_version(first);
    for (agent, kind, args) in [
        (first, INIT, json!({})),
        (second, JOIN, by_member_address(first)),
        (second, JOIN, json!({ "node": "1" })),
        (first, ADD, rich),
        (first, ADD, by_member_address(second)),
        (first, REMOVE, json!({ "node": "77" })),
    ] {
        assert!(plan(agent.client(), kind, &args).done, "{kind}");
        let output = done(&run(agent.client(), kind, &args));
        assert_ne!(output["changed"], json!(true), "{kind}");
        assert_eq!(output["config_version"], version, "{kind}");
    }
    assert_eq!(config_version(first), version);

    // 9: a precondition that is not met.
    let preconditions = Preconditions {
        node_status: vec![NodeState::Unhealthy],
        ..Preconditions::default()
    };
    let record = run_if(first.client(), REMOVE, &json!({ "node": "3" }), preconditions);
    assert_eq!((failed(&record).0.as_str(), record.attempt), ("precondition_unmet", 0));
    let role = if rig.leader() == 1 {
        Role::Secondary
    } else {
        Role::Primary
    };
    let preconditions = Preconditions {
        shards: [("ensemble".to_owned(), vec![role])].into(),
        ..Preconditions::default()
    };
    let record = run_if(first.client(), REMOVE, &json!({ "node": "3" }), preconditions);
    assert_eq!(failed(&record).0, "precondition_unmet");
    assert_eq!(config_version(first), version);
    let untouched = plans(rig.cluster.servers(), first.client(), &rig.server(3).server_line());
    assert_eq!(untouched, ["done", "done", "done", "remove server 3"]);
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test zookeeper"]
fn lines_1_to_3_and_9_from_one_server_to_an_ensemble_of_three() {
    from_one_to_three(Release::V3_9_5);
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test zookeeper"]
fn smoke_the_older_line_grows_in_the_same_way() {
    from_one_to_three(Release::V3_8_6);
}
