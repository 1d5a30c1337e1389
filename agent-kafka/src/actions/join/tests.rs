use agent_sdk::action::ActionError;
use agent_sdk::config::Address;
use uuid::Uuid;

use super::*;
use crate::node::Own;
use crate::node::tests::{CLUSTER, Combined, OfBroker, OfController, answered, blank, node, refused};

fn view(facts: Facts) -> View {
    View {
        facts: Arc::new(facts),
        cluster_id: CLUSTER.to_owned(),
        starts: true,
        started: false,
        dynamic: Some(true),
    }
}

fn decide(view: &View, last: Option<&Step>) -> Result<Next<Step, Joined>, String> {
    let args = MemberArgs { node: "h:1".to_owned() };
    Join::decide(&args, view, last).map_err(|error| match error {
        ActionError::Retry(fault) => format!("retry {}", fault.code()),
        ActionError::Final(fault) => fault.code().to_owned(),
        other => panic!("{other}"),
    })
}

fn waits(facts: Facts, why: &str) {
    let next = decide(&view(facts), None);
    assert!(
        matches!(&next, Ok(Next::Wait(reason)) if reason.contains(why)),
        "{next:?}"
    );
}

/// A controller whose copy follows and does not vote, of this configuration.
fn observer(change: impl Fn(&mut crate::ask::Configuration)) -> Facts {
    let listener = ("CONTROLLER".to_owned(), Address::new("kafka-2", 9093));
    let facts = node(OfController).voters(&[(1, 1), (3, 3)]).observers(&[(2, 2)]);
    facts.controller(|controller| {
        let Own::Itself(own) = &mut controller.own else {
            panic!()
        };
        own.controller_listeners = vec!["CONTROLLER".to_owned()];
        own.listeners = vec![listener.clone()];
        change(own);
    })
}

fn candidate() -> Candidate {
    Candidate {
        id: 2,
        directory_id: crate::storage::write_id(Uuid::from_u128(2)),
        listeners: vec![("CONTROLLER".to_owned(), Address::new("kafka-2", 9093))],
    }
}

#[test]
fn a_blank_node_is_formatted_for_the_members_cluster() {
    let format = Step::Up(Up::Format {
        cluster_id: CLUSTER.to_owned(),
        first: false,
    });
    let blank = view(node(Combined).dead(refused).stored(blank()));
    let next = decide(&blank, None);
    assert_eq!(
        next,
        Ok(Next::Do {
            now: format,
            then: vec![Step::Up(Up::Start)]
        })
    );
    let mut laid_down = view(node(Combined).dead(refused).stored(crate::node::tests::blank()));
    laid_down.dynamic = Some(false);
    assert_eq!(
        decide(&laid_down, None),
        Err("static_voters".to_owned()),
        "before anything is formatted"
    );
    let mut other = view(node(Combined));
    other.cluster_id = "jEzV8xGuTdmBnWWYRD2JSg".to_owned();
    assert_eq!(decide(&other, None), Err("other_cluster".to_owned()));
}

#[test]
fn a_controller_that_has_caught_up_is_made_a_voter() {
    let ready = || view(observer(|_| {}));
    let add = Ok(Next::Do {
        now: Step::AddVoter(candidate()),
        then: Vec::new(),
    });
    assert_eq!(decide(&ready(), None), add);
    assert_eq!(
        decide(&ready(), Some(&Step::AddVoter(candidate()))),
        add,
        "until a reading says that it votes"
    );
}

#[test]
fn until_then_it_is_waited_for_what_is_missing() {
    waits(
        observer(|_| {}).quorum(|quorum| quorum.observers[0].caught_up_ms = Some(1)),
        "is behind",
    );
    waits(observer(|_| {}).observers(&[]), "does not follow");
    waits(observer(|own| own.listeners.clear()), "no listener");
    waits(observer(|own| own.joins_by_itself = true), "makes itself a voter");
    waits(observer(|_| {}).quorum(|quorum| quorum.committed = None), "no majority");
    waits(observer(|_| {}).no_quorum(answered(6)), "does not answer");
    waits(node(Combined).member(|member| member.fenced = true), "not unfenced");
    waits(node(OfBroker).unlisted(false), "not unfenced");
}

#[test]
fn a_disk_that_was_replaced_and_voters_that_are_laid_down_are_told() {
    // Its old directory votes, and its new one observes.
    let replaced = observer(|_| {}).voters(&[(1, 1), (2, 9)]);
    assert_eq!(decide(&view(replaced), None), Err("other_directory".to_owned()));
    let laid_down = observer(|_| {}).quorum(|quorum| {
        quorum.voters.retain(|voter| voter.id != 2);
        quorum.voters.iter_mut().for_each(|voter| voter.directory = None);
    });
    assert_eq!(decide(&view(laid_down), None), Err("static_voters".to_owned()));
}

#[test]
fn it_is_done_when_a_reading_says_so() {
    let done = |voter, broker, changed| {
        Ok(Next::Done(Joined {
            cluster_id: CLUSTER.to_owned(),
            node_id: 2,
            voter,
            broker,
            changed,
        }))
    };
    assert_eq!(decide(&view(node(Combined)), None), done(true, true, false));
    assert_eq!(decide(&view(node(OfController)), None), done(true, false, false));
    assert_eq!(
        decide(&view(node(OfBroker)), Some(&Step::Up(Up::Start))),
        done(false, true, true)
    );
}
