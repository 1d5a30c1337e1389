use agent_sdk::action::ActionError;

use super::*;
use crate::ask::placement::tests::{Row, placement};

const ROWS: [Row; 5] = [
    ("t", 0, 1, &[1, 2], &[1, 2], &[]),
    ("t", 1, 1, &[2, 1], &[1, 2], &[]),
    ("t", 2, 1, &[3, 1], &[1], &[3]),
    ("u", 0, -1, &[2, 3], &[2], &[]),
    // So 3.9 shows a partition whose only replica is dead.
    ("u", 1, -1, &[3], &[3], &[3]),
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
    let round = |pending| Next::Do {
        now: Round { pending },
        then: Vec::new(),
    };
    assert_eq!(next, round(2), "t/1, and u/0 that nobody leads");
    let one = Elect::decide(&args(&["t/1"]), &placement, Some(&Round { pending: 2 })).unwrap();
    assert_eq!(one, round(1));
}

#[test]
fn what_cannot_be_done_is_told() {
    let placement = placement(&ROWS);
    let done = Elect::decide(&args(&["t/0", "t/2", "u/1"]), &placement, None).unwrap();
    let expected = Elected {
        preferred: 1,
        unelectable: 2,
        unelectable_partitions: vec!["t/2".to_owned(), "u/1".to_owned()],
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
