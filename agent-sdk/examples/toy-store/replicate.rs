//! Copying: a secondary pulls, the primary answers. What is asked for says what is held, so nothing else has to.
//!
//! A secondary asks every [`TICK`] and appends only what it has known of for the copy delay, so that lag can be seen without
//! making the primary look dead. It asks its members in turn until one answers as the primary. Its log is cut only
//! when the primary's agrees up to the cut and is known to differ after it (see [`election::retry_from`]).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::election;
use crate::membership::Member;
use crate::node::{Node, Part, State};
use crate::peers::{PEER_DEADLINE, Peer};
use crate::protocol::{BATCH_BYTES, Code, Fault, Pull, Pulled, Request};

/// How often a secondary asks, which is also how soon the primary hears of it.
pub(crate) const TICK: Duration = Duration::from_millis(50);

/// How far a secondary may copy: entries are due once their being there has been known for a while.
#[derive(Debug)]
pub(crate) struct Delay {
    by: Duration,
    /// Lengths of the primary's log, rising, and when each became known.
    heard: VecDeque<(Instant, u64)>,
    due: u64,
}

impl Delay {
    pub(crate) fn new(by: Duration) -> Self {
        Self {
            by,
            heard: VecDeque::new(),
            due: 0,
        }
    }

    /// What may be held by `now`, the primary having said that its log has `length`.
    pub(crate) fn due(&mut self, now: Instant, length: u64) -> u64 {
        // A shorter log is another primary's: what was known of the last one's end is void.
        self.heard.retain(|(_, known)| *known <= length);
        if self.heard.back().map_or(self.due.min(length), |(_, known)| *known) < length {
            self.heard.push_back((now, length));
        }
        while let Some((at, known)) = self.heard.front().copied()
            && now.duration_since(at) >= self.by
        {
            self.due = known;
            self.heard.pop_front();
        }
        self.due = self.due.min(length);
        self.due
    }
}

/// Whether a secondary holds what its primary held when they met, whatever has been written since.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct CatchUp {
    goal: Option<u64>,
    done: bool,
}

impl CatchUp {
    pub(crate) fn see(&mut self, primary: u64, own: u64) {
        // A shorter log is that of another primary, and all there is to hold.
        let goal = self.goal.map_or(primary, |goal| goal.min(primary));
        self.goal = Some(goal);
        self.done |= own >= goal;
    }

    pub(crate) fn is_done(self) -> bool {
        self.done
    }
}

/// The primary's side.
pub(crate) fn answer(node: &Node, pull: &Pull) -> Result<Pulled, Fault> {
    let now = Instant::now();
    let mut state = node.lock();
    let state = &mut *state;
    match state.meta.cluster_id.as_deref() {
        Some(id) if id == pull.cluster_id => {}
        Some(id) => return Err(Fault::in_cluster(Code::OtherCluster, id)),
        None => return Err(Fault::new(Code::NotInCluster, "the node is in no cluster")),
    }
    if pull.epoch > state.meta.epoch {
        state.enter_epoch(pull.epoch, None, node.copy_delay)?;
        node.changed.notify_all();
    }
    let (primary, in_config, settled) = (state.primary(now), state.config().has(&pull.name), state.is_settled());
    let Some(lead) = state.lead() else {
        return Err(Fault::not_primary(primary));
    };
    if settled && !in_config && !lead.joining.contains_key(&pull.name) {
        return Err(Fault::new(Code::NotMember, format!("{} is not a member", pull.name)));
    }
    let agrees = pull.offset <= state.log.length() && state.log.epoch_before(pull.offset) == pull.last_epoch;
    let retry_from = if agrees {
        None
    } else {
        let epochs: Vec<u64> = state.log.epochs().collect();
        election::retry_from(&epochs, pull.offset, pull.last_epoch)
    };
    if let Some(lead) = state.lead() {
        lead.heard
            .insert(pull.name.clone(), (now, if agrees { pull.offset } else { 0 }));
    }
    state.count();
    node.changed.notify_all();
    let (epoch, length, committed) = (state.meta.epoch, state.log.length(), state.committed);
    let entries = if agrees {
        state.log.slice(pull.offset, length, BATCH_BYTES).to_vec()
    } else {
        Vec::new()
    };
    Ok(Pulled {
        epoch,
        length,
        committed,
        entries,
        retry_from,
    })
}

/// The secondary's side: whom it asks, and over which connection.
#[derive(Debug)]
pub(crate) struct Puller {
    peer: Peer,
    turn: usize,
}

impl Puller {
    pub(crate) fn new() -> Self {
        Self {
            peer: Peer::new(""),
            turn: 0,
        }
    }

