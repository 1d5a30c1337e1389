//! Changes of membership: `init`, `join`, `add`, `remove`, and `adopt` on the other side of an `add`.
//!
//! Guarantees: what already holds is success without a change, whatever version was expected; one change at a time; a new
//! node counts towards majorities only once it has caught up, so adding one never stops the cluster; a removal
//! that would leave no majority of nodes that answer is refused before anything changes. A failed `add` leaves the new node
//! to find out: it asks for entries, hears that it is no member, and is outside again.
//!
//! Errors: see [`Code`]; after `NoQuorum` and `Unanswered` alone it is open whether the change holds.

use std::time::{Duration, Instant};

use crate::candidate::hand_over_to;
use crate::log::{Body, Entry};
use crate::membership::{Config, Member};
use crate::node::{Follow, LEASE, Lead, Node, Part};
use crate::peers::{self, ask};
use crate::protocol::{CHANGE_DEADLINE, Change, Code, Fault, Membership, Request, Status};

/// For another node to say who it is, or to take over.
const STEP_DEADLINE: Duration = Duration::from_secs(3);

pub(crate) fn init(node: &Node, cluster_id: Option<String>) -> Result<Status, Fault> {
    let mut state = node.lock();
    if let Some(id) = &state.meta.cluster_id {
        return Err(Fault::in_cluster(Code::AlreadyInitialised, id));
    }
    let id = cluster_id.unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
    if id.is_empty() || id.len() > 128 {
        return Err(Fault::new(Code::BadRequest, "a cluster id has 1 to 128 bytes"));
    }
    let epoch = state.meta.entering(&id, 0, Vec::new()).epoch + 1;
    let config = Config {
        version: 1,
        members: vec![state.me()],
    };
    state.enter(
        &id,
        epoch,
        Vec::new(),
        vec![Entry {
            epoch,
            body: Body::Config(config),
        }],
    )?;
    let vote = state.meta.at(epoch, Some(&state.meta.name));
    state.keep(vote)?;
    state.start_leading(Instant::now())?;
    node.changed.notify_all();
    Ok(state.status(Instant::now()))
}

/// Starts copying from `members`; the primary makes this node a member when it has caught up.
pub(crate) fn adopt(node: &Node, id: &str, epoch: u64, members: Vec<Member>) -> Result<(), Fault> {
    let mut state = node.lock();
    match state.meta.cluster_id.clone() {
        Some(own) if own != id => return Err(Fault::in_cluster(Code::OtherCluster, &own)),
        Some(own) if state.lead().is_some() => return Err(Fault::in_cluster(Code::AlreadyInitialised, &own)),
        Some(_) => {
            let mut meta = state.meta.clone();
            meta.seeds = members;
            state.keep(meta)?;
            state.generation += 1;
        }
        None => {
            state.enter(id, epoch, members, Vec::new())?;
            state.part = Part::Follow(Follow::new(node.copy_delay, Instant::now()));
        }
    }
    Ok(())
}

pub(crate) fn join(node: &Node, member: &str, if_version: Option<u64>) -> Result<Membership, Fault> {
    let (own, address) = {
        let state = node.lock();
        (state.meta.cluster_id.clone(), state.meta.address.clone())
    };
    let there: Status = ask(member, &Request::Status {}, STEP_DEADLINE)?;
    match own {
        _ if there.cluster_id.is_none() => Err(Fault::new(Code::NotInCluster, format!("{member} is in no cluster"))),
        Some(id) if there.cluster_id.as_ref() != Some(&id) => Err(Fault::in_cluster(Code::AlreadyInitialised, &id)),
        _ => pass_on(
            member,
            &Request::Add(Change {
                node: address,
                if_version,
                forwarded: false,
            }),
        ),
    }
}

