//! What a server is, from each way it may answer.

use agent_sdk::spec::NodeState;

use super::*;

fn facts(mode: &str, own: Option<u64>, config: &str) -> Facts {
    Facts {
        answer: Ok(Srvr::parse(&format!("Zxid: 0x100000007\nMode: {mode}")).unwrap()),
        known_id: own,
        membership: Ok(Membership {
            ensemble: Ensemble::parse(config.as_bytes()).unwrap(),
            server_id: Some(own.unwrap_or(2)),
        }),
        said_id: None,
        joining: false,
    }
}

fn without(error: WordError) -> Facts {
    Facts {
        answer: Err(NoAnswer::Word(error)),
        known_id: Some(1),
        membership: Err("not asked".into()),
        said_id: None,
        joining: false,
    }
}

fn silent() -> WordError {
    WordError::Silent {
        address: "h:1".parse().unwrap(),
        within: std::time::Duration::from_secs(1),
    }
}

const ONE: &str = "server.1=h:1:2;3\nversion=100000000";

#[test]
fn a_server_outside_says_follower_and_is_not_in_the_cluster() {
    for mode in ["leader", "follower", "observer"] {
        assert_eq!(facts(mode, Some(1), ONE).status(None), NodeStatus::healthy());
        let mut outside = facts(mode, Some(2), ONE);
        assert_eq!(outside.status(None).state(), NodeState::NotInCluster, "{mode}");
        assert_eq!(outside.shards("zk", false).unwrap(), []);
        assert_eq!(outside.cluster_id("zk", false).unwrap(), None);
        outside.joining = true;
        assert_eq!(outside.status(None), NodeStatus::joining());
    }
    // Without a file or a configured id the session tells: 2.
    assert_eq!(
        facts("follower", None, ONE).status(None).state(),
        NodeState::NotInCluster
    );
}

#[test]
fn a_server_of_another_id_than_is_configured_is_unknown() {
    let mut other = facts("follower", Some(1), "server.1=h:1:2;3\nserver.2=h:4:5;6\nversion=1");
    assert_eq!(other.status(None), NodeStatus::healthy());
    let tell = |facts: &mut Facts, id| facts.membership.as_mut().unwrap().server_id = id;
    tell(&mut other, Some(2));
    let reason = "the configuration says server 1, the server says 2";
    assert_eq!(other.status(None), NodeStatus::unknown(reason));
    assert!(other.cluster_id("zk", false).is_err());
    assert_eq!(seen_outside(&other), None);
    // The session has the lowest eight bits only.
    for (known, told, agree) in [(257, 1, true), (258, 1, false), (1, 1, true)] {
        assert_eq!(disagreement(Some(known), Some(told)).is_none(), agree, "{known} {told}");
    }
    assert_eq!(
        (disagreement(None, Some(1)), disagreement(Some(256), None)),
        (None, None)
    );
    let mut alone = facts("standalone", Some(1), "");
    tell(&mut alone, Some(2));
    assert_eq!(alone.status(None).state(), NodeState::Healthy);
}

#[test]
fn nothing_is_healthy_that_is_not_known_to_be_a_member() {
    let mut unread = facts("leader", Some(1), ONE);
    unread.membership = Err("no right to read it".into());
    assert_eq!(unread.status(None), NodeStatus::unknown("no right to read it"));
    assert_eq!(
        unread.shards("zk", false).unwrap()[0].role.role(),
        agent_sdk::spec::Role::Other
    );
    let mut nameless = facts("leader", None, ONE);
    if let Ok(membership) = &mut nameless.membership {
        membership.server_id = None;
    }
    assert_eq!(nameless.status(None).state(), NodeState::Unknown);
    assert_eq!(
        facts("read-only", Some(1), ONE).status(None).state(),
        NodeState::Unhealthy
    );
}

#[test]
fn roles_and_offsets_come_from_srvr() {
    let shard = |mode| facts(mode, Some(1), ONE).shards("zk", false).unwrap().remove(0);
    assert_eq!(
        shard("leader"),
        Shard::new("zk", ReplicationState::Primary, UNIT).at(0x1_0000_0007)
    );
    assert_eq!(shard("follower").role, ReplicationState::Secondary);
    assert_eq!(shard("observer").role, ReplicationState::Secondary);
    assert_eq!(shard("observer").lag, None);
    let alone = facts("standalone", None, "");
    assert_eq!(alone.shards("zk", false).unwrap()[0].role, ReplicationState::Primary);
    assert_eq!(alone.status(None).state(), NodeState::Healthy);
}

#[test]
fn each_way_not_to_answer_has_its_state() {
    let state = |error| without(error).status(None).state();
    let address = || "h:1".parse().unwrap();
    assert_eq!(state(silent()), NodeState::Unavailable);
    assert_eq!(state(WordError::Closed(address())), NodeState::Unavailable);
    assert_eq!(state(WordError::NotServing), NodeState::Unhealthy);
    assert_eq!(state(WordError::NotWhitelisted("srvr")), NodeState::Unknown);
    assert_eq!(state(WordError::Endless(address())), NodeState::Unknown);
    assert_eq!(state(WordError::NotText(address())), NodeState::Unknown);
    let last = without(silent()).status(Some("follower outside of the ensemble"));
    assert!(
        last.reason().unwrap().contains("last seen follower outside"),
        "{last:?}"
    );
}

#[test]
fn a_server_that_does_not_serve_keeps_its_shard_unless_it_was_outside() {
    let shards = without(WordError::NotServing).shards("zk", false).unwrap();
    assert!(shards[0].role.reason().unwrap().contains("not serving"));
    assert_eq!(without(WordError::NotServing).shards("zk", true).unwrap(), []);
    assert_eq!(
        without(WordError::NotServing)
            .cluster_id("zk", false)
            .unwrap()
            .as_deref(),
        Some("zk")
    );
    assert!(matches!(
        without(silent()).shards("zk", false),
        Err(StoreError::Unreachable(_))
    ));
}
