//! Taking a server into an ensemble: what is looked at, and what that calls for. Shared by `cluster.add` and
//! `cluster.join`, which differ only in who asks whom.
//!
//! The ensemble never checks that the joiner lives: a dead one is taken in where its vote is not needed, and a hung one
//! stops an ensemble of one for good. So the joiner is asked right before, and has to be what its line says: a server
//! of that id which follows this very ensemble.

use agent_sdk::action::{ActionError, Fault, Next};

use super::change::{Change, Edit, Outcome};
use super::joiner::{self, Joiner};
use crate::ensemble::{Ensemble, Version};
use crate::member::Member;
use crate::reach::{Reached, reach};
use crate::reconfig::{NOT_STANDALONE, SWITCH_ON};
use crate::srvr::Mode;
use crate::store::Shared;

/// What is read before a server is admitted.
#[derive(Debug)]
pub struct Admission {
    /// The line it is to have.
    pub wanted: Member,
    /// The ensemble. `None`: the server that was asked is standalone.
    pub ensemble: Option<Ensemble>,
    /// The server itself.
    pub joiner: Joiner,
    /// Whether the agent's session is `super`'s; `None` where the server does not tell.
    pub authority: Option<bool>,
}

/// Reads what an admission needs, `last` being what was sent, if anything was.
pub(super) async fn observe(shared: &Shared, wanted: Member, last: Option<&Change>) -> Result<Admission, ActionError> {
    let server = shared.server();
    // The joiner comes last: it is asked right before the change.
    let Reached { client, ensemble, .. } = reach(server, &shared.ways().await).await?;
    if last.is_some() {
        shared.doubt().read(ensemble.as_ref());
    }
    let authority = client.is_super(server.timeouts.answer()).await;
    client.close().await;
    let joiner = joiner::look(server, &wanted).await;
    Ok(Admission {
        wanted,
        ensemble,
        joiner,
        authority,
    })
}

/// Decides.
pub(super) fn decide(view: &Admission, last: Option<&Change>) -> Result<Next<Change, Outcome>, ActionError> {
    let Admission {
        wanted,
        ensemble,
        joiner,
        authority: _,
    } = view;
    let Some(ensemble) = ensemble else {
        return Err(ActionError::last(
            "standalone",
            format!("the server that was asked is standalone, no member of an ensemble: {NOT_STANDALONE}"),
        ));
    };
    match ensemble.get(wanted.id) {
        Some(member) if member == wanted => return Ok(confirm(member, ensemble, joiner, last.is_some())),
        // An entry with other addresses for a member's id was seen to ruin the ensemble for good.
        Some(member) if !member.is_same_place(wanted) => {
            return Err(ActionError::last(
                "id_taken",
                format!(
                    "the ensemble has another server of this id, {member}: remove it first, or give {wanted} an id of its own"
                ),
            ));
        }
        _ => {}
    }
    if let Some(other) = ensemble
        .members()
        .find(|member| member.id != wanted.id && member.shares_peer_with(wanted))
    {
        return Err(ActionError::last(
            "address_taken",
            format!("the ensemble's member {other} has the same address as {wanted}"),
        ));
    }
    changeable(ensemble)?;
    fit(wanted, ensemble, joiner)?;
    let now = Change::new(ensemble, Edit::Join(wanted.clone()));
    Ok(Next::Do { now, then: Vec::new() })
}

/// Whether the ensemble takes single changes at all.
pub(super) fn changeable(ensemble: &Ensemble) -> Result<(), ActionError> {
    if ensemble.version() == Version::STATIC {
        return Err(ActionError::last(
            "reconfig_disabled",
            format!("the ensemble is static, its servers do not allow changes (reconfigEnabled=false): {SWITCH_ON}"),
        ));
    }
    if ensemble.is_hierarchical() {
        return Err(ActionError::last(
            "hierarchical",
            "the ensemble counts votes by groups, and such a one takes no single change: change it by hand",
        ));
    }
    Ok(())
}