pub(crate) fn add(node: &Node, change: Change) -> Result<Membership, Fault> {
    let until = Instant::now() + CHANGE_DEADLINE;
    if let Some(primary) = primary_elsewhere(node, &change)? {
        return pass_on(
            &primary.address,
            &Request::Add(Change {
                forwarded: true,
                ..change
            }),
        );
    }
    let there: Status = ask(&change.node, &Request::Status {}, STEP_DEADLINE)?;
    let (id, epoch, config) = {
        let state = node.lock();
        (
            state.meta.cluster_id.clone().unwrap_or_default(),
            state.meta.epoch,
            state.config(),
        )
    };
    if is_member_already(&config, &id, &there)? {
        return Ok(unchanged(config));
    }
    expect_version(&config, change.if_version)?;
    let newcomer = Member {
        name: there.name,
        address: there.address,
    };
    let length = {
        let mut state = node.lock();
        let length = state.log.length();
        let lead = state.lead().ok_or_else(|| Fault::not_primary(None))?;
        lead.heard.remove(&newcomer.name);
        lead.joining.insert(newcomer.name.clone(), newcomer.clone());
        length
    };
    let adopt = Request::Adopt {
        cluster_id: id,
        epoch,
        members: config.members,
    };
    let changed = ask::<serde_json::Value>(&newcomer.address, &adopt, STEP_DEADLINE).and_then(|_| {
        change_config(node, epoch, until, change.if_version, |config, lead| {
            let known = config.find(&newcomer.name).or_else(|| config.find(&newcomer.address));
            let caught_up = lead.heard.get(&newcomer.name).is_some_and(|(_, held)| *held >= length);
            match known {
                Some(known) if *known == newcomer => Next::Nothing,
                Some(_) => Next::Refuse(Fault::new(Code::NameTaken, "its name or address was taken meanwhile")),
                None if caught_up => Next::Change(config.with(newcomer.clone())),
                None => Next::Wait,
            }
        })
    });
    if let Some(lead) = node.lock().lead() {
        lead.joining.remove(&newcomer.name);
    }
    changed
}

pub(crate) fn remove(node: &Node, change: Change) -> Result<Membership, Fault> {
    let until = Instant::now() + CHANGE_DEADLINE;
    if let Some(primary) = primary_elsewhere(node, &change)? {
        return pass_on(
            &primary.address,
            &Request::Remove(Change {
                forwarded: true,
                ..change
            }),
        );
    }
    let (me, epoch, config) = {
        let state = node.lock();
        (state.me(), state.meta.epoch, state.config())
    };
    let Some(gone) = config.find(&change.node).cloned() else {
        return Ok(unchanged(config));
    };
    expect_version(&config, change.if_version)?;
    if gone == me {
        let successor = hand_over(node, until)?;
        return pass_on(
            &successor.address,
            &Request::Remove(Change {
                forwarded: true,
                ..change
            }),
        );
    }
    change_config(node, epoch, until, change.if_version, |config, _| {
        if config.has(&gone.name) {
            Next::Change(config.without(&gone.name))
        } else {
            Next::Nothing
        }
    })
}

/// What a change makes of the configuration in force.
enum Next {
    Wait,
    Nothing,
    Refuse(Fault),
    Change(Config),
}

/// Commits one change: waits for its turn, decides on the configuration in force then, and for a majority of the new one.
fn change_config(
    node: &Node,
    epoch: u64,
    until: Instant,
    if_version: Option<u64>,
    mut decide: impl FnMut(&Config, &Lead) -> Next,
) -> Result<Membership, Fault> {
    let asked = Instant::now();
    let outcome = node.wait(until, |state| {
        let (config, now) = (state.config(), Instant::now());
        let (settled, primary) = (state.is_settled(), state.primary(now));
        let Part::Lead(lead) = &state.part else {
            return Some(Err(Fault::not_primary(primary)));
        };
        if state.meta.epoch != epoch || lead.handing_over {
            return Some(Err(Fault::not_primary(None)));
        }
        match decide(&config, lead) {
            Next::Refuse(fault) => Some(Err(fault)),
            Next::Wait => None,
            // Before that, the configuration could still be taken back.
            Next::Nothing | Next::Change(_) if !settled => None,
            Next::Nothing => Some(Ok(None)),
            // Heard since this was asked for: the lease is too generous here, as a node may have died within it.
            Next::Change(next) if !state.heard_majority_of(&next, |at| at > asked) => {
                let message = "too few of the members that would be left answer: nothing was changed";
                (now > asked + LEASE).then(|| Err(Fault::new(Code::NotReady, message)))
            }
            Next::Change(next) => Some(
                expect_version(&config, if_version)
                    .and_then(|()| state.append(Body::Config(next)).map(Some).map_err(Fault::from)),
            ),
        }
    });
    let not_ready = || Fault::new(Code::NotReady, "it could not be done in time: nothing was changed");
    if let Some(end) = outcome.ok_or_else(not_ready)?? {
        node.changed.notify_all();
        await_commit(node, epoch, end, until)?;
        return Ok(Membership {
            changed: true,
            ..unchanged(node.lock().config())
        });
    }
    Ok(unchanged(node.lock().config()))
}

