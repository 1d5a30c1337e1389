//! Line 10: looking changes nothing; and what asking for plans costs.

use agent_sdk::client::wait;
use agent_sdk::spec::NodeState;
use testbed::zookeeper::{Cluster, Layout};

use crate::plans::plans;
use crate::rig::{UP, await_state, node, settings, start};

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test zookeeper"]
fn line_10_an_idle_agent_adds_no_transactions() {
    let cluster = Cluster::builder(1).layout(Layout::Blank).start(UP).unwrap();
    let server = &cluster.servers()[0];
    let zxid = || server.wait_serving(UP).unwrap().zxid();
    let before = zxid();
    let agent = start(settings(&cluster, server));
    let look = || {
        assert_eq!(node(&agent).node_status, NodeState::Healthy);
        wait(agent.client().store()).unwrap();
        wait(agent.client().shards()).unwrap();
    };
    await_state(&agent, NodeState::Healthy);
    (0..334).for_each(|_| look());
    let idle = zxid();
    println!("1,002 questions moved the zxid by {}", idle - before);
    assert!(idle - before <= 2, "{}", idle - before);

    let told = plans(cluster.servers(), agent.client(), &server.server_line());
    assert_eq!(told, ["done", "done", "done", "refused: last_participant"]);
    // One session for each plan, one more for each joiner that is asked, and two transactions for each session.
    let planned = zxid();
    println!("four plans moved the zxid by {}", planned - idle);
    assert!(planned - idle <= 12, "{}", planned - idle);
    (0..20).for_each(|_| look());
    assert_eq!(zxid(), planned, "idle again");
}
