//! Line 8, the other ways to authority: an ACL, and servers that take no session without credentials.

use agent_sdk::spec::NodeState;
use agent_zookeeper::config;
use serde_json::json;

use crate::foreseen::foreseen;
use crate::plans::plans;
use crate::rig::{ADD, JOIN, REMOVE, Rig, await_state, blank, by_member_address, config_version, done, failed, run};
use crate::superuser::let_change;

/// Of `agent:may change`, by `openssl dgst -sha1 -binary | base64` as the documentation has it.
const AGENT: &str = "agent:9zOAh0slT4oTfr+2luDsd8oUD+U=";

fn credentials(settings: &mut config::Server, name: &str, line: &str) {
    let file = settings.credentials_file.clone().unwrap().with_file_name(name);
    std::fs::write(&file, line).unwrap();
    settings.credentials_file = Some(file);
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test zookeeper"]
fn line_8_a_user_with_the_right_to_write_the_config_node_may_change_the_ensemble() {
    // Server 3 has an agent whose password is wrong.
    let rig = Rig::start_with(blank(3), |settings| {
        let wrong = settings.member.as_ref().is_some_and(|member| member.id == 3);
        let (name, line) = if wrong {
            ("wrong", "agent:may not\n")
        } else {
            ("right", "agent:may change\n")
        };
        credentials(settings, name, line);
    });
    await_state(rig.agent(1), NodeState::Healthy);
    for outsider in [2, 3] {
        await_state(rig.agent(outsider), NodeState::NotInCluster);
    }
    let servers = rig.cluster.servers();
    let may = |number: usize, plan: &str| {
        let told = plans(servers, rig.agent(number).client(), &rig.server(1).server_line());
        assert_eq!(
            told,
            ["refused: other_ensemble", "done", plan, "refused: last_participant"]
        );
    };
    // Before the ACL nobody but `super` may, and no plan can tell: it is no `super`'s session in either case.
    may(2, "take server.2, if it may");
    let member = by_member_address(rig.agent(1));
    assert_eq!(failed(&run(rig.agent(2).client(), JOIN, &member)).0, "no_authority");

    let_change(rig.server(1), AGENT);
    let version = config_version(rig.agent(1));
    may(3, "take server.3, if it may");
    let (code, message) = failed(&run(rig.agent(3).client(), JOIN, &member));
    assert_eq!(code, "no_authority", "{message}");
    assert!(
        message.contains("password is wrong") && !message.contains("may not"),
        "{message}"
    );
    assert_eq!(config_version(rig.agent(1)), version);

    may(2, "take server.2, if it may");
    foreseen(servers, rig.agent(2).client(), JOIN, &member);
    foreseen(servers, rig.agent(1).client(), ADD, &by_member_address(rig.agent(3)));
    await_state(rig.agent(3), NodeState::Healthy);
    foreseen(servers, rig.agent(1).client(), REMOVE, &json!({ "node": "2" }));
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test zookeeper"]
fn line_8_servers_that_take_no_session_without_credentials_are_told_and_served() {
    let enforced = "enforce.auth.enabled=true\nenforce.auth.schemes=digest";
    let builder = (1..=2).fold(blank(2), |builder, number| {
        builder.server_config(&format!("zk-{number}"), enforced)
    });
    let rig = Rig::start(builder);
    await_state(rig.agent(1), NodeState::Healthy);
    await_state(rig.agent(2), NodeState::NotInCluster);
    let version = config_version(rig.agent(1));
    let (servers, line) = (rig.cluster.servers(), rig.server(2).server_line());

    // Without any the node cannot be judged, nothing is planned, and the reason is told.
    let mut without = crate::rig::settings(&rig.cluster, rig.server(1));
    without.credentials_file = None;
    let without = crate::rig::start(without);
    let unknown = await_state(&without, NodeState::Unknown);
    let reason = unknown.node_status_reason.unwrap();
    assert!(
        reason.contains("-115") && reason.contains("credentials_file"),
        "{reason}"
    );
    let told = plans(servers, without.client(), &line);
    assert_eq!(told, ["refused: no_authority"; 4]);
    let (code, message) = failed(&run(without.client(), REMOVE, &json!({ "node": "2" })));
    assert!(code == "no_authority" && message.contains("-115"), "{code}: {message}");

    // A joiner that is named gets no credentials, so nobody can judge it; it can itself.
    let told = plans(servers, rig.agent(1).client(), &line);
    assert_eq!(
        told,
        ["done", "refused: joiner_unknown", "refused: other_ensemble", "done"]
    );
    assert_eq!(config_version(rig.agent(1)), version);
    let joined = foreseen(servers, rig.agent(2).client(), JOIN, &by_member_address(rig.agent(1)));
    assert_eq!(done(&joined)["changed"], true);
    await_state(rig.agent(2), NodeState::Healthy);
    foreseen(servers, rig.agent(1).client(), ADD, &by_member_address(rig.agent(2)));
    foreseen(servers, rig.agent(1).client(), REMOVE, &json!({ "node": "2" }));
}
