//! Line 8: what the operator is told when the agent may not change the ensemble, or nobody may.

use agent_sdk::action::ActionError;
use agent_sdk::spec::NodeState;
use agent_zookeeper::client::{Client, Edit};
use agent_zookeeper::ensemble::Version;
use agent_zookeeper::reconfig::{Verdict, verdict};
use serde_json::json;
use testbed::zookeeper::{Cluster, Layout};

use crate::plans::{plan_refused, plans};
use crate::rig::{
    ADD, INIT, JOIN, REMOVE, Rig, UP, await_state, blank, by_member_address, config_version, done, failed, run,
    run_within, settings,
};

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test zookeeper"]
fn line_8_missing_or_wrong_authority_is_named() {
    for (given, password) in [("is not set", None), ("password is wrong", Some("super:wrong\n"))] {
        let rig = Rig::start_with(blank(2), |settings| match password {
            None => settings.credentials_file = None,
            Some(password) => {
                let file = settings.credentials_file.clone().unwrap().with_file_name("wrong");
                std::fs::write(&file, password).unwrap();
                settings.credentials_file = Some(file);
            }
        });
        await_state(rig.agent(1), NodeState::Healthy);
        await_state(rig.agent(2), NodeState::NotInCluster);
        let version = config_version(rig.agent(1));
        let asked = |number: usize, other: usize| {
            plans(
                rig.cluster.servers(),
                rig.agent(number).client(),
                &rig.server(other).server_line(),
            )
        };
        // A wrong password is taken when it is sent, and makes nobody `super`.
        assert_eq!(asked(1, 2), ["done", "take server.2, if it may", "done", "done"]);
        assert_eq!(
            asked(2, 1),
            [
                "refused: other_ensemble",
                "done",
                "take server.2, if it may",
                "refused: last_participant"
            ]
        );
        for (number, kind, other) in [(1, ADD, 2), (2, JOIN, 1)] {
            let args = by_member_address(rig.agent(other));
            let client = rig.agent(number).client();
            let (code, message) = failed(&run(client, kind, &args));
            println!("{code}: {message}");
            assert_eq!(code, "no_authority");
            assert!(message.contains("superDigest") && message.contains(given), "{message}");
            assert!(!message.contains("super:wrong"), "no secret is told");
        }
        assert_eq!(config_version(rig.agent(1)), version);
    }
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test zookeeper"]
fn line_8_missing_authority_is_named_also_where_another_code_hides_it() {
    // One of three is dead and a live one is to go: the two that would be left are no quorum, and that is looked at
    // before authority.
    let rig = Rig::start_with(blank(3).layout(Layout::Ensemble), |settings| {
        settings.credentials_file = None;
    });
    let leader = rig.leader();
    let (dead, live) = (leader % 3 + 1, (leader + 1) % 3 + 1);
    await_state(rig.agent(leader), NodeState::Healthy);
    rig.server(dead).kill().unwrap();
    for number in [live, dead] {
        let line = rig.server(number).server_line();
        let [init, add, join, remove] = plans(rig.cluster.servers(), rig.agent(leader).client(), &line);
        assert_eq!([&*init, &*add, &*join], ["done", "done", "done"]);
        assert_eq!(remove, format!("remove server {number}, if it may"));
    }
    let args = json!({ "node": live.to_string() });
    let (code, message) = failed(&run_within(rig.agent(leader).client(), REMOVE, &args, 5));
    println!("{code}: {message}");
    assert!(
        message.contains("superDigest") && message.contains("is not set"),
        "{code}: {message}"
    );
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test zookeeper"]
fn line_8_reconfiguration_switched_off_is_named() {
    let rig = Rig::start(blank(2).reconfig_enabled(false));
    await_state(rig.agent(1), NodeState::Healthy);
    // Static servers show their own files, and this one names itself.
    await_state(rig.agent(2), NodeState::Healthy);
    let joiner = by_member_address(rig.agent(2));
    let line = rig.server(2).server_line();
    // Server 1 is alone in its own list.
    let off = "refused: reconfig_disabled";
    let told = plans(rig.cluster.servers(), rig.agent(1).client(), &line);
    assert_eq!(told, [off, off, off, "done"]);
    for (number, kind, args) in [
        (1, INIT, json!({})),
        (1, ADD, joiner),
        (1, ADD, json!({ "node": line })),
        (2, JOIN, by_member_address(rig.agent(1))),
    ] {
        let client = rig.agent(number).client();
        assert_eq!(plan_refused(client, kind, &args), "reconfig_disabled");
        let (code, message) = failed(&run(client, kind, &args));
        assert!(
            code == "reconfig_disabled" && message.contains("reconfigEnabled=true"),
            "{code}: {message}"
        );
    }
}

/// The agent reads first, and so never comes to hear it; should it, it would say the same.
#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test zookeeper"]
fn the_servers_own_refusal_says_the_same() {
    for (layout, lines, code) in [
        (Layout::Blank, "", "reconfig_disabled"),
        (Layout::Standalone, "", "reconfig_disabled"),
        (Layout::Standalone, "reconfigEnabled=true", "standalone"),
    ] {
        let builder = blank(1)
            .layout(layout)
            .reconfig_enabled(false)
            .server_config("zk-1", lines);
        let cluster = builder.start(UP).unwrap();
        let settings = settings(&cluster, &cluster.servers()[0]);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let refusal = runtime.block_on(async {
            let credentials = settings.credentials().unwrap();
            let client = Client::open(&settings.address, credentials.as_ref(), UP).await.unwrap();
            assert_eq!(client.is_super(UP).await, Some(true));
            client.reconfig(&Edit::Leave("9"), Version(1)).await.unwrap_err()
        });
        match verdict(&refusal, true) {
            Verdict::Failed(ActionError::Final(fault)) => assert_eq!(fault.code(), code, "{refusal}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test zookeeper"]
fn line_8_reconfiguration_that_was_switched_off_later_is_named() {
    let rig = Rig::start(blank(2));
    await_state(rig.agent(2), NodeState::NotInCluster);
    let file = rig.server(1).config_file();
    let text = std::fs::read_to_string(&file).unwrap();
    rig.server(1).stop().unwrap();
    std::fs::write(&file, text.replace("reconfigEnabled=true", "reconfigEnabled=false")).unwrap();
    rig.server(1).start().unwrap();
    await_state(rig.agent(1), NodeState::Healthy);
    await_state(rig.agent(2), NodeState::NotInCluster);
    let args = by_member_address(rig.agent(2));
    // The version of its configuration is 0 again: reading tells.
    assert_eq!(plan_refused(rig.agent(1).client(), ADD, &args), "reconfig_disabled");
    let (code, message) = failed(&run(rig.agent(1).client(), ADD, &args));
    println!("{code}: {message}");
    assert!(
        code == "reconfig_disabled" && message.contains("reconfigEnabled=true"),
        "{code}: {message}"
    );
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test zookeeper"]
fn a_standalone_server_is_told_how_to_become_an_ensemble() {
    let rig = Rig::start(Cluster::builder(1).layout(Layout::Standalone));
    await_state(rig.agent(1), NodeState::Healthy);
    let alone = "refused: standalone";
    let told = plans(
        rig.cluster.servers(),
        rig.agent(1).client(),
        &rig.server(1).server_line(),
    );
    assert_eq!(told, [alone; 4]);
    for (kind, args) in [(INIT, json!({})), (REMOVE, json!({ "node": "2" }))] {
        let (code, message) = failed(&run(rig.agent(1).client(), kind, &args));
        assert!(
            code == "standalone" && message.contains("standaloneEnabled=false"),
            "{code}: {message}"
        );
    }
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test zookeeper"]
fn without_acls_no_authority_is_needed() {
    let rig = Rig::start_with(blank(2).skip_acl(true), |settings| settings.credentials_file = None);
    await_state(rig.agent(2), NodeState::NotInCluster);
    done(&run(rig.agent(2).client(), JOIN, &by_member_address(rig.agent(1))));
    await_state(rig.agent(2), NodeState::Healthy);
}