/// The ensemble has it. It is done once the server itself knows, as far as it can be asked.
fn confirm(member: &Member, ensemble: &Ensemble, joiner: &Joiner, changed: bool) -> Next<Change, Outcome> {
    match joiner {
        Joiner::Serving {
            ensemble: Some(followed),
            ..
        } if followed.get(member.id).is_none() => {
            Next::Wait(format!("until server {} has heard that it is a member", member.id))
        }
        _ => Next::Done(Outcome::of(member, ensemble, changed)),
    }
}

/// Whether a server may be admitted.
fn fit(wanted: &Member, ensemble: &Ensemble, joiner: &Joiner) -> Result<(), ActionError> {
    let id = wanted.id;
    let last = |code, message: String| Err(ActionError::Final(Fault::new(code, message)));
    match joiner {
        Joiner::NoAddress => last(
            "no_client_address",
            format!("{wanted} has no client part (;HOST:PORT): the ensemble takes no such line"),
        ),
        Joiner::Silent(reason) => last(
            "joiner_unreachable",
            format!("server {id} gives no answer, and one that is dead or hung can stop the ensemble: {reason}"),
        ),
        Joiner::NotServing => Err(ActionError::retry(
            "joiner_not_ready",
            format!("server {id} does not serve yet: it finds no leader, or still copies the data"),
        )),
        Joiner::Serving {
            mode: Mode::Standalone, ..
        } => last(
            "joiner_standalone",
            format!("server {id} is standalone: {NOT_STANDALONE}"),
        ),
        Joiner::Serving { id: Some(told), .. } if *told != id & 0xff => last(
            "joiner_mistaken",
            format!("what answers at the client address of {wanted} is server {told}"),
        ),
        Joiner::Serving {
            mode: Mode::ReadOnly, ..
        } => Err(ActionError::retry(
            "joiner_not_ready",
            format!("server {id} is cut off and serves reads only"),
        )),
        // The session tells the lowest eight bits of an id, and nothing when they are 0.
        Joiner::Serving {
            ensemble: followed,
            id: told,
            ..
        } if followed.is_none() || (told.is_none() && id & 0xff != 0) => Err(ActionError::retry(
            "joiner_unknown",
            format!(
                "server {id} serves, but {}, so nobody can tell whether it follows this ensemble: where an ACL hides \
                 /zookeeper/config, let everybody read it again; there, and where servers take no session without \
                 credentials, use cluster.join, which reads it with those of the server's own agent",
                if followed.is_none() {
                    "does not show its ensemble"
                } else {
                    "its id is not known"
                }
            ),
        )),
        Joiner::Serving {
            ensemble: Some(followed),
            ..
        } if !followed.has_members_of(ensemble) => Err(ActionError::retry(
            "other_ensemble",
            format!(
                "server {id} follows an ensemble of the servers {}, and is to be taken into one of {}: it has to start with \
                 the members' lines and its own as observer in its dynamic file",
                followed.ids(),
                ensemble.ids()
            ),
        )),
        Joiner::Serving { mode: Mode::Leader, .. } if ensemble.get(id).is_some() => last(
            "leads",
            format!(
                "server {id} leads the ensemble, and its role is not changed while it does: restart it, so that another \
                 leads, and ask again"
            ),
        ),
        Joiner::Serving { mode: Mode::Leader, .. } => {
            last("other_ensemble", format!("server {id} leads an ensemble of its own"))
        }
        Joiner::Serving { .. } => Ok(()),
    }
}

/// What only acting shows.
pub(super) fn unchecked(authority: Option<bool>) -> Vec<String> {
    let authority = match authority {
        Some(true) => None,
        Some(false) => Some(
            "whether the agent may change the ensemble: its session is not super's, so it needs an ACL that lets it write /zookeeper/config, or skipACL",
        ),
        None => Some("whether the agent may change the ensemble: the server does not tell whose the session is"),
    };
    let rest = [
        "whether the servers allow changes (reconfigEnabled=true)",
        "whether enough voters of the ensemble as it would be are connected and in step",
    ];
    authority.into_iter().chain(rest).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests;
