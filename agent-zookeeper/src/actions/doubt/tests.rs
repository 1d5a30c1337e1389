//! What is said of changes that were sent and not answered: by a whole agent beside a peer that loses them.

use std::time::Instant;

use agent_sdk::client::{Client, Record, Schedule, wait};
use agent_sdk::testing::{StateDir, TestAgent};
use serde_json::json;
use testbed::poll;

use super::super::change::Edit;
use super::*;
use crate::config::{Server, Timeouts};
use crate::fake::{Change as Becomes, Peer};

const THREE: &str = "server.1=h:1:2;3\nserver.2=h:4:5;6\nserver.3=h:7:8;9\nversion=100000000";
const CHANGED: &str = "server.1=h:1:2;3\nserver.2=h:4:5;6\nversion=100000007";
const REMOVED: &str = "server.1=h:1:2;3\nserver.3=h:7:8;9\nversion=100000007";
const NO_AUTH: i32 = -102;
const IN_PROGRESS: i32 = -14;

/// An agent beside a peer to whose changes this happens.
fn beside(script: &[Becomes]) -> (Peer, TestAgent) {
    let peer = Peer::scripted(1, THREE, script);
    let mut server = Server::new(peer.address(), "zk");
    server.timeouts = Timeouts {
        answer_ms: 500,
        session_ms: 20_000,
        reconfig_ms: 500,
    };
    let grace = |config: &mut agent_sdk::config::Config<()>| config.actions.grace_s = 1;
    let agent = TestAgent::start_on(StateDir::new().unwrap(), crate::agent(server), grace).unwrap();
    (peer, agent)
}

fn begin(client: &Client, deadline_s: u32) -> uuid::Uuid {
    let mut schedule = Schedule::new("agent.replicante.io/cluster.remove").with_args(&json!({ "node": "2" }));
    schedule.deadline_s = Some(deadline_s);
    wait(client.schedule(&schedule)).unwrap().id
}

fn ended(client: &Client, id: uuid::Uuid) -> Record {
    wait(client.ended(id, Duration::from_secs(60))).unwrap()
}

/// Removes server 2 and says how that ended, with the number of changes that were sent.
fn removing(script: &[Becomes]) -> (String, String, usize) {
    let (peer, agent) = beside(script);
    let record = ended(agent.client(), begin(agent.client(), 3));
    let (code, message) = record.error.map_or_else(
        || ("done".to_owned(), String::new()),
        |error| (error.code, error.message),
    );
    println!("{script:?}: {code}: {message}");
    (code, message, peer.changes())
}

#[test]
fn a_reading_that_outlasts_the_deadline_and_its_grace_leaves_the_change_undecided() {
    let begun = Instant::now();
    let (code, message, sent) = removing(&[Becomes::Hangs]);
    assert_eq!((&*code, sent), ("undecided", 1), "{message}");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[test]
fn a_refusal_says_nothing_of_a_change_that_was_sent_before_it() {
    let (code, message, sent) = removing(&[Becomes::Lost, Becomes::Refused(NO_AUTH)]);
    assert_eq!(code, "undecided", "{message}");
    assert!(sent > 1 && message.contains("may have been sent"), "{sent}: {message}");
}

#[test]
fn refusals_alone_are_told_as_they_are() {
    let (code, _, sent) = removing(&[Becomes::Refused(IN_PROGRESS), Becomes::Refused(NO_AUTH)]);
    assert_eq!((&*code, sent), ("no_authority", 2));
}

#[test]
fn a_change_that_is_read_back_is_in_doubt_no_more() {
    let (code, _, sent) = removing(&[Becomes::Becomes(REMOVED)]);
    assert_eq!((&*code, sent), ("done", 1));
    // Somebody else's change came first: what was lost can be made no more, and the refusal is the whole truth.
    let (code, _, sent) = removing(&[Becomes::Becomes(CHANGED), Becomes::Refused(NO_AUTH)]);
    assert_eq!((&*code, sent), ("no_authority", 2));
}

#[test]
fn an_answer_without_end_is_no_answer() {
    let (code, message, sent) = removing(&[Becomes::Floods, Becomes::Becomes(REMOVED)]);
    assert_eq!((&*code, sent), ("done", 2), "{message}");
    let (code, message, _) = removing(&[Becomes::Floods, Becomes::Hangs]);
    assert_eq!(code, "undecided", "{message}");
}

#[test]
fn cancelling_does_not_hide_what_was_sent() {
    let (peer, agent) = beside(&[Becomes::Hangs]);
    let id = begin(agent.client(), 4);
    let sent = poll::until(Duration::from_secs(60), |_| {
        Ok::<_, ()>((peer.changes() > 0).then_some(()))
    });
    assert_eq!(sent, Ok(Some(())));
    wait(agent.client().cancel(id)).unwrap();
    assert_eq!(ended(agent.client(), id).error.unwrap().code, "undecided");
}

#[test]
fn what_an_earlier_process_sent_is_in_doubt_until_it_is_read_back() {
    let read = |text: &str| Ensemble::parse(text.as_bytes()).unwrap();
    let change = Change::new(read(THREE).as_ref().unwrap(), Edit::Leave(2));
    let doubt = Doubt::default();
    let [first, second] = [1, 2].map(uuid::Uuid::from_u128);
    doubt.begin(first, None);
    assert!(!doubt.is_open());
    doubt.begin(second, Some(change.clone()));
    assert!(doubt.is_open());
    let earlier = doubt.send(&change);
    doubt.refused(earlier);
    doubt.read(read(THREE).as_ref());
    assert!(doubt.is_open(), "the one before may still be made");
    doubt.read(read(CHANGED).as_ref());
    assert!(!doubt.is_open());
    // Another attempt of the same process knows better than the checkpoint.
    doubt.begin(second, Some(change));
    assert!(!doubt.is_open());
}

#[test]
fn an_agent_that_stops_goes_on_later() {
    let told = |interrupt| told(ActionError::Interrupted, true, Some(interrupt));
    assert!(matches!(told(Interrupt::Stopping), ActionError::Interrupted));
    for interrupt in [Interrupt::Cancelled, Interrupt::Deadline] {
        assert!(matches!(told(interrupt), ActionError::Retry(fault) if fault.code() == "undecided"));
    }
}

#[test]
fn a_server_in_no_ensemble_ends_no_doubt() {
    let read = |text: &str| Ensemble::parse(text.as_bytes()).unwrap();
    let base = read("server.1=a:1:2;3\nserver.2=b:1:2;3\nversion=10");
    let doubt = Doubt::default();
    doubt.send(&Change::new(base.as_ref().unwrap(), Edit::Leave(2)));
    doubt.read(None);
    assert!(doubt.is_open());
    doubt.read(base.as_ref());
    assert!(doubt.is_open(), "it may still be made");
    doubt.read(read("server.1=a:1:2;3\nversion=11").as_ref());
    assert!(!doubt.is_open());
}
