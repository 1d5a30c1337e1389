use agent_sdk::action::ActionError;

use super::*;
use crate::ask::placement::tests::{Row, placement};

const ROWS: [Row; 4] = [
    ("t", 0, 1, &[1, 2], &[1, 2], &[]),
    ("t", 1, 1, &[2, 1], &[1, 2], &[]),
    ("t", 2, 1, &[3, 1], &[1], &[3]),
    ("u", 0, -1, &[2, 3], &[2], &[]),
];

fn args(partitions: &[&str]) -> ElectArgs {
    ElectArgs {
        partitions: Some(partitions.iter().map(|name| (*name).to_owned()).collect()),
    }
}

#[test]
fn an_election_is_held_where_the_preferred_replica_is_in_sync_and_does_not_lead() {
    let placement = placement(&ROWS);
    let next = Elect::decide(&ElectArgs::default(), &placement, None).unwrap();
    let round = |round, pending| Next::Do {
        now: Round { round, pending },
        then: Vec::new(),
    };
    assert_eq!(next, round(1, 2), "t/1, and u/0 that nobody leads");
    assert_eq!(Elect::decide(&args(&["t/1"]), &placement, None).unwrap(), round(1, 1));
    let last = Round { round: 4, pending: 2 };
    assert_eq!(
        Elect::decide(&ElectArgs::default(), &placement, Some(&last)).unwrap(),
        round(5, 2)
    );
    let last = Round {
        round: ROUNDS,
        pending: 2,
    };
    let error = Elect::decide(&ElectArgs::default(), &placement, Some(&last)).unwrap_err();
    assert!(matches!(error, ActionError::Retry(fault) if fault.code() == "not_elected"));
}

#[test]
fn what_cannot_be_done_is_told() {
    let placement = placement(&ROWS);
    let done = Elect::decide(&args(&["t/0", "t/2"]), &placement, None).unwrap();
    let expected = Elected {
        preferred: 1,
        unelectable: 1,
        unelectable_partitions: vec!["t/2".to_owned()],
        changed: false,
    };
    assert_eq!(done, Next::Done(expected));
    let error = Elect::decide(&args(&["t/0", "t/9"]), &placement, None).unwrap_err();
    assert!(matches!(&error, ActionError::Final(fault) if fault.code() == "partition_unknown"));
    assert!(
        error.to_string().contains("t/9") && !error.to_string().contains("t/0"),
        "{error}"
    );
}
