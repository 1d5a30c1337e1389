use agent_sdk::action::ActionError;
use agent_sdk::config::Address;

use super::*;
use crate::node::tests::{CLUSTER, Combined, OfBroker, OfController, configuration, node};
use crate::storage::write_id;

/// Node 3 is to be added by node 2, whose quorum has these voters and observers, by node and directory.
fn view(other: Option<Configuration>, voters: &[(i32, u128)], observers: &[(i32, u128)]) -> View {
    let facts = node(Combined).voters(voters).observers(observers);
    View {
        quorum: facts.quorum.as_ref().unwrap().clone(),
        facts: Arc::new(facts),
        cluster_id: CLUSTER.to_owned(),
        other,
        node: "h:1".to_owned(),
    }
}

fn third() -> Configuration {
    Configuration {
        node_id: 3,
        controller_listeners: vec!["C".to_owned()],
        listeners: vec![("C".to_owned(), Address::new("kafka-3", 9093))],
        ..configuration(OfController)
    }
}

fn decide(view: &View) -> Result<Next<Step, Added>, String> {
    let args = MemberArgs { node: "h:1".to_owned() };
    Add::decide(&args, view, None).map_err(|error| match error {
        ActionError::Retry(fault) => format!("retry {}", fault.code()),
        ActionError::Final(fault) => fault.code().to_owned(),
        other => panic!("{other}"),
    })
}

#[allow(clippy::unnecessary_wraps, reason = "what is decided is compared with it")]
fn done(voter: bool) -> Result<Next<Step, Added>, String> {
    Ok(Next::Done(Added {
        cluster_id: CLUSTER.to_owned(),
        node_id: 3,
        voter,
        changed: false,
    }))
}

#[test]
fn what_is_added_is_what_the_quorum_and_the_node_itself_say() {
    let next = decide(&view(Some(third()), &[(1, 1), (2, 2)], &[(3, 30)]));
    let Ok(Next::Do {
        now: Step(candidate), ..
    }) = next
    else {
        panic!("{next:?}")
    };
    assert_eq!(
        (candidate.id, candidate.directory_id),
        (3, write_id(uuid::Uuid::from_u128(30)))
    );
    assert_eq!(candidate.listeners, third().listeners);
    assert_eq!(
        decide(&view(Some(third()), &[(1, 1), (2, 2), (3, 30)], &[])),
        done(true)
    );
}

#[test]
fn a_disk_that_was_replaced_does_not_pass_for_the_voter_that_it_was() {
    // The directory is not known here: the copy that fetches is not the one that votes.
    let replaced = view(Some(third()), &[(1, 1), (2, 2), (3, 30)], &[(3, 31)]);
    assert_eq!(decide(&replaced), Err("other_directory".to_owned()));
}

#[test]
fn a_node_that_nobody_has_heard_of_is_waited_for() {
    let unheard = view(None, &[(1, 1), (2, 2)], &[]);
    assert!(matches!(decide(&unheard), Ok(Next::Wait(why)) if why.contains("h:1")));
}

#[test]
fn a_voter_that_nobody_hears_of_is_not_taken_for_the_node_that_is_to_be_added() {
    // Its disk was replaced a moment ago: the old copy votes still, and the new one has not fetched yet.
    let mut silent = view(Some(third()), &[(1, 1), (2, 2), (3, 30)], &[]);
    silent.quorum.voters[2].caught_up_ms = Some(0);
    assert!(matches!(decide(&silent), Ok(Next::Wait(why)) if why.contains("not heard of")));
    silent.quorum.observers = silent.quorum.voters[2..].to_vec();
    silent.quorum.observers[0].directory = Some(uuid::Uuid::from_u128(31));
    silent.quorum.observers[0].caught_up_ms = Some(1);
    assert!(matches!(decide(&silent), Ok(Next::Wait(why)) if why.contains("is behind")));
}

#[test]
fn a_broker_needs_no_adding() {
    let broker = Configuration {
        node_id: 3,
        ..configuration(OfBroker)
    };
    assert_eq!(decide(&view(Some(broker.clone()), &[(1, 1), (2, 2)], &[])), done(false));
    let stranger = Configuration { node_id: 7, ..broker };
    assert!(matches!(
        decide(&view(Some(stranger), &[(1, 1), (2, 2)], &[])),
        Ok(Next::Wait(_))
    ));
}
