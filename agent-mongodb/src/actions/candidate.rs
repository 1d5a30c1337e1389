//! Who a node is that is to be taken in: as it says itself, as the members' processes tell, and as the set finds out.

use agent_sdk::action::ActionError;
use futures_util::future::join_all;

use super::reach::{self, Primary};
use crate::ask::hello::{self, Hello};
use crate::ask::set::same_host;
use crate::ask::status::Seen;
use crate::ask::{Kind as Process, SetConfig};
use crate::client::Fault;
use crate::sight::Sight;

/// Whether a node that the set does not have can be taken in, by what it says of itself.
pub(super) fn can_be_taken_in(
    host: &str,
    other: Option<&Result<Hello, Fault>>,
    config: &SetConfig,
) -> Result<(), ActionError> {
    let hello = match other {
        Some(Ok(hello)) => hello,
        Some(Err(fault @ Fault::Garbage { .. })) => return Err(ActionError::last("not_a_member", fault.to_string())),
        Some(Err(fault)) => return Err(ActionError::retry("member_unreachable", fault.to_string())),
        None => {
            return Err(ActionError::retry(
                "member_unreachable",
                format!("{host} was not asked yet"),
            ));
        }
    };
    let member = match &hello.kind {
        Process::Outside => return Ok(()),
        Process::Standalone | Process::Router => return Err(reach::no_member(&hello.kind)),
        Process::Member(member) => member,
    };
    let own = member.me.as_deref().filter(|_| member.set == config.set);
    Err(match own.and_then(|me| config.member(me)) {
        Some(known) => same_node(host, &known.host),
        // It may not have heard yet that it was removed.
        None if own.is_some_and(|me| same_host(me, host)) && knows(&member.members, config) => {
            ActionError::retry("not_now", format!("{host} still takes itself for a member of the set"))
        }
        None => ActionError::last(
            "other_set",
            format!(
                "{host} is a member of a set of its own, {}, with {}",
                member.set,
                member.members.join(", ")
            ),
        ),
    })
}

fn knows(members: &[String], config: &SetConfig) -> bool {
    members.iter().any(|host| config.member(host).is_some())
}

/// What the set has found out about a member that does not belong to it; none while all may be well.
pub(super) fn verdict(seen: &Seen) -> Option<(&'static str, String)> {
    let host = &seen.host;
    if seen.is_keyless && !seen.is_up {
        let why = format!("{host} does not accept the set's key: it has another, or runs without access control");
        return Some(("other_key", why));
    }
    let complaint = seen.complaint.as_ref().filter(|_| !seen.is_up)?;
    let says = |words: &[&str]| words.iter().any(|words| complaint.contains(words));
    if says(&["not running using replication", "not running with --replSet"]) {
        return Some((
            "not_a_member",
            format!("{host} runs without --replSet now: {complaint}"),
        ));
    }
    says(&["replica set IDs do not match", "Our set name"])
        .then(|| ("other_set", format!("{host} is of another set: {complaint}")))
}

/// Makes sure that the node is none of the members' processes: a member that starts says for a while, beside a frozen one
/// for half a minute, that it is in no set.
///
/// A member that the agent cannot ask is in the way only while it starts, as the primary hears from it; one that says to the
/// primary what it is is not who has just said that it is nothing.
pub(super) async fn is_none_of(sight: &Sight, node: &str, other: &Hello, set: &Primary) -> Result<(), ActionError> {
    if other.kind != Process::Outside || other.process.is_none() {
        return Ok(());
    }
    let known = |host: &str| {
        let mut known = set.processes.iter();
        known
            .find(|(name, _)| same_host(name, host))
            .map(|(_, process)| process.clone())
    };
    let asked = set.current.config.members.iter().map(|member| async move {
        if let Some(process) = known(&member.host) {
            return (member, Ok(process));
        }
        let address = match reach::address(&member.host) {
            Ok(address) => address,
            Err(error) => return (member, Err(error.to_string())),
        };
        let hello = hello::ask(&sight.stranger(address)).await;
        let process = hello.map(|hello| hello.process).map_err(|fault| fault.to_string());
        (member, process)
    });
    let mut silent = None;
    for (member, process) in join_all(asked).await {
        match process {
            Ok(process) if process == other.process => return Err(same_node(node, &member.host)),
            Err(why) if set.status.member(&member.host).is_some_and(starts) => silent = Some((member, why)),
            Ok(_) | Err(_) => {}
        }
    }
    silent.map_or(Ok(()), |(member, why)| {
        let message = format!(
            "{node} may be {}, a member that starts just now and does not tell the agent: {why}",
            member.host
        );
        Err(ActionError::retry("unreachable", message))
    })
}

/// Whether a member has answered the primary that it starts.
fn starts(seen: &Seen) -> bool {
    seen.complaint
        .as_ref()
        .is_some_and(|complaint| complaint.contains("still initializing"))
}

fn same_node(node: &str, known: &str) -> ActionError {
    let message = format!("{node} is {known} under another name, and a member already");
    ActionError::last("same_node", message)
}
