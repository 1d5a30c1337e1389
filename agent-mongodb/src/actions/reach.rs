//! The way from a member to the set's primary, and what it says of the set.

use std::sync::Arc;

use agent_sdk::action::{ActionError, Fault as ActionFault, Invocation};
use agent_sdk::config::Address;
use mongodb::bson::Document;

use super::outcome::{of_change, unanswered};
use crate::ask::set::{self, Basis, Current, millis};
use crate::ask::status::Seen;
use crate::ask::{Kind, MemberState, SetConfig, SetStatus, hello, status};
use crate::client::Link;
use crate::node::{Facts, STARTS};
use crate::sight::Sight;

/// The set, as its primary tells.
pub(super) struct Primary {
    /// The way to it.
    pub link: Arc<Link>,
    /// Its name.
    pub host: String,
    /// The processes that are known already, by the members' names: the primary's, and that of the member beside the agent.
    pub processes: Vec<(String, Option<String>)>,
    /// The configuration.
    pub current: Current,
    /// The members.
    pub status: SetStatus,
}

/// The mongod beside the agent is a member of the set that the agent is told.
pub(super) fn member(facts: &Facts) -> Result<&hello::Member, ActionError> {
    if let Some(reason) = facts.disagreement() {
        return Err(ActionError::last("other_set", reason));
    }
    let hello = facts.hello.as_ref().map_err(unanswered)?;
    match &hello.kind {
        Kind::Member(member) => Ok(member),
        Kind::Outside if facts.starts() => Err(ActionError::retry("not_now", STARTS)),
        Kind::Outside => Err(ActionError::last(
            "not_in_cluster",
            "the mongod beside the agent is in no set: run this beside a member",
        )),
        Kind::Standalone | Kind::Router => Err(no_member(&hello.kind)),
    }
}

/// What listens can be no member.
pub(super) fn no_member(kind: &Kind) -> ActionError {
    let what = match kind {
        Kind::Router => "a router of a sharded cluster (mongos)",
        _ => "a mongod that was started without --replSet",
    };
    ActionError::last("not_a_member", format!("it is {what}: it can be in no set as it is"))
}

/// A name in a set, as an address.
pub(super) fn address(host: &str) -> Result<Address, ActionError> {
    host.trim().parse().map_err(|error| {
        let fault = ActionFault::node_unresolved("a node is named by its member address, as its agent shows it");
        ActionError::Final(fault.caused_by(anyhow::Error::new(error)))
    })
}

/// The way to a member by its name: to the one beside the agent as it is configured.
pub(super) fn link(sight: &Sight, facts: &Facts, host: &str) -> Result<Arc<Link>, ActionError> {
    if facts.name() == Some(host) {
        return Ok(sight.primary(&sight.server().address));
    }
    Ok(sight.primary(&address(host)?))
}

/// Finds the primary, from the member beside the agent.
///
/// **Errors**: `no_primary`, to be retried, while there is none.
pub(super) async fn primary(sight: &Sight) -> Result<Primary, ActionError> {
    let facts = sight.look_anew().await;
    let none = |why: String| ActionError::retry("no_primary", why);
    let own = member(&facts)?;
    let Some(host) = own.primary.clone() else {
        return Err(none("the set has no primary, as far as this member knows".to_owned()));
    };
    let link = link(sight, &facts, &host)?;
    let within = sight.server().timeouts.answer();
    let hello = hello::ask(&link).await.map_err(|fault| unanswered(&fault))?;
    if !hello.member().is_some_and(|member| member.is_primary) {
        return Err(none(format!(
            "{host} takes no writes now: it steps down, or is the primary no more"
        )));
    }
    let current = set::ask_primary(&link, within)
        .await
        .map_err(|fault| unanswered(&fault))?;
    let status = status::ask(&link, millis(within))
        .await
        .map_err(|fault| unanswered(&fault))?;
    if status.state != MemberState::Primary {
        return Err(none(format!("{host} is {} now", status.state.name())));
    }
    let beside = facts.hello.as_ref().ok().and_then(|hello| hello.process.clone());
    let beside = own.me.clone().map(|me| (me, beside));
    Ok(Primary {
        link,
        processes: beside.into_iter().chain([(host.clone(), hello.process)]).collect(),
        host,
        current,
        status,
    })
}

/// Changes the set's configuration on its primary, where that is still the one that was decided on. Else nothing is done: it is
/// decided anew a moment later. `next` gives none where it has nothing to change any more.
pub(super) async fn change(
    sight: &Sight,
    invocation: &Invocation,
    basis: Basis,
    next: impl FnOnce(&SetConfig) -> Option<Document>,
) -> Result<(), ActionError> {
    let primary = primary(sight).await?;
    let config = &primary.current.config;
    let next = Some(config).filter(|config| config.basis() == basis).and_then(next);
    replace(sight, invocation, &primary.link, next.ok_or_else(superseded)?, false).await
}

/// Replaces the set's configuration. The server may take no longer than the action: what is not wanted any more is not to be
/// installed some time later.
pub(super) async fn replace(
    sight: &Sight,
    invocation: &Invocation,
    link: &Link,
    next: Document,
    forced: bool,
) -> Result<(), ActionError> {
    let within = sight.server().timeouts.change().min(invocation.remaining());
    match set::replace(link, next, forced, within).await {
        Ok(()) => Ok(()),
        Err(fault) => of_change(&fault),
    }
}

/// One more would have a vote than may.
pub(super) fn too_many_voters() -> ActionError {
    let message = "seven members of the set vote already, which is the most: this one can have votes 0";
    ActionError::last("too_many_voters", message)
}

/// Somebody else has changed the configuration since it was read.
pub(super) fn superseded() -> ActionError {
    ActionError::retry("not_now", "the set's configuration has changed meanwhile")
}

/// Whether the vote of this member counts, as far as can be told: servers tell only how many do. A vote is held back, if at all,
/// until its member follows, so those of others that are there and do not follow yet may be the ones that are missing.
pub(super) fn counts(host: &str, config: &SetConfig, status: &SetStatus) -> bool {
    let Some(voting) = status.voting.and_then(|voting| usize::try_from(voting).ok()) else {
        return true;
    };
    if !status.member(host).is_some_and(Seen::is_settled) {
        return false;
    }
    let copying = config.members.iter().filter(|member| {
        let seen = status.member(&member.host);
        member.role.is_voter() && seen.is_some_and(|seen| seen.is_up && !seen.is_settled())
    });
    config.voters() <= voting + copying.count()
}
