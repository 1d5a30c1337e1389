use std::time::Duration;

use agent_sdk::spec::NodeState::{self, *};
use mongodb::bson::{Document, doc};

use super::*;
use crate::ask::status::Copying;

pub(crate) fn facts(hello: &Document, set: Option<Result<SetStatus, Fault>>) -> Facts {
    Facts {
        hello: Ok(Hello::of(hello)),
        set,
        replica_set: "rs0".to_owned(),
        joining: false,
        restarted: false,
    }
}

pub(crate) fn set(state: i32) -> SetStatus {
    SetStatus::of(&doc! { "set": "rs0", "myState": state, "members": [] }).unwrap()
}

fn member() -> Document {
    doc! { "setName": "rs0", "me": "h:1", "isWritablePrimary": false }
}

fn answered(code: i32) -> Fault {
    Fault::Answered {
        code: Code(code),
        message: "as the server says".to_owned(),
    }
}

fn silent() -> Fault {
    Fault::Silent {
        address: "h:1".to_owned(),
        within: Duration::from_secs(1),
    }
}

fn state(facts: &Facts) -> NodeState {
    facts.status(None).state()
}

#[test]
fn a_member_is_what_its_state_says() {
    for (number, expected) in [
        (0, Unhealthy),
        (1, Healthy),
        (2, Healthy),
        (3, Unhealthy),
        (5, JoiningCluster),
        (6, Unknown),
        (7, Healthy),
        (8, Unknown),
        (9, Unhealthy),
        (10, NotInCluster),
        (77, Unknown),
    ] {
        assert_eq!(state(&facts(&member(), Some(Ok(set(number))))), expected, "{number}");
    }
}

#[test]
fn what_is_no_member_is_told_apart() {
    let outside = facts(&doc! { "isreplicaset": true }, None);
    assert_eq!(state(&outside), NotInCluster);
    assert_eq!(outside.cluster_id().unwrap(), None);
    let standalone = facts(&doc! { "isWritablePrimary": true }, None);
    assert_eq!(state(&standalone), NotInCluster);
    assert!(standalone.status(None).reason().unwrap().contains("--replSet"));
    let router = facts(&doc! { "msg": "isdbgrid", "isWritablePrimary": true }, None);
    assert_eq!(state(&router), Unknown);
    assert!(router.status(None).reason().unwrap().contains("mongos"));
    assert!(matches!(router.cluster_id(), Err(StoreError::Refused(_))));
}

#[test]
fn one_that_does_not_let_the_agent_in_is_not_away() {
    let refused = Fault::NotLetIn {
        address: "h:1".to_owned(),
        reason: "Authentication failed.".to_owned(),
    };
    for fault in [
        answered(13),
        answered(18),
        refused,
        Fault::NoCredentials("no file".to_owned()),
    ] {
        let facts = facts(&member(), Some(Err(fault)));
        assert_eq!(state(&facts), Unknown);
        assert_eq!(
            facts.cluster_id().unwrap().as_deref(),
            Some("rs0"),
            "it needs nobody's leave"
        );
    }
}

#[test]
fn nobody_there_is_away_and_was_seen_last_as_something() {
    let mut gone = facts(&member(), None);
    gone.hello = Err(silent());
    let status = gone.status(Some("3 s ago as PRIMARY of rs0"));
    assert_eq!(status.state(), Unavailable);
    assert!(
        status
            .reason()
            .unwrap()
            .ends_with("last seen 3 s ago as PRIMARY of rs0")
    );
    assert!(matches!(gone.cluster_id(), Err(StoreError::Unreachable(_))));
    // Frozen between the two questions.
    assert_eq!(state(&facts(&member(), Some(Err(silent())))), Unavailable);
}

#[test]
fn what_makes_no_sense_is_unknown() {
    let mut strange = facts(&member(), None);
    strange.hello = Err(Fault::Garbage {
        address: "h:1".to_owned(),
        reason: "HTTP".to_owned(),
    });
    assert_eq!(state(&strange), Unknown);
    assert!(matches!(strange.cluster_id(), Err(StoreError::Garbled(_))));
}

#[test]
fn one_that_shuts_down_leaves() {
    let mut leaving = facts(&member(), None);
    leaving.hello = Err(answered(91));
    assert_eq!(state(&leaving), LeavingCluster);
    assert_eq!(state(&facts(&member(), Some(Err(answered(11_600))))), LeavingCluster);
}

#[test]
fn one_that_finds_itself_removed_between_two_questions_is_outside() {
    for code in [93, 94] {
        let facts = facts(&member(), Some(Err(answered(code))));
        assert_eq!(state(&facts), NotInCluster);
        assert_eq!(facts.cluster_id().unwrap(), None);
    }
    assert_eq!(facts(&member(), Some(Ok(set(10)))).cluster_id().unwrap(), None);
    assert_eq!(state(&facts(&member(), Some(Err(answered(76))))), NotInCluster);
}

#[test]
fn an_action_that_takes_it_into_a_set_is_seen() {
    let joining = |mut facts: Facts| {
        facts.joining = true;
        state(&facts)
    };
    assert_eq!(joining(facts(&doc! { "isreplicaset": true }, None)), JoiningCluster);
    assert_eq!(joining(facts(&member(), Some(Ok(set(0))))), JoiningCluster);
    assert_eq!(joining(facts(&member(), Some(Ok(set(1))))), Healthy);
}

#[test]
fn a_member_that_starts_is_not_taken_for_a_blank_one() {
    let outside = |code, restarted| Facts {
        restarted,
        ..facts(&doc! { "isreplicaset": true }, Some(Err(answered(code))))
    };
    assert_eq!(state(&outside(94, true)), Unhealthy);
    assert!(matches!(outside(94, true).cluster_id(), Err(StoreError::Refused(_))));
    // One that never was a member, and one that was removed.
    assert_eq!(state(&outside(94, false)), NotInCluster);
    assert_eq!(state(&outside(93, true)), NotInCluster);
}

#[test]
fn the_first_copy_tells_how_far_it_is() {
    let copying = Some(Copying { copied: 5, all: 20 });
    let facts = facts(&member(), Some(Ok(SetStatus { copying, ..set(5) })));
    assert!(facts.status(None).reason().unwrap().contains("5 of about 20 bytes"));
}

#[test]
fn a_member_of_another_set_is_not_the_one_that_was_meant() {
    let facts = facts(&doc! { "setName": "rs1", "me": "h:1" }, Some(Ok(set(1))));
    assert_eq!(state(&facts), Unknown);
    assert!(matches!(facts.cluster_id(), Err(StoreError::Refused(_))));
}
