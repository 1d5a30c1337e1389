//! Line 8, and the states of the specification that nodes come into by themselves: killed, started, stopped, hung, without
//! a quorum, without a disk, without a vote.

use std::process::Command;
use std::time::{Duration, Instant};

use agent_sdk::client::{NodeInfo, ShardInfo, wait};
use agent_sdk::spec::NodeState::{self, Healthy, JoiningCluster, LeavingCluster, NotInCluster, Unavailable, Unhealthy};
use agent_sdk::spec::Role;
use agent_sdk::testing::TestAgent;
use serde_json::{Value, json};
use testbed::kafka::{Cluster, Release, Roles, Voters};
use testbed::poll;

use crate::rig::{
    ADD, JOIN, REMOVE, Rig, UP, attribute, await_state, by_member_address, done, node, run, shard, shards, until,
};

const LOG: &str = "__cluster_metadata/0";

/// What an endpoint may take: the agents' deadline and half a second.
const IN_TIME: Duration = Duration::from_millis(1_500);

/// Every information endpoint answers in time, whatever it says. Asked twice: a busy machine may be late once.
fn all_in_time(agent: &TestAgent) -> NodeInfo {
    let client = agent.client();
    let calls: [&dyn Fn(); 3] = [
        &|| {
            let _ = wait(client.node());
        },
        &|| {
            let _ = wait(client.store());
        },
        &|| {
            let _ = wait(client.shards());
        },
    ];
    for call in calls {
        let took = || {
            let begun = Instant::now();
            call();
            begun.elapsed()
        };
        let (first, second) = (took(), took());
        assert!(first.min(second) <= IN_TIME, "{first:?}, {second:?}");
    }
    node(agent)
}

/// The next answer, which says so.
fn is_at_once(agent: &TestAgent, state: NodeState, why: &str) {
    let info = all_in_time(agent);
    let reason = info.node_status_reason.unwrap_or_default();
    assert!(
        info.node_status == state && reason.contains(why),
        "{:?}: {reason}",
        info.node_status
    );
}

/// Looks on until the node is in this state, and tells in which ones it was on the way, each with its reason and when it
/// began.
fn states_until(agent: &TestAgent, last: NodeState) -> Vec<NodeState> {
    let begun = Instant::now();
    let mut seen: Vec<(NodeState, Option<String>, Duration)> = Vec::new();
    let found = poll::until(UP, |_| {
        let info = node(agent);
        let same = |(state, reason, _): &(NodeState, Option<String>, Duration)| {
            // A last look's age is in the reason of who is gone.
            *state == info.node_status && (*reason == info.node_status_reason || *state == Unavailable)
        };
        if !seen.last().is_some_and(same) {
            seen.push((info.node_status, info.node_status_reason, begun.elapsed()));
        }
        Ok::<_, ()>((info.node_status == last).then_some(()))
    });
    for (state, reason, when) in &seen {
        println!("{when:8.2?} {state:?} {}", reason.as_deref().unwrap_or_default());
    }
    assert_eq!(found.unwrap(), Some(()), "{last:?} expected: {seen:?}");
    let mut states: Vec<_> = seen.into_iter().map(|(state, ..)| state).collect();
    states.dedup();
    states
}

fn role(agent: &TestAgent, id: &str) -> Option<Role> {
    shard(agent, id).map(|shard: ShardInfo| shard.replication_state)
}

/// A node's start, from nothing.
fn starts(rig: &Rig, number: u32) {
    println!("node {number} starts");
    rig.node(number).start().unwrap();
    let states = states_until(rig.agent(number), Healthy);
    assert!(states.contains(&JoiningCluster), "{states:?}");
    let others = [Unavailable, JoiningCluster, Unhealthy, Healthy];
    assert!(states.iter().all(|state| others.contains(state)), "{states:?}");
}

