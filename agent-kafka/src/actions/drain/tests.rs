use agent_sdk::action::ActionError;
use agent_sdk::config::Address;

use super::*;
use crate::ask::cluster::{Cluster, Member};
use crate::ask::placement::tests::{Row, placement};
use crate::ask::reassignments::Moving;

/// Broker 1 of four, of which these are fenced.
fn view(rows: &[Row], moving: Vec<Moving>, fenced: &[i32]) -> View {
    let member = |id| Member {
        id,
        address: Address::new("h", 1),
        rack: None,
        fenced: fenced.contains(&id),
    };
    View {
        broker: 1,
        placement: placement(rows),
        moving,
        cluster: Cluster {
            id: None,
            leader: None,
            members: (1..=4).map(member).collect(),
            lists_fenced: true,
        },
        strays: Vec::new(),
    }
}

fn moving(partition: i32, replicas: &[i32], adding: &[i32], removing: &[i32]) -> Moving {
    Moving {
        topic: "t".to_owned(),
        partition,
        replicas: replicas.to_vec(),
        adding: adding.to_vec(),
        removing: removing.to_vec(),
    }
}

fn batch(size: usize) -> DrainArgs {
    DrainArgs {
        batch: size,
        ..DrainArgs::default()
    }
}

/// Partitions that are moved and that are called off.
fn decided(args: &DrainArgs, view: &View, last: Option<&Batch>) -> (Vec<i32>, Vec<i32>) {
    match Moves::decide(args, view, last).unwrap() {
        Next::Do { now, .. } => (
            now.moves.iter().map(|target| target.partition).collect(),
            now.stuck.iter().map(|target| target.partition).collect(),
        ),
        other => panic!("{other:?}"),
    }
}

fn last(total: usize) -> Batch {
    ordered(total, &[])
}

/// What was ordered before: partitions of `t`, and their replicas from then on.
fn ordered(total: usize, moves: &[(i32, &[i32])]) -> Batch {
    let target = |(partition, replicas): &(i32, &[i32])| Target {
        topic: "t".to_owned(),
        topic_id: uuid::Uuid::from_u128(1),
        partition: *partition,
        replicas: replicas.to_vec(),
        coming: replicas.iter().copied().find(|id| *id > 2),
    };
    Batch {
        total,
        left: total,
        moves: moves.iter().map(target).collect(),
        going: Vec::new(),
        stuck: Vec::new(),
    }
}

const HELD: [Row; 3] = [
    ("t", 0, 1, &[1, 2], &[1, 2], &[]),
    ("t", 1, 2, &[2, 1], &[1, 2], &[]),
    ("t", 2, 1, &[1, 3], &[1, 3], &[]),
];

#[test]
fn a_batch_at_a_time_is_on_the_move() {
    assert_eq!(
        decided(&batch(2), &view(&HELD, Vec::new(), &[]), None),
        (vec![0, 1], vec![])
    );
    let one_on_its_way = view(&HELD, vec![moving(0, &[3, 2, 1], &[3], &[1])], &[]);
    let first = ordered(5, &[(0, &[3, 2])]);
    assert_eq!(decided(&batch(2), &one_on_its_way, Some(&first)), (vec![1], vec![]));
    let next = Moves::decide(&batch(1), &one_on_its_way, Some(&first)).unwrap();
    assert_eq!(
        next,
        Next::Wait("2 of 5 replicas are moved, 1 are on their way".to_owned())
    );
}

#[test]
fn a_move_that_has_ended_and_is_not_heard_of_yet_is_not_planned_for_again() {
    // The controllers are done with it; this broker still lists the replica that has come beside the one that has gone.
    let heard_late = [("t", 0, 1, &[3, 2, 1][..], &[1, 2, 3][..], &[][..])];
    let first = ordered(1, &[(0, &[3, 2])]);
    let next = Moves::decide(&batch(5), &view(&heard_late, Vec::new(), &[]), Some(&first)).unwrap();
    assert!(
        matches!(next, Next::Wait(_)),
        "its replicas would become three: {next:?}"
    );
    // One that was never sent is planned for again, and what is going is kept in mind.
    let unsent = view(&HELD[..1], Vec::new(), &[]);
    assert_eq!(decided(&batch(5), &unsent, Some(&first)), (vec![0], vec![]));
    // One that only gives a replica up looks the same before and after: it is ordered again, which adds nothing.
    let shrinks = ordered(1, &[(0, &[2])]);
    assert_eq!(decided(&batch(5), &unsent, Some(&shrinks)), (vec![0], vec![]));
    let both = view(&HELD, vec![moving(0, &[3, 2, 1], &[3], &[1])], &[]);
    let Next::Do { now, .. } = Moves::decide(&batch(5), &both, Some(&first)).unwrap() else {
        panic!()
    };
    assert_eq!((now.going, now.moves.len()), (first.moves, 2));
}

