//! Line 8: what the operator is told when the agent may not change the ensemble, or nobody may.

use agent_sdk::spec::NodeState;
use serde_json::json;
use testbed::zookeeper::{Cluster, Layout};

use crate::rig::{
    ADD, INIT, JOIN, REMOVE, Rig, await_state, blank, by_member_address, config_version, done, failed, plan,
    plan_refused, run, run_within,
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
        for (number, kind, other) in [(1, ADD, 2), (2, JOIN, 1)] {
            let args = by_member_address(rig.agent(other));
            let client = rig.agent(number).client();
            let plan = plan(client, kind, &args);
            assert!(
                plan.steps.len() == 1 && plan.unchecked[0].contains("may change the ensemble"),
                "{plan:?}"
            );
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
    // The other voter hangs: the ensemble as it would be has no quorum, and that is looked at before authority.
    let rig = Rig::start_with(blank(2).layout(Layout::Ensemble), |settings| {
        settings.credentials_file = None
    });
    await_state(rig.agent(1), NodeState::Healthy);
    let (code, message) = failed(&run_within(rig.agent(1).client(), REMOVE, &json!({ "node": "2" }), 5));
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
    await_state(rig.agent(2), NodeState::NotInCluster);
    assert_eq!(
        plan_refused(rig.agent(1).client(), INIT, &json!({})),
        "reconfig_disabled"
    );
    let (code, message) = failed(&run(rig.agent(1).client(), INIT, &json!({})));
    assert!(
        code == "reconfig_disabled" && message.contains("reconfigEnabled=true"),
        "{code}: {message}"
    );
    let args = by_member_address(rig.agent(2));
    let plan = plan(rig.agent(1).client(), ADD, &args);
    let (code, message) = failed(&run(rig.agent(1).client(), ADD, &args));
    println!("{code}: {message}");
    assert!(
        code == "reconfig_disabled" && message.contains("reconfigEnabled=true"),
        "{code}: {message}"
    );
    assert!(
        plan.unchecked.iter().any(|it| it.contains("reconfigEnabled")) || plan.refused.is_some(),
        "{plan:?}"
    );
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test zookeeper"]
fn a_standalone_server_is_told_how_to_become_an_ensemble() {
    let rig = Rig::start(Cluster::builder(1).layout(Layout::Standalone));
    await_state(rig.agent(1), NodeState::Healthy);
    for (kind, args) in [(INIT, json!({})), (REMOVE, json!({ "node": "2" }))] {
        assert_eq!(plan_refused(rig.agent(1).client(), kind, &args), "standalone");
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