/// Its agent has seen that it is in sync for a partition, and knows so what it is to lose that.
fn stops(rig: &Rig, number: u32) {
    println!("node {number} stops");
    assert_eq!(node(rig.agent(number)).node_status, Healthy);
    rig.node(number).terminate().unwrap();
    let states = states_until(rig.agent(number), Unavailable);
    // Nothing in between, and no way back.
    assert!(
        states.ends_with(&[LeavingCluster, Unavailable]) && states.len() <= 3,
        "{states:?}"
    );
    assert!([Healthy, LeavingCluster].contains(&states[0]), "{states:?}");
    rig.node(number).wait_exit(UP).unwrap();
}

fn hangs(rig: &Rig, number: u32) {
    println!("node {number} hangs");
    rig.node(number).pause().unwrap();
    is_at_once(rig.agent(number), Unavailable, "last seen");
    rig.node(number).resume().unwrap();
    states_until(rig.agent(number), Healthy);
}

/// Others were just killed, without which there is no majority.
fn loses_its_quorum(agent: &TestAgent) {
    println!("node {} loses its quorum", node(agent).node_id);
    let states = states_until(agent, Unhealthy);
    let others = [JoiningCluster, Healthy, Unhealthy];
    assert!(states.iter().all(|state| others.contains(state)), "{states:?}");
    until("it to be the quorum that is missing", || {
        let reason = node(agent).node_status_reason;
        reason.is_some_and(|reason| reason.contains("quorum"))
    });
    // It stays so, and costs nobody more than the deadline.
    is_at_once(agent, Unhealthy, "quorum");
}