/// Waits until a majority holds the first `end` entries, of which this node appended the last in `epoch`.
pub(crate) fn await_commit(node: &Node, epoch: u64, end: u64, until: Instant) -> Result<(), Fault> {
    let held = node.wait(until, |state| {
        let leads = state.lead().is_some() && state.meta.epoch == epoch;
        if leads && state.committed < end {
            None
        } else {
            Some(leads)
        }
    });
    if held == Some(true) {
        return Ok(());
    }
    let message = "no majority has confirmed it: whether it holds is open until it is read back";
    Err(Fault::new(Code::NoQuorum, message))
}

/// Lets a member that holds everything lead instead.
fn hand_over(node: &Node, until: Instant) -> Result<Member, Fault> {
    let request = {
        let mut state = node.lock();
        if state.config().members.len() == 1 {
            return Err(Fault::new(Code::LastMember, "the only member cannot be removed"));
        }
        let (cluster_id, epoch) = (state.meta.cluster_id.clone().unwrap_or_default(), state.meta.epoch);
        state.lead().ok_or_else(|| Fault::not_primary(None))?.handing_over = true;
        Request::Stand { cluster_id, epoch }
    };
    let ready = node.wait(until.min(Instant::now() + STEP_DEADLINE), |state| {
        let (members, me, length) = (state.config().members, state.meta.name.clone(), state.log.length());
        let lead = state.lead()?;
        let ready = |name: &String| *name != me && lead.heard.get(name).is_some_and(|(_, held)| *held == length);
        members
            .into_iter()
            .filter(|member| ready(&member.name))
            .max_by_key(|member| lead.heard[&member.name].0)
    });
    let successor = ready.and_then(|member| hand_over_to(node, &member, &request, until));
    if let Some(lead) = node.lock().lead() {
        lead.handing_over = false;
    }
    successor.ok_or_else(|| Fault::new(Code::NotReady, "no other member could take over: nothing was changed"))
}

/// `None` when this node leads. One that does not knows the primary, or may within a moment.
fn primary_elsewhere(node: &Node, change: &Change) -> Result<Option<Member>, Fault> {
    if node.lock().meta.cluster_id.is_none() {
        return Err(Fault::new(Code::NotInCluster, "the node is in no cluster"));
    }
    let primary = node.wait(Instant::now() + STEP_DEADLINE, |state| state.primary(Instant::now()));
    match primary {
        Some(primary) if primary.name == node.lock().meta.name => Ok(None),
        Some(primary) if !change.forwarded => Ok(Some(primary)),
        primary => Err(Fault::not_primary(primary)),
    }
}

fn pass_on(address: &str, request: &Request) -> Result<Membership, Fault> {
    peers::pass_on(address, request, CHANGE_DEADLINE + STEP_DEADLINE)
}

/// What the newcomer says of itself, against the configuration in force.
fn is_member_already(config: &Config, id: &str, there: &Status) -> Result<bool, Fault> {
    if let Some(other) = there.cluster_id.as_deref().filter(|other| *other != id) {
        return Err(Fault::in_cluster(Code::OtherCluster, other));
    }
    match config.find(&there.name).or_else(|| config.find(&there.address)) {
        None => Ok(false),
        Some(known) if known.name != there.name || known.address != there.address => {
            let message = format!("{} at {} is a member already", known.name, known.address);
            Err(Fault::new(Code::NameTaken, message))
        }
        Some(_) if there.cluster_id.is_some() => Ok(true),
        Some(known) => {
            let message = format!("{} is a member but has lost its data: remove it first", known.name);
            Err(Fault::new(Code::LostItsData, message))
        }
    }
}

fn expect_version(config: &Config, expected: Option<u64>) -> Result<(), Fault> {
    match expected {
        Some(version) if version != config.version => {
            let message = format!("the configuration has version {}, not {version}", config.version);
            Err(Fault::new(Code::VersionChanged, message))
        }
        _ => Ok(()),
    }
}

fn unchanged(config: Config) -> Membership {
    let Config { version, members } = config;
    Membership {
        changed: false,
        config_version: version,
        members,
    }
}
