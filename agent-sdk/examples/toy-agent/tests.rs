//! What each goal calls for, from readings that are written down here.

use super::*;
use crate::store::Role;

/// A node's status: in cluster `c` with these members (`a` is primary and listens on port 1), or in none.
fn node(name: &str, members: &str) -> Status {
    let member = |name: char| Member {
        name: name.to_string(),
        address: format!("127.0.0.1:{}", u32::from(name) - 96),
    };
    let inside = !members.is_empty();
    Status {
        name: name.to_owned(),
        address: member(name.chars().next().unwrap()).address,
        version: "1.4.2".to_owned(),
        cluster_id: inside.then(|| "c".to_owned()),
        role: if inside { Role::Secondary } else { Role::None },
        epoch: 1,
        commit_offset: 3,
        lag: None,
        primary: inside.then(|| member('a')),
        members: members.chars().map(member).collect(),
        config_version: 7,
    }
}

/// A view from `here`, whose primary says the same as it does.
fn view(here: &Status, other: Option<Status>) -> View {
    View {
        here: here.clone(),
        primary: here.primary.as_ref().map(|_| here.clone()),
        other,
    }
}

/// What is called for, in a word: `done`, `wait`, the change, or the code of the refusal.
fn next<G: Goal<Args = NodeArgs>>(_: G, node: &str, view: &View) -> String {
    said(G::next(&NodeArgs { node: node.to_owned() }, view, false))
}

fn said(next: Result<Next<Change, Reached>, ActionError>) -> String {
    match next {
        Ok(Next::Done(reached)) => format!("done, changed: {}", reached.changed),
        Ok(Next::Wait(_)) => "wait".to_owned(),
        Ok(Next::Do { now, .. }) => now.to_string(),
        Err(ActionError::Final(fault)) => fault.code().to_owned(),
        Err(other) => format!("{other:?}"),
    }
}

const DONE: &str = "done, changed: false";

#[test]
fn init_changes_only_what_is_in_no_cluster_and_is_done_once_a_primary_leads() {
    let init = |view: &View, sent| said(Init::next(&NoArgs {}, view, sent));
    assert_eq!(init(&view(&node("a", ""), None), false), "begin a cluster of one");
    assert_eq!(init(&view(&node("a", "a"), None), true), "done, changed: true");
    assert_eq!(init(&view(&node("b", "ab"), None), false), DONE);
    let headless = Status {
        primary: None,
        ..node("a", "ab")
    };
    assert_eq!(init(&view(&headless, None), false), "wait");
    assert_eq!(
        init(&view(&node("b", "a"), None), false),
        "wait",
        "it is being taken in"
    );
}

#[test]
fn join_goes_through_the_member_that_is_named_at_the_version_it_tells() {
    let (outside, there) = (node("b", ""), Some(node("a", "a")));
    let joins = "join through 127.0.0.1:1, at version 7";
    assert_eq!(next(Join, "127.0.0.1:1", &view(&outside, there)), joins);
    assert_eq!(
        next(Join, "a", &view(&node("b", "a"), Some(node("a", "a")))),
        joins,
        "a crash came in between"
    );
    assert_eq!(next(Join, "a", &view(&node("b", "ab"), None)), DONE);
    assert_eq!(next(Join, "127.0.0.1:1", &view(&node("b", "ab"), None)), DONE);
}

#[test]
fn join_refuses_what_it_cannot_tell_and_what_is_another_cluster() {
    let outside = node("b", "");
    assert_eq!(next(Join, "a", &view(&outside, None)), "node_unresolved");
    assert_eq!(
        next(Join, "127.0.0.1:3", &view(&outside, Some(node("c", "")))),
        "not_in_cluster"
    );
    let elsewhere = Status {
        cluster_id: Some("d".to_owned()),
        ..node("c", "c")
    };
    assert_eq!(
        next(Join, "127.0.0.1:3", &view(&node("b", "ab"), Some(elsewhere))),
        "other_cluster"
    );
}

#[test]
fn add_asks_the_newcomer_first_and_leaves_members_alone() {
    let here = node("a", "ab");
    assert_eq!(
        next(Add, "127.0.0.1:3", &view(&here, Some(node("c", "")))),
        "add the node at 127.0.0.1:3, at version 7"
    );
    assert_eq!(next(Add, "b", &view(&here, None)), DONE);
    assert_eq!(
        next(Add, "[::1]:2", &view(&here, Some(node("b", "ab")))),
        DONE,
        "a member by another address"
    );
    assert_eq!(next(Add, "c", &view(&here, None)), "node_unresolved");
    let elsewhere = Status {
        cluster_id: Some("d".to_owned()),
        ..node("c", "c")
    };
    assert_eq!(next(Add, "127.0.0.1:3", &view(&here, Some(elsewhere))), "other_cluster");
    assert_eq!(next(Add, "127.0.0.1:3", &view(&node("a", ""), None)), "not_in_cluster");
}

#[test]
fn remove_is_done_by_absence_from_the_primarys_list_and_by_nothing_else() {
    let here = node("a", "abc");
    for name in ["c", "127.0.0.1:3"] {
        assert_eq!(next(Remove, name, &view(&here, None)), "remove c, at version 7");
    }
    assert_eq!(next(Remove, "a", &view(&node("a", "a"), None)), "last_member");
    assert_eq!(next(Remove, "x", &view(&here, None)), DONE);
    assert_eq!(next(Remove, "127.0.0.1:9", &view(&here, None)), DONE);
    assert_eq!(next(Remove, "localhost:3", &view(&here, None)), "node_unresolved");
    let headless = Status { primary: None, ..here };
    assert_eq!(next(Remove, "x", &view(&headless, None)), "wait");
    assert_eq!(next(Remove, "x", &view(&node("a", ""), None)), "not_in_cluster");
    assert_eq!(
        next(Remove, "a", &view(&node("a", ""), None)),
        DONE,
        "it has left by itself"
    );
}

#[test]
fn a_change_is_the_stores_own_request() {
    let change = Change::Remove {
        node: "c".to_owned(),
        if_version: 7,
    };
    let request = serde_json::json!({"do": "remove", "node": "c", "if_version": 7});
    assert_eq!(serde_json::to_value(&change).unwrap(), request);
    assert_eq!(
        serde_json::to_value(Change::Init).unwrap(),
        serde_json::json!({"do": "init"})
    );
}
