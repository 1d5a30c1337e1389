//! Taking a server into an ensemble: what is looked at, and what that calls for. Shared by `cluster.add` and
//! `cluster.join`, which differ only in who asks whom.
//!
//! The ensemble never checks that the joiner lives: a dead one is taken in where its vote is not needed, and a hung one
//! stops an ensemble of one for good. So the joiner is asked right before, and has to be what its line says: a server
//! of that id which follows this very ensemble.

use agent_sdk::action::{ActionError, Fault, Next};

use super::change::{Change, Edit, Outcome};
use crate::address::Address;
use crate::client::{Client, ClientError};
use crate::config::{Credentials, Server};
use crate::ensemble::{Ensemble, Version};
use crate::member::Member;
use crate::node::NoAnswer;
use crate::reach::{Reached, reach, srvr};
use crate::reconfig::{NOT_STANDALONE, SWITCH_ON};
use crate::srvr::Mode;
use crate::store::Shared;
use crate::words::WordError;

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

/// A server that is to be admitted, as it answers itself.
#[derive(Debug)]
pub enum Joiner {
    /// It cannot be asked: its line has no client part.
    NoAddress,
    /// It gives no answer.
    Silent(String),
    /// It answers that it does not serve.
    NotServing,
    /// It serves.
    Serving {
        /// What it calls itself.
        mode: Mode,
        /// The ensemble that it follows; `None` where it does not show one.
        ensemble: Option<Ensemble>,
        /// Its id, as a session with it tells.
        id: Option<u64>,
    },
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
    let joiner = look(server, &wanted).await;
    Ok(Admission {
        wanted,
        ensemble,
        joiner,
        authority,
    })
}

async fn look(server: &Server, wanted: &Member) -> Joiner {
    match wanted.client_address() {
        Some(address) => ask(server, &address).await,
        None => Joiner::NoAddress,
    }
}

/// Asks a server that somebody else named. It never gets credentials.
pub(super) async fn ask(server: &Server, address: &Address) -> Joiner {
    ask_with(server, address, None).await
}

/// Asks the agent's own server, which may have the credentials where it shows its ensemble to nobody else.
pub(super) async fn ask_own(server: &Server) -> Joiner {
    match server.credentials() {
        Ok(credentials) => ask_with(server, &server.address, credentials.as_ref()).await,
        Err(error) => Joiner::Silent(error.to_string()),
    }
}

