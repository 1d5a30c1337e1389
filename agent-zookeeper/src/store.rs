//! The server as the framework shows it: asks, and hands what it was told to [`crate::node`].

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use agent_sdk::agent::Agent;
use agent_sdk::datastore::{DataStore, StoreError};
use agent_sdk::spec::{Addresses, Attributes, Identity, Map, NodeStatus, Shard};

use crate::actions::{Accounted, Add, Doubt, Init, Join, Remove};
use crate::attributes;
use crate::config::Server;
use crate::ensemble::Ensemble;
use crate::identity;
use crate::member::Member;
use crate::node::{Facts, Place, seen_outside};
use crate::reach::srvr;
use crate::session::{Membership, Session};
use agent_sdk::config::Address;

/// What the node and the actions on it share.
pub struct Shared {
    server: Server,
    session: Session,
    joining: Mutex<Option<Instant>>,
    last: Mutex<Last>,
    doubt: Doubt,
}

/// What was seen last.
#[derive(Default)]
struct Last {
    summary: Option<(Instant, String)>,
    outside: bool,
    ensemble: Option<Ensemble>,
}

/// The agent for a server: the node and its four actions.
pub fn agent(server: Server) -> Agent {
    let cluster_id = server.cluster_id.clone();
    let shared = Arc::new(Shared::new(server));
    Agent::new(ZooKeeper(shared.clone()))
        .meant_for(cluster_id)
        .cluster_init(Init::new(shared.clone()))
        .cluster_join(Accounted::new(Join::new(shared.clone()), shared.clone()))
        .cluster_add(Accounted::new(Add::new(shared.clone()), shared.clone()))
        .cluster_remove(Accounted::new(Remove::new(shared.clone()), shared))
}

impl Shared {
    pub(crate) fn new(server: Server) -> Self {
        Self {
            session: Session::new(server.clone()),
            server,
            joining: Mutex::default(),
            last: Mutex::default(),
            doubt: Doubt::default(),
        }
    }

    /// The configuration.
    pub const fn server(&self) -> &Server {
        &self.server
    }

    /// What the running action has sent and heard nothing of.
    pub(crate) const fn doubt(&self) -> &Doubt {
        &self.doubt
    }

    /// Says whether this agent is about to take its server into an ensemble. It holds for as long as that may take:
    /// an action that ends in another way than it thought leaves nothing behind.
    pub fn set_joining(&self, joining: bool) {
        let timeouts = &self.server.timeouts;
        let until = joining.then(|| Instant::now() + timeouts.reconfig() + 3 * timeouts.session());
        *self.joining.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }

    fn is_joining(&self) -> bool {
        let until = *self.joining.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }

    /// The ensemble as the server shows it now, else as it showed it last.
    pub async fn ensemble(&self) -> Option<Ensemble> {
        let facts = self.facts().await;
        facts.ensemble().cloned().or_else(|| self.last().ensemble.clone())
    }

    /// Where the ensemble may be reached: by the agent's own server, then by the others that are known.
    pub async fn ways(&self) -> Vec<Address> {
        self.ways_without("").await
    }

    /// The same, the server of this id or line last.
    pub async fn ways_without(&self, node: &str) -> Vec<Address> {
        let ensemble = self.ensemble().await;
        let own = self.server.known_id();
        let leaving = node
            .trim()
            .parse()
            .ok()
            .or_else(|| node.parse().ok().map(|member: Member| member.id));
        let others = ensemble
            .iter()
            .flat_map(Ensemble::members)
            .filter(|member| Some(member.id) != own);
        let mut ways: Vec<(bool, Address)> = vec![(own.is_some() && leaving == own, self.server.address.clone())];
        ways.extend(others.filter_map(|member| Some((leaving == Some(member.id), member.client_address()?))));
        // Stable: but for the one that leaves, the order stays.
        ways.sort_by_key(|(leaves, _)| *leaves);
        ways.into_iter().map(|(_, address)| address).collect()
    }

