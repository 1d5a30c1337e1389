//! What agents show of nodes, in every state that a node can be in.

use agent_sdk::client::wait;
use agent_sdk::spec::{NodeState, Role};
use testbed::kafka::Cluster;

use crate::rig::{Rig, attribute, await_state, node, shard, shards, until};

const LOG: &str = "__cluster_metadata/0";

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test kafka"]
fn three_nodes_are_shown_as_they_are() {
    let rig = Rig::three();
    for (number, agent) in (1..).zip(&rig.agents) {
        let info = await_state(agent, NodeState::Healthy);
        assert_eq!(info.node_id, number.to_string());
        assert_eq!(info.store_version.number, rig.cluster.release().to_string());
        assert_eq!(
            info.addresses["member"].as_deref(),
            Some(&*rig.node(number).controller_address().to_string())
        );
        assert_eq!(
            info.addresses["client"].as_deref(),
            Some(&*rig.node(number).broker_address().to_string())
        );
        let store = wait(agent.client().store()).unwrap();
        assert_eq!(store.cluster_id.as_deref(), Some(rig.cluster.id()));
        println!("{}", serde_json::to_string_pretty(&store.attributes).unwrap());
    }
    rig.cluster
        .tools()
        .create_topic("orders", &[&[1, 2, 3], &[2, 3, 1]])
        .unwrap();
    rig.cluster.tools().produce("orders", 50).unwrap();
    until("all copies to be level", || {
        rig.in_role("orders/0", Role::Primary) == [1] && rig.in_role("orders/0", Role::Secondary) == [2, 3]
    });
    until("one to lead the metadata log", || {
        rig.in_role(LOG, Role::Primary).len() == 1
    });
    let ends = rig.cluster.tools().end_offsets("orders").unwrap();
    for agent in &rig.agents {
        for (partition, end) in &ends {
            let own = shard(agent, &format!("orders/{partition}"))
                .unwrap()
                .commit_offset
                .unwrap();
            assert_eq!((own.value, own.unit.as_str()), (i64::try_from(*end).unwrap(), "offset"));
        }
        println!("{:?}", shards(agent));
    }
    println!("{:?} {:?}", node(rig.agent(1)), attribute(rig.agent(1), "quorum_role"));
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test kafka"]
fn a_node_that_is_not_formatted_is_in_no_cluster() {
    let rig = Rig::start(Cluster::builder(2).unformatted([2]));
    let info = await_state(rig.agent(2), NodeState::NotInCluster);
    assert!(info.node_status_reason.unwrap().contains("not formatted"));
    assert_eq!(shards(rig.agent(2)), []);
    await_state(rig.agent(1), NodeState::Healthy);
}
