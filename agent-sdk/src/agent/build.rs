//! What a vendor hands in.

use std::sync::Arc;

use tokio::runtime::Handle;

use crate::action::{Action, Catalogue, CatalogueError};
use crate::datastore::{Configured, DataStore, Memory, Observer};
use crate::spec::{AgentVersion, WellKnown};
use crate::telemetry::Metrics;

/// What the agent's program is. Made by [`crate::about!`].
#[derive(Debug, Clone)]
pub struct About {
    /// The program's name, such as `agent-zookeeper`.
    pub name: &'static str,
    /// Its version.
    pub version: AgentVersion,
}

impl About {
    /// Use [`crate::about!`], which fills this in from the vendor's own package.
    #[doc(hidden)]
    pub fn new(
        name: &'static str,
        version: &'static str,
        checkout: Option<&'static str>,
        taint: Option<&'static str>,
    ) -> Self {
        Self {
            name,
            version: AgentVersion {
                // Cargo takes no other version than SemVer.
                number: version.parse().unwrap_or(semver::Version::new(0, 0, 0)),
                checkout: checkout.map(str::to_owned),
                taint: taint.map(str::to_owned),
            },
        }
    }
}

/// What the program is, from the package that this is written in: its name and version, and the revision and taint of
/// its source from the variables `AGENT_CHECKOUT` and `AGENT_TAINT` at build time.
#[macro_export]
macro_rules! about {
    () => {
        $crate::agent::About::new(
            // Set for programs only; a library that calls this names its package.
            match option_env!("CARGO_BIN_NAME") {
                Some(name) => name,
                None => env!("CARGO_PKG_NAME"),
            },
            env!("CARGO_PKG_VERSION"),
            option_env!("AGENT_CHECKOUT"),
            option_env!("AGENT_TAINT"),
        )
    };
}

/// An agent's store and actions.
pub struct Agent {
    pub(super) store_id: &'static str,
    pub(super) cluster_id: Option<String>,
    pub(super) observing: Observing,
    pub(super) catalogue: Result<Catalogue, CatalogueError>,
}

/// Makes the observer of a store whose type is known here only.
pub(super) type Observing = Box<dyn FnOnce(Configured, Memory, Arc<Metrics>, &Handle) -> Observer + Send>;

impl Agent {
    /// An agent for this store, with the kinds that every agent has.
    pub fn new<D: DataStore>(store: D) -> Self {
        let observing = |configured, memory, metrics, runtime: &Handle| {
            Observer::new(Arc::new(store), configured, memory, metrics, runtime)
        };
        Self {
            store_id: D::STORE_ID,
            cluster_id: None,
            observing: Box::new(observing),
            catalogue: Catalogue::new(),
        }
    }

    /// Says which cluster the node is meant for, where the vendor's configuration tells: shown to clients that need an id
    /// before the node is in it, unless `node.cluster_id` is configured.
    #[must_use]
    pub fn meant_for(mut self, cluster_id: impl Into<String>) -> Self {
        self.cluster_id = Some(cluster_id.into());
        self
    }

    /// Adds an action of the vendor's own, in a scope of its own.
    #[must_use]
    pub fn action<A: Action>(self, action: A) -> Self {
        self.with(|catalogue| catalogue.add(action))
    }

    /// Adds the action that initialises a cluster.
    #[must_use]
    pub fn cluster_init<A: Action>(self, action: A) -> Self {
        self.with(|catalogue| catalogue.add_well_known(WellKnown::ClusterInit, action))
    }

    /// Adds the action that takes another node into this node's cluster.
    #[must_use]
    pub fn cluster_add<A: Action>(self, action: A) -> Self {
        self.with(|catalogue| catalogue.add_well_known(WellKnown::ClusterAdd, action))
    }

    /// Adds the action that takes this node into another node's cluster.
    #[must_use]
    pub fn cluster_join<A: Action>(self, action: A) -> Self {
        self.with(|catalogue| catalogue.add_well_known(WellKnown::ClusterJoin, action))
    }

    /// Adds the action that removes and forgets another node.
    #[must_use]
    pub fn cluster_remove<A: Action>(self, action: A) -> Self {
        self.with(|catalogue| catalogue.add_well_known(WellKnown::ClusterRemove, action))
    }

    /// Says that this store has no use for a well-known action: why not, and what to do instead.
    #[must_use]
    pub fn without(self, which: WellKnown, reason: &str, instead: &str) -> Self {
        self.with(|catalogue| {
            catalogue.declare_absent(which, reason, instead);
            Ok(())
        })
    }

    /// The kinds that this agent offers.
    ///
    /// **Errors**: the first fault of what was handed in; the same that its start would tell.
    pub fn catalogue(&self) -> Result<&Catalogue, &CatalogueError> {
        self.catalogue.as_ref()
    }

    /// The first fault is the one that is told.
    fn with(mut self, add: impl FnOnce(&mut Catalogue) -> Result<(), CatalogueError>) -> Self {
        if let Ok(catalogue) = &mut self.catalogue
            && let Err(fault) = add(catalogue)
        {
            self.catalogue = Err(fault);
        }
        self
    }
}