#[test]
fn a_move_to_a_broker_that_died_is_called_off_and_planned_anew() {
    let stuck = view(&HELD, vec![moving(0, &[3, 2, 1], &[3], &[1])], &[3]);
    let first = ordered(3, &[(0, &[3, 2])]);
    let (moves, off) = decided(&batch(2), &stuck, Some(&first));
    assert_eq!((moves, off), (vec![1, 2], vec![0]), "there is room for two");
    let Next::Do { now, .. } = Moves::decide(&batch(2), &stuck, Some(&first)).unwrap() else {
        panic!()
    };
    let new = now.moves.iter().flat_map(|target| &target.replicas);
    assert_eq!(new.filter(|id| **id == 4).count(), 2, "3 is fenced, and takes nothing");
    // Killed before it was called off, it is still known as one of ours.
    let again = decided(&batch(2), &stuck, Some(&now));
    assert_eq!(again.1, [0]);
}

#[test]
fn a_move_of_somebody_elses_is_waited_for_and_left_alone() {
    for (adding, removing, fenced) in [(4, 2, 0), (4, 1, 0), (4, 1, 4)] {
        let others = view(
            &HELD[..1],
            vec![moving(0, &[1, 2, 4], &[adding], &[removing])],
            &[fenced],
        );
        let next = Moves::decide(&batch(5), &others, Some(&last(1))).unwrap();
        assert!(matches!(next, Next::Wait(_)), "{next:?}");
    }
}

#[test]
fn what_lies_here_and_cannot_be_seen_is_not_drained() {
    let mut hidden = view(&[("t", 0, 2, &[2], &[2], &[])], Vec::new(), &[]);
    hidden.strays = vec!["secret/0".to_owned()];
    let next = Moves::decide(&batch(5), &hidden, None).unwrap();
    assert!(matches!(next, Next::Wait(why) if why.contains("secret/0")));
}

#[test]
fn it_is_done_when_nothing_is_left_and_nothing_is_on_its_way() {
    let empty = view(&[("t", 0, 2, &[2], &[2], &[])], Vec::new(), &[]);
    let done = |replicas, changed| {
        Next::Done(Drained {
            broker: 1,
            replicas,
            changed,
        })
    };
    assert_eq!(Moves::decide(&batch(5), &empty, None).unwrap(), done(0, false));
    assert_eq!(Moves::decide(&batch(5), &empty, Some(&last(3))).unwrap(), done(3, true));
}

#[test]
fn nowhere_to_go_is_refused_before_anything_is_moved_and_waited_out_later() {
    let full: [Row; 1] = [("t", 0, 1, &[1, 2, 3, 4], &[1], &[])];
    let code = |last: Option<&Batch>| match Moves::decide(&batch(5), &view(&full, Vec::new(), &[]), last) {
        Err(ActionError::Final(fault)) => fault.code().to_owned(),
        Err(ActionError::Retry(fault)) => format!("retry {}", fault.code()),
        other => panic!("{other:?}"),
    };
    assert_eq!(code(None), "no_target");
    let waits = Moves::decide(&batch(5), &view(&full, Vec::new(), &[]), Some(&last(2))).unwrap();
    assert!(matches!(waits, Next::Wait(why) if why.contains("t/0")));
    // What has a place goes on meanwhile.
    let both: [Row; 2] = [("t", 0, 1, &[1, 2, 3, 4], &[1], &[]), ("t", 1, 1, &[1], &[1], &[])];
    assert_eq!(
        decided(&batch(5), &view(&both, Vec::new(), &[]), Some(&last(2))),
        (vec![1], vec![])
    );
    let shrink = DrainArgs {
        shrink: true,
        ..batch(5)
    };
    let next = Moves::decide(&shrink, &view(&full, Vec::new(), &[]), None).unwrap();
    assert!(matches!(next, Next::Do { now, .. } if now.moves[0].replicas == [2, 3, 4]));
}

#[test]
fn what_was_called_off_is_put_into_its_old_order() {
    let under_way = view(
        &HELD,
        vec![moving(0, &[3, 2, 1], &[3], &[1]), moving(1, &[2, 1], &[], &[1])],
        &[],
    );
    let batch = ordered(3, &[(0, &[3, 2]), (1, &[2])]);
    let back = restore(&batch.moves[0], &under_way).unwrap();
    assert_eq!(back.replicas, Some(vec![1, 2]));
    assert_eq!(restore(&batch.moves[1], &under_way), None, "nothing was to come");
}
