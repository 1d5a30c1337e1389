use super::*;
use mongodb::bson::{Bson, DateTime};

fn seen(host: &str, state: i32, health: impl Into<Bson>, elected: Option<u32>) -> Document {
    let mut member = doc! { "name": host, "state": state, "health": health.into() };
    if let Some(time) = elected {
        member.insert("electionTime", Timestamp { time, increment: 1 });
    }
    member
}

fn status(members: Vec<Document>) -> SetStatus {
    SetStatus::of(&doc! { "set": "rs0", "myState": 2.0, "members": members }).unwrap()
}

#[test]
fn of_two_primaries_the_one_elected_last_counts() {
    let old = seen("h1:1", 1, 1.0, Some(100));
    let new = seen("h2:1", 1, 1, Some(200));
    assert_eq!(status(vec![old.clone(), new]).primary().unwrap().host, "h2:1");
    assert_eq!(status(vec![old]).primary().unwrap().host, "h1:1");
}

#[test]
fn a_primary_that_does_not_answer_is_none() {
    assert_eq!(
        status(vec![seen("h1:1", 1, 0, Some(100)), seen("h2:1", 2, 1, None)]).primary(),
        None
    );
}

#[test]
fn who_was_asked_has_come_as_far_as_it_says_itself() {
    let point = |time| Timestamp { time, increment: 7 };
    let answer = doc! {
        "set": "rs0", "myState": 2, "term": 3_i64, "votingMembersCount": 2_i64,
        "optimes": { "appliedOpTime": { "ts": point(50), "t": 3_i64 }, "lastAppliedWallTime": DateTime::from_millis(5) },
        "members": [{ "name": "h:1", "self": true, "state": 2, "health": 1.0, "optime": { "ts": point(40), "t": 3_i64 } }],
    };
    let status = SetStatus::of(&answer).unwrap();
    assert_eq!((status.applied, status.applied_ms), (Some(point(50)), Some(5)));
    assert_eq!(
        (status.term, status.voting, status.state),
        (Some(3), Some(2), MemberState::Secondary)
    );
}

#[test]
fn before_its_first_copy_a_member_has_come_nowhere() {
    let none = Timestamp { time: 0, increment: 0 };
    let answer = doc! {
        "set": "rs0", "myState": 5, "optimes": { "appliedOpTime": { "ts": none, "t": -1_i64 } },
        "initialSyncStatus": { "approxTotalBytesCopied": 5_i64, "approxTotalDataSize": 9.0 },
        "members": [],
    };
    let status = SetStatus::of(&answer).unwrap();
    assert_eq!((status.applied, status.state), (None, MemberState::InitialSync));
    assert_eq!(status.copying, Some(Copying { copied: 5, all: 9 }));
}

#[test]
fn an_answer_without_a_state_is_none() {
    let fault = SetStatus::of(&doc! { "set": "rs0" }).unwrap_err();
    assert_eq!(fault.to_string(), "the answer to replSetGetStatus has no myState");
}
