use agent_sdk::action::ActionError;
use agent_sdk::config::Address;

use super::*;
use crate::ask::quorum::Node;
use crate::node::tests::{Combined, OfController, node};

/// Node 2 is asked to remove node 3, which is a voter, and a broker as the cluster of node 2 has it.
fn view(change: impl Fn(&mut Facts)) -> View {
    let facts = node(Combined).with(|facts| change(facts));
    View {
        quorum: facts.quorum.as_ref().unwrap().clone(),
        brokers: facts.live_broker().map(|broker| broker.cluster.clone()),
        facts: Arc::new(facts),
        id: 3,
        life: Life::None,
        held: (0, Vec::new()),
        said: None,
    }
}

fn dead() -> View {
    view(|_| {}).fenced(true)
}

impl View {
    /// The broker of node 3, as the cluster has it.
    fn fenced(mut self, fenced: bool) -> Self {
        let members = &mut self.brokers.as_mut().unwrap().members;
        members.iter_mut().find(|member| member.id == 3).unwrap().fenced = fenced;
        self
    }

    fn unregistered(mut self, lists_fenced: bool) -> Self {
        let brokers = self.brokers.as_mut().unwrap();
        brokers.members.retain(|member| member.id != 3);
        brokers.lists_fenced = lists_fenced;
        self
    }

    fn voters(mut self, voters: &[i32]) -> Self {
        self.quorum.voters.retain(|voter| voters.contains(&voter.id));
        self
    }

    fn alive(mut self, is_broker: Option<bool>, joins_by_itself: bool) -> Self {
        self.life = Life::Process {
            is_broker,
            joins_by_itself,
        };
        self
    }

    fn said(mut self, said: Said) -> Self {
        self.said = Some(said);
        self
    }
}

fn args(text: &str) -> RemoveArgs {
    serde_json::from_str(text).unwrap()
}

const ALL: &str = r#"{"node": "3"}"#;
const VOTE: &str = r#"{"node": "3", "roles": ["controller"]}"#;
const BROKER: &str = r#"{"node": "3", "roles": ["broker"]}"#;

/// What is decided: the steps, what is waited for, the code of a refusal, or whether anything was changed.
fn decide(text: &str, view: &View, last: Option<&Step>) -> String {
    match Remove::decide(&args(text), view, last) {
        Ok(Next::Done(removed)) => format!("done, changed {}", removed.changed),
        Ok(Next::Wait(reason)) => format!("wait: {reason}"),
        Ok(Next::Do { now, then }) => {
            let all: Vec<_> = std::iter::once(now).chain(then).map(|step| step.to_string()).collect();
            all.join(", ").replace(&write_id(uuid::Uuid::from_u128(3)), "D")
        }
        Err(ActionError::Retry(fault)) => format!("retry {}", fault.code()),
        Err(ActionError::Final(fault)) => fault.code().to_owned(),
        Err(other) => panic!("{other}"),
    }
}

const TAKE_VOTE: &str = "remove voter 3 with directory D";

#[test]
fn a_dead_node_loses_its_vote_and_then_its_registration() {
    assert_eq!(decide(ALL, &dead(), None), format!("{TAKE_VOTE}, unregister broker 3"));
    assert_eq!(decide(VOTE, &dead(), None), TAKE_VOTE);
    assert_eq!(decide(BROKER, &dead(), None), "unregister broker 3");
    assert_eq!(decide(ALL, &dead().unregistered(true), None), TAKE_VOTE);
    assert_eq!(decide(ALL, &dead().voters(&[1, 2]), None), "unregister broker 3");
    assert_eq!(
        decide(ALL, &dead().voters(&[1, 2]).unregistered(true), None),
        "done, changed false"
    );
}

