//! Line 7: changes that were sent and not answered.

use agent_sdk::spec::NodeState;
use agent_sdk::testing::TestAgent;
use serde_json::json;

use crate::plans::{NO_QUORUM, plan, plans};
use crate::proxy::{Proxy, Trap};
use crate::rig::{
    ADD, Rig, UP, address, await_state, blank, by_member_address, config_version, done, failed, run, run_within,
    settings, start, until,
};

/// An agent beside server 1 whose connections can be trapped, in an ensemble of two with a third outside.
fn trapped() -> (Rig, Proxy, TestAgent) {
    let mut rig = Rig::start(blank(3));
    done(&run(rig.agent(1).client(), ADD, &by_member_address(rig.agent(2))));
    let proxy = Proxy::start(rig.server(1).client_address());
    let mut settings = settings(&rig.cluster, rig.server(1));
    settings.address = address(proxy.address());
    drop(rig.agents.remove(0));
    let agent = start(settings);
    await_state(&agent, NodeState::Healthy);
    (rig, proxy, agent)
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test zookeeper"]
fn line_7_a_change_whose_answer_is_lost_is_read_back() {
    let (rig, proxy, agent) = trapped();
    let third = &rig.agents[1];
    let before = config_version(third);
    let line = rig.server(3).server_line();
    let asked = || plans(rig.cluster.servers(), agent.client(), &line);
    assert_eq!(asked(), ["done", "take server.3", "done", "done"]);
    proxy.set(Trap::Answer);
    let output = std::thread::scope(|scope| {
        let running = scope.spawn(|| done(&run(agent.client(), ADD, &by_member_address(third))));
        until("the answer to be lost", || proxy.sprung());
        await_state(third, NodeState::Healthy);
        assert_eq!(asked(), ["done", "done", "done", "remove server 3"]);
        running.join().unwrap()
    });
    let after = config_version(third);
    assert_ne!(after, before);
    assert_eq!(
        (output["config_version"].as_str(), &output["changed"]),
        (Some(after.as_str()), &json!(true))
    );
    await_state(third, NodeState::Healthy);
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test zookeeper"]
fn line_7_a_change_that_cannot_be_read_back_is_undecided() {
    let (rig, proxy, agent) = trapped();
    let third = by_member_address(&rig.agents[1]);
    let kill_when_sprung = || {
        until("the change to be sent", || proxy.sprung());
        rig.server(2).kill().unwrap();
    };
    proxy.set(Trap::Request);
    let record = std::thread::scope(|scope| {
        let running = scope.spawn(|| run_within(agent.client(), ADD, &third, 10));
        kill_when_sprung();
        running.join().unwrap()
    });
    let (code, message) = failed(&record);
    assert_eq!(code, "undecided", "{message}");
    assert!(message.contains("may have been sent"), "{message}");
    let line = rig.server(3).server_line();
    let asked = || plans(rig.cluster.servers(), agent.client(), &line);
    assert_eq!(asked(), NO_QUORUM);

    // Once there is a quorum again the same action finds out.
    proxy.set(Trap::Off);
    rig.server(2).start().unwrap();
    rig.server(2).wait_serving(UP).unwrap();
    await_state(&agent, NodeState::Healthy);
    until("the joiner to follow again", || {
        plan(agent.client(), ADD, &third).refused.is_none()
    });
    assert_eq!(asked(), ["done", "take server.3", "done", "done"]);
    done(&run(agent.client(), ADD, &third));
    await_state(&rig.agents[1], NodeState::Healthy);
}
