//! Many clients at once, and an agent that dies under them.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use agent_sdk::client::{Client, Schedule, wait};
use agent_sdk::spec::State;
use libtest_mimic::Failed;
use uuid::Uuid;

use crate::journal;
use crate::process::{PATIENCE, Place};
use crate::victim::{STEPS, StepArgs};

const WRITERS: usize = 8;
const KILLS: u64 = 100;

/// L1, L4: whatever was acknowledged is there after any number of kills, ran, and ran in each writer's order.
pub fn acknowledged_survives() -> Result<(), Failed> {
    let place = Place::new();
    let acknowledged: Vec<Mutex<Vec<Uuid>>> = (0..WRITERS).map(|_| Mutex::new(Vec::new())).collect();
    let mut chance = 0x2545_f491_4f6c_dd1d_u64;
    for _ in 0..KILLS {
        // xorshift: the same moments in every run, none of them alike.
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        let enough = usize::try_from(chance % 40).unwrap();
        let victim = place.start();
        let acks = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for list in &acknowledged {
                let (client, acks) = (victim.client.clone(), &acks);
                // Writes until the agent is gone.
                scope.spawn(move || {
                    while let Some(id) = schedule(&client) {
                        list.lock().unwrap().push(id);
                        acks.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
            let deadline = Instant::now() + PATIENCE;
            while acks.load(Ordering::SeqCst) < enough {
                assert!(Instant::now() < deadline, "the agent accepts nothing");
                std::thread::yield_now();
            }
            victim.kill();
        });
    }
    let victim = place.start();
    let last = schedule(&victim.client).unwrap();
    victim.until_ended(last);
    let mut records = HashMap::new();
    let mut cursor = None;
    loop {
        let page = wait(victim.client.finished(1_000, cursor.as_deref()))?;
        for record in page.actions {
            assert!(
                records.insert(record.id, record.state).is_none(),
                "{} is there twice",
                record.id
            );
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let order = journal::in_order(&journal::read(&place.journal()));
    let position: HashMap<Uuid, usize> = order.into_iter().zip(0..).collect();
    let mut total = 0;
    for list in acknowledged {
        let list = list.into_inner().unwrap();
        total += list.len();
        for id in &list {
            assert_eq!(records.get(id), Some(&State::Done), "{id} was acknowledged");
        }
        assert!(
            list.is_sorted_by_key(|id| position[id]),
            "a writer's actions ran in another order"
        );
    }
    assert!(total > 1_000, "too few to show anything: {total}");
    Ok(())
}

/// One action with an id of the writer's own; nothing when the agent is gone.
fn schedule(client: &Client) -> Option<Uuid> {
    let mut schedule = Schedule::new(STEPS).with_args(&StepArgs {
        steps: 0,
        death: None,
        pause_ms: 0,
    });
    let id = Uuid::new_v4();
    schedule.id = Some(id);
    wait(client.schedule(&schedule)).ok().map(|scheduled| {
        assert_eq!(scheduled.id, id);
        id
    })
}

/// L7: of all who send one id, one is told that it was accepted.
pub fn ids_are_unique() -> Result<(), Failed> {
    let place = Place::new();
    let victim = place.start();
    let ids: Arc<Vec<Uuid>> = Arc::new((0..100).map(|_| Uuid::new_v4()).collect());
    let clients: Vec<_> = (0..64)
        .map(|_| {
            let (client, ids) = (victim.client.clone(), ids.clone());
            std::thread::spawn(move || {
                let mut answers = Vec::new();
                for id in ids.iter() {
                    let mut schedule = Schedule::new("agent.replicante.io/test.success");
                    schedule.id = Some(*id);
                    answers.push((
                        *id,
                        match wait(client.schedule(&schedule)) {
                            Ok(_) => 201,
                            Err(error) => error.problem().map_or(0, |problem| problem.status),
                        },
                    ));
                }
                answers
            })
        })
        .collect();
    let mut accepted: BTreeMap<Uuid, u32> = BTreeMap::new();
    for client in clients {
        for (id, status) in client.join().unwrap() {
            assert!(status == 201 || status == 409, "{status}");
            *accepted.entry(id).or_default() += u32::from(status == 201);
        }
    }
    assert_eq!(accepted.len(), 100);
    assert!(accepted.values().all(|times| *times == 1), "{accepted:?}");
    Ok(())
}
