//! What is admitted, and what is refused with which code.

use super::*;

const ONE: &str = "server.1=h:1:2;3\nversion=100000000";
const TWO: &str = "server.1=h:1:2;3\nserver.2=h:4:5;6\nversion=100000004";

fn ensemble(text: &str) -> Ensemble {
    Ensemble::parse(text.as_bytes()).unwrap().unwrap()
}

fn serving(mode: Mode, follows: &str) -> Joiner {
    Joiner::Serving {
        mode,
        ensemble: Some(ensemble(follows)),
        id: Some(2),
    }
}

fn view(wanted: &str, config: &str, joiner: Joiner) -> Admission {
    Admission {
        wanted: wanted.parse().unwrap(),
        ensemble: Some(ensemble(config)),
        joiner,
        authority: None,
    }
}

fn refused(view: &Admission) -> (&'static str, String) {
    match decide(view, None) {
        Err(ActionError::Final(fault)) => ("final", fault.code().to_owned()),
        Err(ActionError::Retry(fault)) => ("retry", fault.code().to_owned()),
        other => panic!("{other:?}"),
    }
}

const WANTED: &str = "server.2=h:4:5;6";

#[test]
fn a_server_that_follows_is_taken_in_on_the_version_that_was_read() {
    let view = view(WANTED, ONE, serving(Mode::Follower, ONE));
    let Next::Do { now, then } = decide(&view, None).unwrap() else {
        panic!("nothing to do")
    };
    assert_eq!(now.base, ensemble(ONE).version());
    assert_eq!((now.edit, then), (Edit::Join(WANTED.parse().unwrap()), vec![]));
}

#[test]
fn a_member_is_done_however_its_line_is_written() {
    for line in [WANTED, "server.2=H:4:5:participant;0.0.0.0:6"] {
        let view = view(line, TWO, serving(Mode::Follower, TWO));
        let Next::Done(outcome) = decide(&view, None).unwrap() else {
            panic!("not done")
        };
        assert_eq!((outcome.config_version.as_str(), outcome.changed), ("100000004", false));
    }
    let dead = view(WANTED, TWO, Joiner::Silent("dead".into()));
    assert!(
        matches!(decide(&dead, None), Ok(Next::Done(_))),
        "it is a member all the same"
    );
    let late = view(WANTED, TWO, serving(Mode::Follower, ONE));
    assert!(matches!(decide(&late, None), Ok(Next::Wait(_))));
}

#[test]
fn a_joiner_that_is_not_fit_is_refused_before_any_change() {
    let refused = |joiner| refused(&view(WANTED, ONE, joiner));
    assert_eq!(
        refused(Joiner::Silent("hung".into())),
        ("final", "joiner_unreachable".into())
    );
    assert_eq!(refused(Joiner::NotServing), ("retry", "joiner_not_ready".into()));
    assert_eq!(
        refused(serving(Mode::Standalone, ONE)),
        ("final", "joiner_standalone".into())
    );
    assert_eq!(
        refused(serving(Mode::ReadOnly, ONE)),
        ("retry", "joiner_not_ready".into())
    );
    assert_eq!(refused(serving(Mode::Leader, ONE)), ("final", "other_ensemble".into()));
    assert_eq!(
        refused(serving(Mode::Follower, TWO)),
        ("retry", "other_ensemble".into())
    );
    let other = Joiner::Serving {
        mode: Mode::Follower,
        ensemble: None,
        id: Some(3),
    };
    assert_eq!(refused(other), ("final", "joiner_mistaken".into()));
    assert_eq!(refused(Joiner::NoAddress), ("final", "no_client_address".into()));
}

#[test]
fn an_id_or_an_address_that_is_taken_is_never_sent() {
    let fit = || serving(Mode::Follower, TWO);
    assert_eq!(
        refused(&view("server.2=h:7:8;9", TWO, fit())),
        ("final", "id_taken".into())
    );
    assert_eq!(
        refused(&view("server.3=h:4:5;9", TWO, fit())),
        ("final", "address_taken".into())
    );
    let grouped = format!("{ONE}\ngroup.1=1");
    assert_eq!(
        refused(&view(WANTED, &grouped, serving(Mode::Follower, ONE))),
        ("final", "hierarchical".into())
    );
    let fixed = ONE.replace("100000000", "0");
    assert_eq!(
        refused(&view(WANTED, &fixed, serving(Mode::Follower, ONE))),
        ("final", "reconfig_disabled".into())
    );
    let mut alone = view(WANTED, ONE, fit());
    alone.ensemble = None;
    assert_eq!(refused(&alone), ("final", "standalone".into()));
}

#[test]
fn another_role_of_the_same_server_is_a_change() {
    let observer = TWO.replace("h:4:5", "h:4:5:observer");
    let view = view(WANTED, &observer, serving(Mode::Observer, &observer));
    assert!(matches!(decide(&view, None), Ok(Next::Do { .. })));
}

#[test]
fn a_joiner_that_nobody_can_judge_is_not_taken_in() {
    let joiner = |ensemble, id| Joiner::Serving {
        mode: Mode::Follower,
        ensemble,
        id,
    };
    let unknown = ("retry", "joiner_unknown".to_owned());
    assert_eq!(refused(&view(WANTED, ONE, joiner(None, Some(2)))), unknown);
    assert_eq!(refused(&view(WANTED, ONE, joiner(Some(ensemble(ONE)), None))), unknown);
    let far = view("server.256=h:4:5;6", ONE, joiner(Some(ensemble(ONE)), None));
    assert!(
        matches!(decide(&far, None), Ok(Next::Do { .. })),
        "such an id is never told"
    );
}

#[test]
fn a_leader_is_not_demoted() {
    let leader = view("server.2=h:4:5:observer;6", TWO, serving(Mode::Leader, TWO));
    assert_eq!(refused(&leader), ("final", "leads".into()));
}

#[test]
fn authority_that_is_known_is_not_unchecked() {
    assert_eq!(unchecked(Some(true)).len(), 2);
    assert!(unchecked(Some(false))[0].contains("ACL"));
    assert_eq!(unchecked(None).len(), 3);
}