    /// Asks once. True when it should be asked again at once, as there is more, or something to report.
    pub(crate) fn pull(&mut self, node: &Node) -> Result<bool, Fault> {
        let (generation, length, target, pull) = {
            let state = node.lock();
            let Some((target, pull)) = self.question(&state) else {
                return Ok(false);
            };
            (state.generation, state.log.length(), target, pull)
        };
        let offset = pull.offset;
        if self.peer.address != target.address {
            self.peer = Peer::new(&target.address);
        }
        let answer = self.peer.call(&Request::Pull(pull), PEER_DEADLINE);
        let mut state = node.lock();
        if state.generation != generation || state.log.length() != length || state.lead().is_some() {
            return Ok(true);
        }
        match answer {
            Ok(pulled) => {
                let again = take(node, &mut state, target, offset, pulled)?;
                node.changed.notify_all();
                return Ok(again);
            }
            Err(fault) if fault.code == Code::NotMember => {
                eprintln!("{} says that this node was removed: leaving the cluster", target.name);
                state.leave(node.copy_delay)?;
                node.changed.notify_all();
            }
            Err(fault) => {
                self.turn += 1;
                // Whoever is asked may know the primary; one that does not answer is not believed in any longer.
                let patient = state.primary(Instant::now()).is_some();
                if let Some(follow) = state.follow().filter(|_| fault.code == Code::NotPrimary || !patient) {
                    follow.primary = None;
                }
                if let Some(hint) = fault.primary.filter(|hint| hint.name != state.meta.name) {
                    let members = candidates(&state);
                    self.turn = members.iter().position(|member| *member == hint).unwrap_or(self.turn);
                }
            }
        }
        Ok(false)
    }

    fn question(&self, state: &State) -> Option<(Member, Pull)> {
        let Part::Follow(follow) = &state.part else { return None };
        let cluster_id = state.meta.cluster_id.clone()?;
        let members = candidates(state);
        let target = members.get(self.turn % members.len().max(1))?.clone();
        let offset = follow.probe.unwrap_or(state.log.length());
        let (name, epoch, last_epoch) = (
            state.meta.name.clone(),
            state.meta.epoch,
            state.log.epoch_before(offset),
        );
        Some((
            target,
            Pull {
                cluster_id,
                name,
                epoch,
                offset,
                last_epoch,
            },
        ))
    }
}

/// Whom to ask: the other members, and those that let this node in, until the log says more.
fn candidates(state: &State) -> Vec<Member> {
    let mut members = state.config().members;
    members.extend(
        state
            .meta
            .seeds
            .iter()
            .filter(|seed| !members.contains(seed))
            .cloned()
            .collect::<Vec<_>>(),
    );
    members.retain(|member| member.name != state.meta.name);
    members
}

fn take(node: &Node, state: &mut State, from: Member, offset: u64, pulled: Pulled) -> Result<bool, Fault> {
    let Pulled {
        epoch,
        length,
        committed,
        entries,
        retry_from,
    } = pulled;
    if epoch < state.meta.epoch {
        return Ok(false);
    }
    if epoch > state.meta.epoch {
        state.enter_epoch(epoch, None, node.copy_delay)?;
    }
    let (now, own) = (Instant::now(), state.log.length());
    let Some(follow) = state.follow() else { return Ok(false) };
    if follow.primary.as_ref() != Some(&from) {
        eprintln!("following {} in epoch {epoch}", from.name);
    }
    follow.primary = Some(from);
    follow.length = Some(length);
    follow.be_patient(now);
    if offset != follow.probe.unwrap_or(own) {
        // Asked of the last primary, about its log. What this one has in common with ours is still to be found.
        return Ok(true);
    }
    if retry_from.is_some() {
        follow.probe = retry_from;
        return Ok(true);
    }
    let due = follow.delay.due(now, length);
    if let Some(agreed) = follow.probe.take().filter(|agreed| *agreed < own) {
        eprintln!("dropping {} entries that no majority held", own - agreed);
        follow.catch_up = CatchUp::default();
        state.log.truncate(agreed)?;
    }
    let wanted = usize::try_from(due.saturating_sub(state.log.length())).unwrap_or(usize::MAX);
    let copied: Vec<_> = entries.into_iter().take(wanted).collect();
    let progress = !copied.is_empty();
    if progress {
        state.log.append(copied)?;
    }
    state.committed = state.committed.max(committed.min(state.log.length()));
    let own = state.log.length();
    if let Some(follow) = state.follow() {
        follow.catch_up.see(length, own);
    }
    Ok(progress)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_due_once_known_for_the_delay_and_a_shorter_log_takes_back() {
        let (start, ms) = (Instant::now(), Duration::from_millis);
        let mut delay = Delay::new(ms(200));
        assert_eq!(delay.due(start, 3), 0);
        assert_eq!(delay.due(start + ms(150), 5), 0);
        assert_eq!(delay.due(start + ms(200), 5), 3);
        assert_eq!(delay.due(start + ms(350), 5), 5);
        assert_eq!(delay.due(start + ms(360), 2), 2);
        assert_eq!(delay.due(start + ms(370), 4), 2);
        assert_eq!(Delay::new(ms(0)).due(start, 7), 7);
    }

    #[test]
    fn catching_up_is_to_reach_what_was_there_at_first_and_is_not_undone_by_lag() {
        let mut catch_up = CatchUp::default();
        for (primary, own, done) in [(5, 0, false), (9, 4, false), (9, 5, true), (20, 5, true)] {
            catch_up.see(primary, own);
            assert_eq!(catch_up.is_done(), done, "{own} of {primary}");
        }
    }
}