#[test]
fn a_living_broker_stays_and_its_vote_with_it() {
    for view in [dead().fenced(false), dead()] {
        assert_eq!(decide(ALL, &view.alive(Some(true), false), None), "broker_alive");
    }
    assert!(decide(ALL, &dead().fenced(false), None).starts_with("wait: broker 3 does not answer"));
    // Neither one that hangs nor one that was heard of a moment ago is forgotten, fenced or not.
    for (life, why) in [(Life::Hung, "takes connections"), (Life::Recent, "was heard of")] {
        let mut view = dead();
        view.life = life;
        assert!(decide(ALL, &view, None).contains(why));
        assert_eq!(decide(VOTE, &view, None), TAKE_VOTE);
    }
    assert_eq!(decide(r#"{"node": "3", "roles": []}"#, &dead(), None), "no_roles");
    let alive = || dead().fenced(false).alive(Some(true), false);
    assert_eq!(decide(VOTE, &alive(), None), TAKE_VOTE, "its vote alone can be taken");
    assert_eq!(decide(VOTE, &dead().alive(Some(true), true), None), "joins_by_itself");
}

#[test]
fn the_last_voter_and_voters_that_are_laid_down_stay() {
    assert_eq!(decide(VOTE, &dead().voters(&[3]), None), "last_voter");
    let mut laid_down = dead();
    laid_down
        .quorum
        .voters
        .iter_mut()
        .for_each(|voter| voter.directory = None);
    assert_eq!(decide(VOTE, &laid_down, None), "static_voters");
}

#[test]
fn replicas_are_told_or_with_strict_refused() {
    let mut holding = dead();
    holding.held = (2, vec!["t/0".to_owned(), "t/1".to_owned()]);
    assert_eq!(
        decide(r#"{"node": "3", "strict": true}"#, &holding, None),
        "holds_replicas"
    );
    assert_eq!(decide(ALL, &holding, None), format!("{TAKE_VOTE}, unregister broker 3"));
    assert_eq!(Remove::unchecked(&args(ALL), &holding).len(), 1);
    assert_eq!(Remove::unchecked(&args(VOTE), &holding).len(), 0);
}

#[test]
fn what_was_changed_is_told() {
    let gone = |lists| dead().voters(&[1, 2]).unregistered(lists);
    let unregister = |vote_taken| Step::Unregister { id: 3, vote_taken };
    let vote = Step::RemoveVoter {
        id: 3,
        directory_id: "D".to_owned(),
        only_controller: false,
    };
    assert_eq!(decide(ALL, &gone(true), Some(&unregister(false))), "done, changed true");
    assert_eq!(decide(ALL, &gone(true), Some(&vote)), "done, changed true");
    assert_eq!(decide(ALL, &gone(true), None), "done, changed false");
    // The brokers still list it: nothing is sent twice, and what came before is not forgotten.
    for said in [Said::Forgotten, Said::Unknown] {
        let heard = dead().voters(&[1, 2]).said(said);
        assert!(decide(ALL, &heard, Some(&unregister(true))).starts_with("wait: broker 3 is forgotten"));
    }
}

#[test]
fn where_dead_brokers_are_not_listed_only_an_answer_says_that_one_is_gone() {
    let gone = || dead().voters(&[1, 2]).unregistered(false);
    let last = |vote_taken| Step::Unregister { id: 3, vote_taken };
    assert_eq!(decide(ALL, &gone(), None), "unregister broker 3");
    // Killed after the checkpoint, before or after it was sent: it is sent again.
    assert_eq!(decide(ALL, &gone(), Some(&last(false))), "unregister broker 3");
    assert_eq!(
        decide(ALL, &gone().said(Said::Forgotten), Some(&last(false))),
        "done, changed true"
    );
    assert_eq!(
        decide(ALL, &gone().said(Said::Unknown), Some(&last(false))),
        "done, changed false"
    );
    assert_eq!(
        decide(ALL, &gone().said(Said::Unknown), Some(&last(true))),
        "done, changed true"
    );
}

#[test]
fn beside_a_controller_only_votes_can_be_taken() {
    let controller = || {
        let facts = node(OfController);
        View {
            quorum: facts.quorum.as_ref().unwrap().clone(),
            brokers: None,
            facts: Arc::new(facts),
            ..dead()
        }
    };
    assert_eq!(decide(ALL, &controller(), None), "not_a_broker");
    assert_eq!(decide(VOTE, &controller(), None), TAKE_VOTE);
    assert_eq!(decide(ALL, &controller().alive(Some(false), false), None), TAKE_VOTE);
    // Without its vote its address is not known any more, and so nobody is asked: what it has said is in the checkpoint.
    let only_controller = |only_controller| Step::RemoveVoter {
        id: 3,
        directory_id: "D".to_owned(),
        only_controller,
    };
    let gone = controller().voters(&[1, 2]);
    assert_eq!(decide(ALL, &gone, Some(&only_controller(true))), "done, changed true");
    assert_eq!(decide(ALL, &gone, Some(&only_controller(false))), "not_a_broker");
    // Beside a broker of 3.9, which does not list it, a controller is no broker either.
    let live = dead().unregistered(false).alive(Some(false), false);
    assert_eq!(decide(ALL, &live, None), TAKE_VOTE);
}

#[test]
fn a_node_is_meant_by_its_id_or_by_an_address_that_the_cluster_has() {
    let view = dead();
    let mut quorum = view.quorum.clone();
    quorum.nodes = vec![Node {
        id: 3,
        listeners: vec![("C".to_owned(), Address::new("kafka-3", 9093))],
    }];
    let mut brokers = view.brokers.unwrap();
    brokers.members[0].address = Address::new("kafka-1", 9092);
    let found = |node: &str, last: Option<&Step>| whom::is_meant(node, last, &quorum, Some(&brokers), None);
    assert_eq!(found("7", None).unwrap(), 7, "an id may be nobody's");
    assert_eq!(found("KAFKA-3:9093", None).unwrap(), 3);
    assert_eq!(found("kafka-1:9092", None).unwrap(), 1);
    // What was resolved before stays so when the cluster has forgotten it.
    let last = Step::Unregister {
        id: 3,
        vote_taken: true,
    };
    assert_eq!(found("kafka-9:9092", Some(&last)).unwrap(), 3);
    for unresolved in ["kafka-9:9092", "kafka-3", "-3", ""] {
        let error = found(unresolved, None);
        assert!(
            matches!(error, Err(ActionError::Final(fault)) if fault.code() == "node_unresolved"),
            "{unresolved}"
        );
    }
}