async fn ask_with(server: &Server, address: &Address, credentials: Option<&Credentials>) -> Joiner {
    let mode = match srvr(server, address).await {
        Ok(srvr) => srvr.mode,
        Err(NoAnswer::Word(WordError::NotServing)) => return Joiner::NotServing,
        Err(error) => return Joiner::Silent(error.to_string()),
    };
    let client = match Client::open(address, credentials, server.timeouts.session()).await {
        Ok(client) => client,
        // It is there, and shows nothing to whoever comes without credentials that it takes.
        Err(ClientError::Answered {
            error: zookeeper_client::Error::AuthFailed,
            ..
        }) => {
            return Joiner::Serving {
                mode,
                ensemble: None,
                id: None,
            };
        }
        Err(error) => return Joiner::Silent(format!("it answers srvr, but {error}")),
    };
    let id = client.server_id();
    let followed = client.local(server.timeouts.answer()).await;
    client.close().await;
    let ensemble = followed.unwrap_or_else(|error| {
        tracing::debug!(%address, %error, "the joiner does not show its ensemble");
        None
    });
    Joiner::Serving { mode, ensemble, id }
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
mod tests {
    use super::*;

    const ONE: &str = "server.1=h:1:2;3\nversion=100000000";
    const TWO: &str = "server.1=h:1:2;3\nserver.2=h:4:5;6\nversion=100000004";

    fn ensemble(text: &str) -> Ensemble {
        Ensemble::parse(text.as_bytes()).unwrap().unwrap()
    }

    fn serving(mode: Mode, follows: &str) -> Joiner {
        Joiner::Serving {
            mode,
            ensemble: Some(ensemble(follows)),
            id: Some(2),
        }
    }

    fn view(wanted: &str, config: &str, joiner: Joiner) -> Admission {
        Admission {
            wanted: wanted.parse().unwrap(),
            ensemble: Some(ensemble(config)),
            joiner,
            authority: None,
        }
    }

    fn refused(view: &Admission) -> (&'static str, String) {
        match decide(view, None) {
            Err(ActionError::Final(fault)) => ("final", fault.code().to_owned()),
            Err(ActionError::Retry(fault)) => ("retry", fault.code().to_owned()),
            other => panic!("{other:?}"),
        }
    }

    const WANTED: &str = "server.2=h:4:5;6";

    #[test]
    fn a_server_that_follows_is_taken_in_on_the_version_that_was_read() {
        let view = view(WANTED, ONE, serving(Mode::Follower, ONE));
        let Next::Do { now, then } = decide(&view, None).unwrap() else {
            panic!("nothing to do")
        };
        assert_eq!(now.base, ensemble(ONE).version());
        assert_eq!((now.edit, then), (Edit::Join(WANTED.parse().unwrap()), vec![]));
    }

    #[test]
    fn a_member_is_done_however_its_line_is_written() {
        for line in [WANTED, "server.2=H:4:5:participant;0.0.0.0:6"] {
            let view = view(line, TWO, serving(Mode::Follower, TWO));
            let Next::Done(outcome) = decide(&view, None).unwrap() else {
                panic!("not done")
            };
            assert_eq!((outcome.config_version.as_str(), outcome.changed), ("100000004", false));
        }
        let dead = view(WANTED, TWO, Joiner::Silent("dead".into()));
        assert!(
            matches!(decide(&dead, None), Ok(Next::Done(_))),
            "it is a member all the same"
        );
        let late = view(WANTED, TWO, serving(Mode::Follower, ONE));
        assert!(matches!(decide(&late, None), Ok(Next::Wait(_))));
    }

    #[test]
    fn a_joiner_that_is_not_fit_is_refused_before_any_change() {
        let refused = |joiner| refused(&view(WANTED, ONE, joiner));
        assert_eq!(
            refused(Joiner::Silent("hung".into())),
            ("final", "joiner_unreachable".into())
        );
        assert_eq!(refused(Joiner::NotServing), ("retry", "joiner_not_ready".into()));
        assert_eq!(
            refused(serving(Mode::Standalone, ONE)),
            ("final", "joiner_standalone".into())
        );
        assert_eq!(
            refused(serving(Mode::ReadOnly, ONE)),
            ("retry", "joiner_not_ready".into())
        );
        assert_eq!(refused(serving(Mode::Leader, ONE)), ("final", "other_ensemble".into()));
        assert_eq!(
            refused(serving(Mode::Follower, TWO)),
            ("retry", "other_ensemble".into())
        );
        let other = Joiner::Serving {
            mode: Mode::Follower,
            ensemble: None,
            id: Some(3),
        };
        assert_eq!(refused(other), ("final", "joiner_mistaken".into()));
        assert_eq!(refused(Joiner::NoAddress), ("final", "no_client_address".into()));
    }

    #[test]
    fn an_id_or_an_address_that_is_taken_is_never_sent() {
        let fit = || serving(Mode::Follower, TWO);
        assert_eq!(
            refused(&view("server.2=h:7:8;9", TWO, fit())),
            ("final", "id_taken".into())
        );
        assert_eq!(
            refused(&view("server.3=h:4:5;9", TWO, fit())),
            ("final", "address_taken".into())
        );
        let grouped = format!("{ONE}\ngroup.1=1");
        assert_eq!(
            refused(&view(WANTED, &grouped, serving(Mode::Follower, ONE))),
            ("final", "hierarchical".into())
        );
        let fixed = ONE.replace("100000000", "0");
        assert_eq!(
            refused(&view(WANTED, &fixed, serving(Mode::Follower, ONE))),
            ("final", "reconfig_disabled".into())
        );
        let mut alone = view(WANTED, ONE, fit());
        alone.ensemble = None;
        assert_eq!(refused(&alone), ("final", "standalone".into()));
    }

    #[test]
    fn another_role_of_the_same_server_is_a_change() {
        let observer = TWO.replace("h:4:5", "h:4:5:observer");
        let view = view(WANTED, &observer, serving(Mode::Observer, &observer));
        assert!(matches!(decide(&view, None), Ok(Next::Do { .. })));
    }

    #[test]
    fn a_joiner_that_nobody_can_judge_is_not_taken_in() {
        let joiner = |ensemble, id| Joiner::Serving {
            mode: Mode::Follower,
            ensemble,
            id,
        };
        let unknown = ("retry", "joiner_unknown".to_owned());
        assert_eq!(refused(&view(WANTED, ONE, joiner(None, Some(2)))), unknown);
        assert_eq!(refused(&view(WANTED, ONE, joiner(Some(ensemble(ONE)), None))), unknown);
        let far = view("server.256=h:4:5;6", ONE, joiner(Some(ensemble(ONE)), None));
        assert!(
            matches!(decide(&far, None), Ok(Next::Do { .. })),
            "such an id is never told"
        );
    }

    #[test]
    fn a_leader_is_not_demoted() {
        let leader = view("server.2=h:4:5:observer;6", TWO, serving(Mode::Leader, TWO));
        assert_eq!(refused(&leader), ("final", "leads".into()));
    }

    #[test]
    fn authority_that_is_known_is_not_unchecked() {
        assert_eq!(unchecked(Some(true)).len(), 2);
        assert!(unchecked(Some(false))[0].contains("ACL"));
        assert_eq!(unchecked(None).len(), 3);
    }
}
