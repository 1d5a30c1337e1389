use super::*;
use crate::actions::majority::tests::set;
use crate::ask::SetConfig;
use mongodb::bson::{Document, doc};

const NEW: &str = "new:1";

/// Of the set that `set` makes.
const BASIS: Basis = Basis {
    version: 7,
    term: Some(3),
};

/// The step after the new one was seen in the set.
fn followed() -> Step {
    Step::Follow {
        id: 2,
        host: NEW.to_owned(),
        part: probation(&Part::default()),
    }
}

fn args() -> NewMember {
    NewMember {
        node: NEW.to_owned(),
        ..NewMember::default()
    }
}

/// A set of two, and what the other node says.
fn view(hello: &Document) -> View {
    let (config, status) = set(&[1, 2]);
    View {
        current: Current {
            config,
            committed: Some(true),
        },
        status,
        other: Some(Ok(Hello::of(hello))),
    }
}

fn blank() -> View {
    view(&doc! { "isreplicaset": true })
}

/// The same set with the new one in this part, seen so.
fn with(part: &Part, seen: Document) -> View {
    let mut view = blank();
    let config = &view.current.config;
    let member = Member {
        id: 2,
        host: NEW.to_owned(),
        role: part.clone(),
    };
    let next = config.with(&member);
    view.current.config = SetConfig::of(next).unwrap();
    let mut seen = seen;
    seen.insert("name", NEW);
    let status = doc! { "set": "rs0", "myState": 1, "members": [seen] };
    view.status.members.extend(SetStatus::of(&status).unwrap().members);
    view.status.voting = Some(if part.is_voter() { 3 } else { 2 });
    view.other = None;
    view
}

fn admitted() -> Step {
    Step::Admit {
        id: 2,
        host: NEW.to_owned(),
        part: probation(&Part::default()),
        basis: BASIS,
    }
}

fn decide(view: &View, last: Option<&Step>) -> Result<Next<Step, Added>, ActionError> {
    Add::decide(&args(), view, last)
}

fn code(view: &View, last: Option<&Step>) -> String {
    match decide(view, last).unwrap_err() {
        ActionError::Final(fault) => format!("final {}", fault.code()),
        ActionError::Retry(fault) => format!("retry {}", fault.code()),
        other => other.to_string(),
    }
}

fn secondary() -> Document {
    doc! { "state": 2, "health": 1.0 }
}

#[test]
fn a_blank_node_is_admitted_without_a_vote_first() {
    let Ok(Next::Do { now, then }) = decide(&blank(), None) else {
        panic!("there is something to do")
    };
    assert_eq!(now, admitted());
    assert_eq!(now.to_string(), "admit new:1 as member 2, without a vote");
    assert_eq!(then.len(), 1);
    assert_eq!(then[0].to_string(), "give new:1, member 2, its vote, and priority 1");
}

#[test]
fn who_is_no_candidate_is_refused_before_anything_is_done() {
    assert_eq!(
        code(&view(&doc! { "isWritablePrimary": true }), None),
        "final not_a_member"
    );
    assert_eq!(code(&view(&doc! { "msg": "isdbgrid" }), None), "final not_a_member");
    let other = doc! { "setName": "rsX", "me": NEW, "hosts": [NEW] };
    assert_eq!(code(&view(&other), None), "final other_set");
    // Another set of the same name.
    let same_name = doc! { "setName": "rs0", "me": NEW, "hosts": [NEW] };
    assert_eq!(code(&view(&same_name), None), "final other_set");
    // A member of this set, under another name than its own.
    let alias = doc! { "setName": "rs0", "me": "h1:1", "hosts": ["h0:1", "h1:1"] };
    assert_eq!(code(&view(&alias), None), "final same_node");
}

#[test]
fn one_that_does_not_answer_may_answer_later() {
    let mut dead = blank();
    dead.other = Some(Err(Fault::Unreachable {
        address: NEW.to_owned(),
        reason: "refused".to_owned(),
    }));
    assert_eq!(code(&dead, None), "retry member_unreachable");
    // It was removed just now, and has not heard of it.
    let stale = doc! { "setName": "rs0", "me": NEW, "hosts": ["h0:1", NEW] };
    assert_eq!(code(&view(&stale), None), "retry not_now");
}

