//! Elections as they are held: asking for votes, giving them, and the beat that notices when one is due.
//!
//! A candidate first holds a trial, which binds nobody: a node that was cut off or stopped, and comes back with a log too
//! old to win, learns so without disturbing the primary. What is decided on, and why it is safe, is in [`election`].

use std::thread;
use std::time::{Duration, Instant};

use crate::election::{self, Verdict, Voter};
use crate::membership::Member;
use crate::node::{Node, Part};
use crate::peers::{self, PEER_DEADLINE};
use crate::protocol::{Ballot, Fault, Request, Voted};
use crate::replicate::{Puller, TICK};

/// The node's own thread: copies, stands for election, or sees whether it may go on leading.
pub(crate) fn beat(node: &Node) {
    let mut puller = Puller::new();
    while !node.is_stopping() {
        let again = if is_due(node) {
            stand(node, false).map(|()| false)
        } else {
            puller.pull(node)
        };
        match again {
            Ok(true) => {}
            Ok(false) => thread::park_timeout(TICK),
            Err(fault) => node.fail(&fault),
        }
    }
}

/// Whether it is time to stand for election. A primary that lost its majority steps down here.
fn is_due(node: &Node) -> bool {
    let (mut state, now) = (node.lock(), Instant::now());
    match &state.part {
        Part::Follow(follow) => {
            state.meta.cluster_id.is_some()
                && state.is_member()
                && (!follow.is_patient(now) || state.config().members.len() == 1)
        }
        Part::Lead(_) => {
            if !state.leads(now) {
                eprintln!("no majority was heard from lately: stepping down");
                state.step_down(node.copy_delay);
                node.changed.notify_all();
            }
            false
        }
    }
}

/// Stands for election, once. In a `handover` there is no trial, since the primary itself has asked for this.
pub(crate) fn stand(node: &Node, handover: bool) -> Result<(), Fault> {
    let (ballot, generation) = {
        let mut state = node.lock();
        let (last_epoch, length) = state.last();
        let (Some(cluster_id), true) = (state.meta.cluster_id.clone(), state.is_member()) else {
            return Ok(());
        };
        let (epoch, candidate) = (state.meta.epoch + 1, state.meta.name.clone());
        let Some(follow) = state.follow() else { return Ok(()) };
        follow.primary = None;
        follow.be_patient(Instant::now());
        let ballot = Ballot {
            cluster_id,
            candidate,
            epoch,
            last_epoch,
            length,
            trial: !handover,
            handover,
        };
        (ballot, state.generation)
    };
    if ballot.trial && !is_elected(node, &ballot)? {
        return Ok(());
    }
    let ballot = Ballot { trial: false, ..ballot };
    {
        let mut state = node.lock();
        let heard_since = state.primary(Instant::now()).is_some() && !handover;
        if heard_since || state.generation != generation || state.meta.epoch + 1 != ballot.epoch {
            return Ok(());
        }
        state.enter_epoch(ballot.epoch, Some(&ballot.candidate), node.copy_delay)?;
    }
    let elected = is_elected(node, &ballot)?;
    let mut state = node.lock();
    if elected && state.generation == generation && state.meta.epoch == ballot.epoch && state.follow().is_some() {
        eprintln!("leading epoch {}", ballot.epoch);
        state.start_leading(Instant::now())?;
        node.changed.notify_all();
    }
    Ok(())
}

/// Asks everybody at once, and takes up a later epoch that someone knows of.
fn is_elected(node: &Node, ballot: &Ballot) -> Result<bool, Fault> {
    let config = node.lock().config();
    let others: Vec<&Member> = config
        .members
        .iter()
        .filter(|member| member.name != ballot.candidate)
        .collect();
    let votes: Vec<Voted> = thread::scope(|scope| {
        let ask = |address| peers::ask(address, &Request::Vote(ballot.clone()), PEER_DEADLINE).ok();
        let calls: Vec<_> = others
            .iter()
            .map(|member| scope.spawn(move || ask(&member.address)))
            .collect();
        calls
            .into_iter()
            .filter_map(|call| call.join().ok().flatten())
            .collect()
    });
    let latest = votes.iter().map(|vote| vote.epoch).max().unwrap_or(0);
    let mut state = node.lock();
    if latest > state.meta.epoch.max(ballot.epoch) {
        state.enter_epoch(latest, None, node.copy_delay)?;
        return Ok(false);
    }
    Ok(votes.iter().filter(|vote| vote.granted).count() + 1 >= config.majority())
}

/// Answers a candidate. A vote that is given is on disk first.
pub(crate) fn vote(node: &Node, ballot: &Ballot) -> Result<Voted, Fault> {
    let mut state = node.lock();
    if state.meta.cluster_id.as_ref() != Some(&ballot.cluster_id) {
        return Ok(Voted {
            granted: false,
            epoch: 0,
        });
    }
    let verdict = {
        let content = state.primary(Instant::now()).is_some();
        let voted_for = state.meta.voted_for.as_deref();
        election::judge(
            Voter {
                epoch: state.meta.epoch,
                voted_for,
                log: state.last(),
                content,
            },
            ballot,
        )
    };
    match verdict {
        Verdict::Grant => state.enter_epoch(ballot.epoch, Some(&ballot.candidate), node.copy_delay)?,
        Verdict::RefuseInNewEpoch => state.enter_epoch(ballot.epoch, None, node.copy_delay)?,
        Verdict::Encourage | Verdict::Refuse => {}
    }
    node.changed.notify_all();
    Ok(Voted {
        granted: matches!(verdict, Verdict::Grant | Verdict::Encourage),
        epoch: state.meta.epoch,
    })
}

/// Asks `successor` to stand at once, and waits until somebody else leads.
pub(crate) fn hand_over_to(node: &Node, successor: &Member, request: &Request, until: Instant) -> Option<Member> {
    if let Err(fault) = peers::ask::<serde_json::Value>(&successor.address, request, Duration::from_secs(2)) {
        eprintln!("handing over to {}: {fault}", successor.name);
    }
    node.wait(until, |state| {
        let me = state.meta.name.clone();
        state.primary(Instant::now()).filter(|primary| primary.name != me)
    })
}
