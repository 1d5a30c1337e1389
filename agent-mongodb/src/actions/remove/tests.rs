use super::*;
use crate::actions::majority::tests::set;

fn view(states: &[i32]) -> View {
    let (config, status) = set(states);
    let primary = states.iter().position(|state| *state == 1);
    View {
        primary: primary.map(|at| format!("h{at}:1")),
        current: Current {
            config,
            committed: primary.map(|_| true),
        },
        status,
        alias: None,
    }
}

fn args(node: usize, force: bool) -> RemoveArgs {
    RemoveArgs {
        node: format!("h{node}:1"),
        force,
    }
}

fn steps(states: &[i32], node: usize, force: bool) -> Vec<String> {
    match Remove::decide(&args(node, force), &view(states), None).unwrap() {
        Next::Do { now, then } => std::iter::once(now).chain(then).map(|step| step.to_string()).collect(),
        other => panic!("{other:?}"),
    }
}

fn code(states: &[i32], node: usize, force: bool) -> String {
    match Remove::decide(&args(node, force), &view(states), None).unwrap_err() {
        ActionError::Final(fault) => format!("final {}: {fault}", fault.code()),
        ActionError::Retry(fault) => format!("retry {}: {fault}", fault.code()),
        other => other.to_string(),
    }
}

#[test]
fn a_member_is_taken_out_dead_or_alive() {
    let expected = ["take h2:1, member 2, out of the set"];
    assert_eq!(steps(&[1, 2, 2], 2, false), expected);
    assert_eq!(steps(&[1, 2, 8], 2, false), expected);
    // Force changes nothing where it is not needed.
    assert_eq!(steps(&[1, 2, 8], 2, true), expected);
}

#[test]
fn the_primary_hands_over_first() {
    let expected = [
        "have h0:1 step down as the primary",
        "take h0:1, member 0, out of the set",
    ];
    assert_eq!(steps(&[1, 2, 2], 0, false), expected);
    assert!(code(&[1, 7, 7], 0, false).starts_with("retry no_successor"));
}

#[test]
fn who_is_not_a_member_is_done() {
    let done = |committed, last: Option<&Step>| {
        let mut view = view(&[1, 2]);
        view.current.committed = committed;
        Remove::decide(&args(9, false), &view, last).unwrap()
    };
    let Next::Done(removed) = done(Some(true), None) else {
        panic!("it is not there")
    };
    assert!(!removed.changed && removed.members == ["h0:1", "h1:1"]);
    let step = Step::Remove {
        id: 9,
        host: "h9:1".to_owned(),
        basis: Basis {
            version: 6,
            term: Some(3),
        },
        forced: false,
    };
    assert!(matches!(
        done(Some(true), Some(&step)),
        Next::Done(Removed { changed: true, .. })
    ));
    assert!(matches!(done(Some(false), Some(&step)), Next::Wait(_)));
}

#[test]
fn a_member_under_another_name_is_not_taken_for_one_that_is_gone() {
    let mut view = view(&[1, 2]);
    view.alias = Some("h1:1".to_owned());
    let error = Remove::decide(&args(9, false), &view, None).unwrap_err();
    assert!(matches!(error, ActionError::Final(fault) if fault.code() == "same_node"));
}

#[test]
fn without_a_majority_only_force_helps() {
    let refused = code(&[1, 2, 8], 1, false);
    assert!(
        refused.starts_with("final no_majority") && refused.contains("h2:1"),
        "{refused}"
    );
    assert_eq!(
        steps(&[1, 2, 8], 1, true),
        ["take h1:1, member 1, out of the set, without a majority"]
    );
    // Lost already: there is no primary, and the one that is dead is taken out by force.
    assert_eq!(
        steps(&[2, 8], 1, true),
        ["take h1:1, member 1, out of the set, without a majority"]
    );
}

#[test]
fn nothing_is_forced_while_a_primary_is_about_to_be_elected() {
    // The primary was killed just now; the other two are there.
    for node in [0, 1, 2] {
        let told = code(&[2, 2, 8], node, true);
        assert!(
            told.starts_with("retry no_primary") && told.contains("about to elect"),
            "{told}"
        );
    }
}

#[test]
fn the_last_member_stays() {
    assert!(code(&[1], 0, true).starts_with("final last_member"));
    assert!(code(&[2, 8, 8], 0, true).starts_with("final itself"));
}
