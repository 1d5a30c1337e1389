//! What an agent shows, now or before long.

#![expect(
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "assertions of tests: they panic, as the module above says"
)]

use agent_sdk::agent::Agent;
use agent_sdk::client::{NodeInfo, ShardInfo, wait};
use agent_sdk::spec::NodeState;
use agent_sdk::testing::{StateDir, TestAgent};
use serde_json::Value;

use super::UP;
use crate::poll;

/// An agent inside the test, on a state directory of its own. A running action has 8 s to end when the agent is stopped.
#[track_caller]
pub fn start(agent: Agent) -> TestAgent {
    TestAgent::start_on(StateDir::new().unwrap(), agent, |config| config.actions.grace_s = 8).unwrap()
}

/// Waits until this holds.
#[track_caller]
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let found = poll::until(UP, |_| Ok::<_, ()>(holds().then_some(()))).unwrap();
    assert!(found.is_some(), "not within {UP:?}: {what}");
}

/// The node as it is shown now.
#[track_caller]
pub fn node(agent: &TestAgent) -> NodeInfo {
    wait(agent.client().node()).unwrap()
}

/// Waits until the node is in this state.
#[track_caller]
pub fn await_state(agent: &TestAgent, state: NodeState) -> NodeInfo {
    let mut last = None;
    let found = poll::until(UP, |_| {
        let info = wait(agent.client().node())?;
        last = Some((info.node_status, info.node_status_reason.clone()));
        Ok::<_, agent_sdk::client::ClientError>((info.node_status == state).then_some(info))
    });
    match found.unwrap() {
        Some(info) => info,
        None => panic!("{state:?} expected, and it is {last:?}"),
    }
}

/// All shards, where the node can be asked.
pub fn shards(agent: &TestAgent) -> Vec<ShardInfo> {
    let shown = wait(agent.client().shards());
    shown.map(|info| info.shards).unwrap_or_default()
}

/// One shard, where the node has it and can be asked.
pub fn shard(agent: &TestAgent, id: &str) -> Option<ShardInfo> {
    shards(agent).into_iter().find(|shard| shard.shard_id == id)
}

/// The shard of a store whose nodes have but one, where the node has it and can be asked.
#[track_caller]
pub fn only_shard(agent: &TestAgent) -> Option<ShardInfo> {
    let mut shards = shards(agent);
    assert!(shards.len() < 2, "{shards:?}");
    shards.pop()
}

/// An attribute of the store by its full name, where the node tells it.
pub fn attribute(agent: &TestAgent, name: &str) -> Option<Value> {
    let store = wait(agent.client().store()).ok()?;
    store.attributes.get(name).cloned()
}