    /// Asks the server.
    async fn facts(&self) -> Facts {
        let end = tokio::time::Instant::now() + self.server.timeouts.answer();
        let answer = srvr(&self.server, &self.server.address).await;
        let membership = match &answer {
            Ok(_) => self.membership(end).await,
            // A server that does not serve makes no session, and what is no server gets none.
            Err(_) => Err("the server was not asked".to_owned()),
        };
        let mut facts = Facts {
            answer,
            known_id: self.server.known_id(),
            membership,
            said_id: None,
            joining: self.is_joining(),
        };
        if facts.answer.is_ok() && facts.id().is_none() {
            let left = end.saturating_duration_since(tokio::time::Instant::now());
            facts.said_id = identity::ask(&self.server, left).await;
        }
        if facts.place() == Place::Member {
            self.set_joining(false);
        }
        self.remember(&facts);
        facts
    }

    /// Whatever the server does, one look takes no longer than one answer may.
    async fn membership(&self, end: tokio::time::Instant) -> Result<Membership, String> {
        match tokio::time::timeout_at(end, self.session.membership()).await {
            Ok(answer) => answer.map_err(|error| error.to_string()),
            Err(_) => Err(format!(
                "the config node was not read within {} ms",
                self.server.timeouts.answer_ms
            )),
        }
    }

    fn remember(&self, facts: &Facts) {
        let mut last = self.last();
        if let Some(summary) = facts.summary() {
            last.summary = Some((Instant::now(), summary));
        }
        if let Some(outside) = seen_outside(facts) {
            last.outside = outside;
        }
        if let Some(ensemble) = facts.ensemble() {
            last.ensemble = Some(ensemble.clone());
        }
    }

    fn last(&self) -> std::sync::MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn last_summary(&self) -> Option<String> {
        let last = self.last();
        let (when, summary) = last.summary.as_ref()?;
        Some(format!("{} s ago as {summary}", when.elapsed().as_secs()))
    }
}

/// A ZooKeeper server.
pub struct ZooKeeper(Arc<Shared>);

impl DataStore for ZooKeeper {
    const STORE_ID: &'static str = "zookeeper";

    async fn status(&self) -> NodeStatus {
        let last = self.0.last_summary();
        self.0.facts().await.status(last.as_deref())
    }

    async fn identity(&self) -> Identity {
        let facts = self.0.facts().await;
        let server = &self.0.server;
        let entry = facts.entry();
        // What is configured says the same in the operator's own words, or is out of date.
        let configured = server.member.as_ref();
        let member = match (entry, configured) {
            (Some(entry), Some(configured)) if entry == configured => Some(configured),
            (Some(entry), _) => Some(entry),
            (None, configured) => configured,
        };
        let client = member.and_then(Member::client_address);
        Identity {
            node_id: facts.id().map(|id| id.to_string()),
            version: facts.answer.as_ref().ok().and_then(|srvr| srvr.version.clone()),
            addresses: Addresses {
                client: Some(client.unwrap_or_else(|| server.address.clone()).to_string()),
                member: member.map(Member::to_string),
                ..Addresses::default()
            },
        }
    }

    async fn cluster_id(&self) -> Result<Option<String>, StoreError> {
        let facts = self.0.facts().await;
        let outside = self.0.last().outside;
        facts.cluster_id(&self.0.server.cluster_id, outside)
    }

    async fn shards(&self) -> Result<Vec<Shard>, StoreError> {
        let facts = self.0.facts().await;
        let outside = self.0.last().outside;
        facts.shards(&self.0.server.cluster_id, outside)
    }

    async fn attributes(&self, which: Map) -> Attributes {
        match which {
            Map::Node => Attributes::new(),
            Map::Store => {
                let facts = self.0.facts().await;
                attributes::store(&self.0.server, &facts).await
            }
        }
    }
}