#[test]
fn an_admitted_node_is_promoted_once_it_follows() {
    let begins = probation(&Part::default());
    let copying = with(&begins, doc! { "state": 5, "health": 1.0, "syncSourceHost": "h1:1" });
    let Ok(Next::Wait(reason)) = decide(&copying, Some(&followed())) else {
        panic!("its first copy is under way")
    };
    assert_eq!(reason, "new:1 follows: it is STARTUP2 now, and copies from h1:1");
    let Ok(Next::Do { now, .. }) = decide(&with(&begins, secondary()), Some(&followed())) else {
        panic!("it has no vote yet")
    };
    assert!(
        matches!(&now, Step::Promote { id: 2, part, basis: Basis { version: 8, .. }, .. } if *part == Part::default())
    );
    assert!(matches!(
        decide(&with(&Part::default(), secondary()), Some(&now)),
        Ok(Next::Done(Added {
            changed: true,
            voter: true,
            member_id: 2,
            ..
        }))
    ));
}

#[test]
fn who_was_seen_in_the_set_and_is_gone_was_removed_by_somebody() {
    let begins = probation(&Part::default());
    let Ok(Next::Do { now, .. }) = decide(&with(&begins, secondary()), Some(&admitted())) else {
        panic!("that it was seen is made durable")
    };
    assert_eq!(now, followed());
    assert_eq!(code(&blank(), Some(&followed())), "final removed_meanwhile");
    // Not seen yet, it may never have come in.
    assert!(matches!(decide(&blank(), Some(&admitted())), Ok(Next::Do { .. })));
}

#[test]
fn one_that_has_its_vote_is_not_taken_out_for_being_out_of_step() {
    let promoted = Step::Promote {
        id: 2,
        host: NEW.to_owned(),
        part: Part::default(),
        basis: BASIS,
    };
    let keyless = doc! { "state": 6, "health": 0.0, "authenticated": false };
    assert_eq!(
        code(&with(&Part::default(), keyless), Some(&promoted)),
        "retry other_key"
    );
}

#[test]
fn others_that_are_held_back_do_not_hold_it_up() {
    let mut view = with(&Part::default(), secondary());
    // Somebody has added another one by hand, and that copies for hours.
    let other = Member {
        id: 9,
        host: "slow:1".to_owned(),
        role: Part::default(),
    };
    view.current.config = SetConfig::of(view.current.config.with(&other)).unwrap();
    view.status.members.push(Seen {
        host: other.host,
        is_up: true,
        state: MemberState::InitialSync,
        ..Seen::default()
    });
    assert!(matches!(decide(&view, None), Ok(Next::Done(_))));
    // One that is dead has a vote that counts: what is missing is this one's.
    if let Some(slow) = view.status.members.last_mut() {
        (slow.is_up, slow.state) = (false, MemberState::Down);
    }
    assert!(matches!(decide(&view, None), Ok(Next::Wait(_))));
}

#[test]
fn a_vote_has_to_count_and_a_majority_to_know() {
    let mut held_back = with(&Part::default(), secondary());
    held_back.status.voting = Some(2);
    assert!(matches!(decide(&held_back, None), Ok(Next::Wait(reason)) if reason.contains("counts")));
    let mut fresh = with(&Part::default(), secondary());
    fresh.current.committed = Some(false);
    assert!(matches!(decide(&fresh, None), Ok(Next::Wait(_))));
}

#[test]
fn a_member_is_done_without_any_change() {
    let done = decide(&with(&Part::default(), secondary()), None);
    assert!(matches!(done, Ok(Next::Done(Added { changed: false, .. }))), "{done:?}");
}

#[test]
fn a_member_in_another_part_is_left_to_member_configure() {
    let part = probation(&Part::default());
    assert_eq!(code(&with(&part, secondary()), None), "final member_differs");
    // One that has the same name, and is another's.
    let other = Step::Admit {
        id: 9,
        host: NEW.to_owned(),
        part: part.clone(),
        basis: BASIS,
    };
    assert_eq!(code(&with(&part, secondary()), Some(&other)), "final member_differs");
}

