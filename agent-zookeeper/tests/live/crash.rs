//! Line 6: the agent is killed around the change, and goes on with it.

use agent_sdk::client::{Schedule, wait};
use agent_sdk::spec::NodeState;
use serde_json::json;
use testbed::agent::Program;

use crate::plans::plans;
use crate::proxy::{Proxy, Trap};
use crate::rig::{ADD, Rig, UP, address, await_state, blank, by_member_address, config_version, done, settings, until};

/// Kills the agent once this was caught, and says how often the configuration was changed by the end.
fn killed_at(trap: Trap) {
    let rig = Rig::start(blank(2));
    await_state(rig.agent(1), NodeState::Healthy);
    await_state(rig.agent(2), NodeState::NotInCluster);
    let line = rig.server(2).server_line();
    let outside = ["done", "take server.2", "done", "done"];
    let taken_in = ["done", "done", "done", "remove server 2"];
    let before = config_version(rig.agent(1));
    let proxy = Proxy::start(rig.server(1).client_address());
    let mut store = settings(&rig.cluster, rig.server(1));
    store.address = address(proxy.address());
    let mut program = Program::new(env!("CARGO_BIN_EXE_agent-zookeeper"), &store).unwrap();
    let client = program.start().unwrap();
    assert_eq!(plans(rig.cluster.servers(), &client, &line), outside);

    proxy.set(trap);
    let schedule = Schedule::new(ADD).with_args(&by_member_address(rig.agent(2)));
    let id = wait(client.schedule(&schedule)).unwrap().id;
    until("the change to be caught", || proxy.sprung());
    program.kill().unwrap();
    let between = config_version(rig.agent(1));
    assert_eq!(between != before, trap == Trap::Answer, "{trap:?}");
    if trap == Trap::Answer {
        await_state(rig.agent(2), NodeState::Healthy);
    }
    let there = if trap == Trap::Answer { taken_in } else { outside };
    assert_eq!(plans(rig.cluster.servers(), rig.agent(1).client(), &line), there);

    proxy.set(Trap::Off);
    let client = program.start().unwrap();
    let record = wait(client.ended(id, UP)).unwrap();
    let output = done(&record);
    assert_eq!((record.attempt, &output["changed"]), (2, &json!(true)));
    let after = config_version(rig.agent(1));
    assert_eq!(output["config_version"], after);
    if trap == Trap::Answer {
        assert_eq!(after, between, "it was not changed a second time");
    }
    let files = std::fs::read_dir(rig.server(1).config_file().parent().unwrap()).unwrap();
    let versions = files
        .filter_map(|file| file.unwrap().file_name().into_string().ok())
        .filter(|name| name.starts_with("zoo.cfg.dynamic.") && !name.ends_with("next"))
        .count();
    assert_eq!(versions, 2, "one file for the first version, one for the change");
    await_state(rig.agent(2), NodeState::Healthy);
    assert_eq!(plans(rig.cluster.servers(), &client, &line), taken_in);
    println!("killed at {trap:?}: {before} -> {after} in attempt {}", record.attempt);
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test zookeeper"]
fn line_6_killed_before_the_change_it_is_made_once() {
    killed_at(Trap::Request);
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test zookeeper"]
fn line_6_killed_after_the_change_it_is_not_made_again() {
    killed_at(Trap::Answer);
}