fn dies(rig: &Rig, number: u32) {
    println!("node {number} dies");
    rig.node(number).kill().unwrap();
    is_at_once(rig.agent(number), Unavailable, "no connection");
    assert_eq!(node(rig.agent(number)).node_id, number.to_string(), "known without it");
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test kafka"]
fn line_8_a_node_that_dies_starts_stops_or_hangs_is_shown_so() {
    let rig = Rig::three();
    rig.cluster
        .tools()
        .create_topic("orders", &[&[1, 2, 3], &[2, 3, 1], &[3, 1, 2]])
        .unwrap();
    for agent in &rig.agents {
        await_state(agent, Healthy);
    }
    hangs(&rig, 2);
    let leader = attribute(rig.agent(1), "quorum_leader")
        .and_then(|leader| leader.as_u64())
        .unwrap();
    let leader = u32::try_from(leader).unwrap();
    // One that leads the quorum, and one that does not.
    for number in [leader, leader % 3 + 1] {
        until("it to be in sync", || {
            matches!(
                role(rig.agent(number), "orders/0"),
                Some(Role::Primary | Role::Secondary)
            )
        });
        stops(&rig, number);
        starts(&rig, number);
    }
    dies(&rig, leader);
    starts(&rig, leader);
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test kafka"]
fn line_8_a_lone_node_of_the_older_release_is_shown_so_too() {
    let rig = Rig::start(Cluster::builder(1).release(Release::V3_9_2));
    rig.cluster.tools().create_topic("orders", &[&[1]]).unwrap();
    await_state(rig.agent(1), Healthy);
    hangs(&rig, 1);
    stops(&rig, 1);
    starts(&rig, 1);
    dies(&rig, 1);
    starts(&rig, 1);
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test kafka"]
fn line_8_a_broker_that_loses_a_log_directory_is_unhealthy_and_serves_the_rest() {
    let cluster = Cluster::builder(1).prepare().unwrap();
    let data = cluster.nodes()[0].data_directory();
    let more = data.with_file_name("more");
    let [kept, lost] = [&data, &more].map(|directory| directory.display().to_string());
    let lines =
        format!("log.dirs={kept},{lost}\nmetadata.log.dir={kept}\nlog.flush.offset.checkpoint.interval.ms=1000\n");
    let file = cluster.nodes()[0].config_file();
    let text = std::fs::read_to_string(&file).unwrap() + &lines;
    std::fs::write(&file, text).unwrap();
    cluster.format().unwrap();
    cluster.start().unwrap();
    cluster.wait_ready(UP).unwrap();
    let rig = Rig::beside(cluster, |_, process| {
        process.log_directories = vec![data.clone(), more.clone()];
    });
    let agent = rig.agent(1);
    rig.cluster
        .tools()
        .create_topic("orders", &[&[1], &[1], &[1], &[1]])
        .unwrap();
    await_state(agent, Healthy);
    let ids: Vec<_> = (0..4).map(|number| format!("orders/{number}")).collect();
    until("it to lead them all", || {
        ids.iter().all(|id| role(agent, id) == Some(Role::Primary))
    });
    let (there, here): (Vec<_>, Vec<_>) = (0..4).partition(|number| more.join(format!("orders-{number}")).is_dir());
    assert!(!there.is_empty() && !here.is_empty(), "{there:?} {here:?}");

    std::fs::rename(&more, more.with_file_name("gone")).unwrap();
    std::fs::write(&more, "a file").unwrap();
    let begun = Instant::now();
    let info = await_state(agent, Unhealthy);
    println!("after {:?}: {info:?}", begun.elapsed());
    assert!(
        info.node_status_reason
            .unwrap()
            .ends_with(&format!("have failed: {lost}"))
    );
    assert_eq!(info.node_id, "1");
    // The broker knows before the cluster does.
    until("the cluster to know which replicas are lost", || {
        there
            .iter()
            .all(|number: &usize| role(agent, &ids[*number]) == Some(Role::Other))
    });
    for (number, id) in ids.iter().enumerate() {
        let shard = shard(agent, id).unwrap();
        let offset = shard.commit_offset.as_ref().map(|offset| offset.value);
        if here.contains(&number) {
            assert_eq!((shard.replication_state, offset), (Role::Primary, Some(0)), "{shard:?}");
        } else {
            assert_eq!((shard.replication_state, offset), (Role::Other, None), "{shard:?}");
        }
    }
    assert_eq!(role(agent, LOG), Some(Role::Primary));
    assert_eq!(attribute(agent, "log_directories_failed"), Some(json!(1)));
    assert_eq!(attribute(agent, "replicas_offline"), Some(json!(there.len())));
    println!("{:?}", shards(agent));
    dies(&rig, 1);
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test kafka"]
fn controllers_alone_vote_or_are_in_no_cluster_and_nobody_is_well_without_a_quorum() {
    let builder = Cluster::builder(3).voters(Voters::First);
    let builder = builder.roles(1, Roles::Controller).roles(2, Roles::Controller);
    let rig = Rig::start(builder.roles(3, Roles::Broker));
    let [first, second, broker] = [1, 2, 3].map(|number| rig.agent(number));
    let all = |agent: &TestAgent| -> Vec<_> {
        let all = shards(agent).into_iter();
        all.map(|shard| (shard.shard_id, shard.replication_state)).collect()
    };
    let log = |role| vec![(LOG.to_owned(), role)];
    await_state(first, Healthy);
    until("the lone voter to lead", || all(first) == log(Role::Primary));
    let observer = await_state(second, NotInCluster);
    println!("{observer:?}");
    assert!(observer.node_status_reason.unwrap().contains("no voter: those are [1]"));
    assert_eq!(all(second), []);
    assert_eq!(wait(second.client().store()).unwrap().cluster_id, None);
    await_state(broker, Healthy);
    until("the broker to follow", || all(broker) == log(Role::Secondary));

    let joined = done(&run(second.client(), JOIN, &by_member_address(first)));
    assert_eq!(
        (&joined["voter"], &joined["broker"]),
        (&json!(true), &json!(false)),
        "{joined}"
    );
    assert_eq!(node(second).node_status, Healthy, "by the time it is done");
    until("the second voter to follow", || all(second) == log(Role::Secondary));

    dies(&rig, 1);
    for agent in [second, broker] {
        loses_its_quorum(agent);
    }
    println!("node 1 starts");
    rig.node(1).start().unwrap();
    for agent in &rig.agents {
        states_until(agent, Healthy);
    }

    // A broker that has nobody to hand over to closes its port after a tenth of a second, so nobody has to see it leave; in
    // that time it may be seen in sync for nothing, as one that catches up. And of a broker alone nothing answers before
    // it is unfenced.
    rig.cluster.tools().create_topic("orders", &[&[3]]).unwrap();
    until("it to lead", || role(broker, "orders/0") == Some(Role::Primary));
    rig.node(3).terminate().unwrap();
    let states = states_until(broker, Unavailable);
    let may_be = [Healthy, LeavingCluster, Unhealthy, Unavailable];
    assert!(states.iter().all(|state| may_be.contains(state)), "{states:?}");
    rig.node(3).wait_exit(UP).unwrap();
    rig.node(3).start().unwrap();
    states_until(broker, Healthy);

    rig.cluster.tools().unregister(rig.node(3)).unwrap();
    let begun = Instant::now();
    let gone = await_state(broker, NotInCluster);
    println!("after {:?}: {gone:?}", begun.elapsed());
    assert!(gone.node_status_reason.unwrap().contains("no broker 3 is registered"));
    assert_eq!(all(broker), []);
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test kafka"]
fn a_node_without_its_vote_or_its_broker_leaves() {
    let rig = Rig::start(Cluster::builder(2));
    let [first, second] = [1, 2].map(|number| rig.agent(number));
    for agent in &rig.agents {
        await_state(agent, Healthy);
    }
    let vote = json!({ "node": "2", "roles": ["controller"] });
    let removed = done(&run(first.client(), REMOVE, &vote));
    assert_eq!(
        (&removed["voters"], &removed["changed"]),
        (&json!([1]), &json!(true)),
        "{removed}"
    );
    states_until(second, LeavingCluster);
    let leaving = await_state(second, LeavingCluster);
    println!("{leaving:?}");
    assert!(
        leaving
            .node_status_reason
            .unwrap()
            .contains("its broker still is registered")
    );
    assert_eq!(attribute(second, "quorum_role"), Some(Value::from("observer")));
    assert_eq!(role(second, LOG), Some(Role::Secondary));
    assert_eq!(await_state(first, Healthy).node_id, "1");

    let added = done(&run(first.client(), ADD, &by_member_address(second)));
    assert_eq!(added["voter"], json!(true), "{added}");
    states_until(second, Healthy);
    assert_ne!(attribute(second, "quorum_role"), Some(Value::from("observer")));

    // The other half of it goes, and the vote stays.
    rig.cluster.tools().unregister(rig.node(2)).unwrap();
    let leaving = await_state(second, LeavingCluster);
    println!("{leaving:?}");
    assert!(
        leaving
            .node_status_reason
            .unwrap()
            .contains("no broker 2 is registered")
    );
    assert!(matches!(role(second, LOG), Some(Role::Primary | Role::Secondary)));
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test kafka"]
fn a_voter_whose_disk_was_replaced_has_no_vote_and_helps_no_quorum() {
    let rig = Rig::three();
    for agent in &rig.agents {
        await_state(agent, Healthy);
    }
    dies(&rig, 3);
    rig.node(3).wipe().unwrap();
    await_state(rig.agent(3), NotInCluster);
    let format = rig.node(3).format_command();
    let mut command = Command::new(&format[0]);
    command
        .args(&format[1..])
        .args(["--cluster-id", rig.cluster.id(), "--no-initial-controllers"]);
    let formatted = command.output().unwrap();
    assert!(formatted.status.success(), "{formatted:?}");
    await_state(rig.agent(3), Unavailable);
    rig.node(3).start().unwrap();
    // Its broker is back; its old directory still is the voter.
    rig.node(3).wait_ready(UP).unwrap();
    until("it to be known by its new directory", || {
        let info = node(rig.agent(3));
        let reason = info.node_status_reason.unwrap_or_default();
        println!("{:?} {reason}", info.node_status);
        info.node_status == JoiningCluster && reason.contains("no voter: those are [1, 2, 3]; its broker is registered")
    });
    assert_eq!(attribute(rig.agent(3), "quorum_role"), Some(Value::from("observer")));
    for number in [1, 2] {
        await_state(rig.agent(number), Healthy);
    }

    println!("{:?} leads", attribute(rig.agent(2), "quorum_leader"));
    dies(&rig, 1);
    for number in [2, 3] {
        loses_its_quorum(rig.agent(number));
    }
}
