//! A4: a dead, hung or lying store.

use std::time::Duration;

use agent_sdk::client::wait;
use agent_sdk::spec::{NodeState, State};
use libtest_mimic::Failed;
use rustix::process::Signal;

use crate::process::{Place, Victim, within};
use crate::store::{DEADLINE, Store, endless, garbage, peer, silent};

/// The deadline and half a second.
const LIMIT: Duration = DEADLINE.saturating_add(Duration::from_millis(500));

/// Whatever becomes of the store: the right status and a refusal for the shards within the deadline and half a second,
/// and actions and health as ever.
pub fn whatever_the_store_does() -> Result<(), Failed> {
    let store = Store::start();
    let place = Place::looking_at(store.address);
    let victim = place.start();
    assert_eq!(status(&victim), NodeState::Healthy);
    assert_eq!(wait(victim.client.shards())?.shards.len(), 1);

    store.signal(Signal::STOP);
    assert_eq!(seen(&victim), NodeState::Unavailable, "stopped");
    store.signal(Signal::CONT);
    assert_eq!(status(&victim), NodeState::Healthy, "going on");
    store.signal(Signal::KILL);
    assert_eq!(seen(&victim), NodeState::Unavailable, "killed");

    for (what, does, expected) in [
        ("silent", silent as fn(_), NodeState::Unavailable),
        ("garbage", garbage, NodeState::Unknown),
        ("endless", endless, NodeState::Unknown),
    ] {
        let place = Place::looking_at(peer(does));
        assert_eq!(seen(&place.start()), expected, "{what}");
    }
    Ok(())
}

fn status(victim: &Victim) -> NodeState {
    wait(victim.client.node()).unwrap().node_status
}

/// The status of a store that gives no shards.
fn seen(victim: &Victim) -> NodeState {
    let status = within(LIMIT, || status(victim));
    let refused = within(LIMIT, || wait(victim.client.shards()).unwrap_err());
    assert_eq!(refused.problem().unwrap().status, 503);
    let action = victim.schedule("agent.replicante.io/test.success", &serde_json::json!({}));
    assert_eq!(victim.until_ended(action).state, State::Done);
    for path in ["/healthz", "/readyz"] {
        let answer = wait(victim.client.raw(agent_sdk::client::Method::Get, path, Vec::new())).unwrap();
        assert_eq!(answer.status, 200, "{path}");
    }
    status
}