#[test]
fn one_that_does_not_belong_to_the_set_is_taken_out_again() {
    let begins = probation(&Part::default());
    for (seen, expected) in [
        (doc! { "state": 6, "health": 0.0, "authenticated": false }, "other_key"),
        (
            doc! { "state": 8, "health": 0.0, "lastHeartbeatMessage": "replica set IDs do not match, ours: a; remote node's: b" },
            "other_set",
        ),
        (
            doc! { "state": 8, "health": 0.0, "lastHeartbeatMessage": "not running using replication" },
            "not_a_member",
        ),
    ] {
        let view = with(&begins, seen);
        let Ok(Next::Do { now, .. }) = decide(&view, Some(&followed())) else {
            panic!("it has to go")
        };
        assert!(
            matches!(&now, Step::Withdraw { id: 2, code, .. } if code == expected),
            "{now:?}"
        );
        // Out again: the action fails for what was found.
        assert_eq!(code(&blank(), Some(&now)), format!("final {expected}"));
        // One that somebody else has added is not this action's to remove.
        assert_eq!(
            code(&with(&Part::default(), view_seen(&view)), None),
            format!("retry {expected}")
        );
    }
}

fn view_seen(view: &View) -> Document {
    let seen = view.status.member(NEW).unwrap();
    let mut again = doc! { "state": 8, "health": 0.0, "authenticated": !seen.is_keyless };
    if let Some(complaint) = &seen.complaint {
        again.insert("lastHeartbeatMessage", complaint);
    }
    again
}

#[test]
fn one_that_died_after_it_was_admitted_is_waited_for() {
    let gone = doc! { "state": 8, "health": 0.0, "lastHeartbeatMessage": "Error connecting to new:1 :: caused by :: Connection refused" };
    let decided = decide(&with(&probation(&Part::default()), gone), Some(&followed()));
    assert!(matches!(decided, Ok(Next::Wait(reason)) if reason.contains("refused")));
}

#[test]
fn an_eighth_vote_is_refused_before_anything_is_done() {
    let mut view = blank();
    (view.current.config, view.status) = set(&[1, 2, 2, 2, 2, 2, 2]);
    assert_eq!(code(&view, None), "final too_many_voters");
    let without = NewMember {
        votes: Some(0),
        ..args()
    };
    assert!(matches!(Add::decide(&without, &view, None), Ok(Next::Do { .. })));
}

#[test]
fn a_name_is_the_same_in_all_its_spellings() {
    let spelled = NewMember {
        node: " NEW:1".to_owned(),
        ..args()
    };
    let Ok(Next::Do { now, .. }) = Add::decide(&spelled, &blank(), None) else {
        panic!("there is something to do")
    };
    assert_eq!(now, admitted());
    let there = with(&Part::default(), secondary());
    assert!(matches!(Add::decide(&spelled, &there, None), Ok(Next::Done(_))));
}

#[test]
fn an_arbiter_votes_from_the_start() {
    let args = NewMember {
        arbiter: Some(true),
        ..args()
    };
    let Ok(Next::Do { now, then }) = Add::decide(&args, &blank(), None) else {
        panic!("there is something to do")
    };
    assert!(matches!(&now, Step::Admit { part, .. } if part.arbiter && part.votes == 1));
    assert_eq!(then, []);
    let part = args.part().unwrap();
    let view = with(&part, doc! { "state": 7, "health": 1.0 });
    let Ok(Next::Do { now, .. }) = Add::decide(&args, &view, Some(&now)) else {
        panic!("that it was seen is made durable")
    };
    let done = Add::decide(&args, &view, Some(&now));
    assert!(matches!(done, Ok(Next::Done(Added { voter: true, .. }))), "{done:?}");
}

#[test]
fn a_step_survives_as_a_checkpoint() {
    let text = serde_json::to_string(&admitted()).unwrap();
    assert_eq!(serde_json::from_str::<Step>(&text).unwrap(), admitted());
}
