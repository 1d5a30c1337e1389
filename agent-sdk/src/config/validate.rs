//! What a configuration must hold beyond its types, decided in one place.

use serde_json::{Value, json};

use super::schema::{Place, out_of_range};
use super::{Anonymous, Config, ConfigFault, LogFilter, Origin};
use crate::spec::{Attributes, StoreVersion};

/// A configuration that holds.
#[derive(Debug, Clone)]
pub struct Validated<S> {
    config: Config<S>,
    store_version: Option<StoreVersion>,
    attributes: Attributes,
    warnings: Vec<String>,
}

/// The attribute that `node.zone` becomes.
const ZONE: &str = "replicante.io/zone";

impl<S> Validated<S> {
    /// The configuration.
    pub const fn config(&self) -> &Config<S> {
        &self.config
    }

    /// The configured version of the store.
    pub const fn store_version(&self) -> Option<&StoreVersion> {
        self.store_version.as_ref()
    }

    /// The configured attributes of the node, its zone included.
    pub const fn attributes(&self) -> &Attributes {
        &self.attributes
    }

    /// What is allowed and still deserves a second look.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The store's own section, and the rest.
    pub fn split(self) -> (Validated<()>, S) {
        let Self {
            config,
            store_version,
            attributes,
            warnings,
        } = self;
        let Config {
            state_directory,
            node,
            api,
            actions,
            observe,
            logs,
            traces,
            store,
        } = config;
        let config = Config {
            state_directory,
            node,
            api,
            actions,
            observe,
            logs,
            traces,
            store: (),
        };
        let rest = Validated {
            config,
            store_version,
            attributes,
            warnings,
        };
        (rest, store)
    }

    /// The configuration, to be taken apart.
    pub fn into_config(self) -> Config<S> {
        self.config
    }
}

impl<S> Config<S> {
    /// Checks everything that the types do not say.
    ///
    /// **Errors**: every fault that was found, each with its key.
    pub fn validate(self) -> Result<Validated<S>, Vec<ConfigFault>> {
        let mut faults = Faults(self.ranges());
        faults.check(
            !self.state_directory.as_os_str().is_empty(),
            "state_directory",
            "it must be a directory's path",
        );
        let store_version = self.node.version.as_deref().and_then(|words| {
            let version = StoreVersion::parse(words);
            faults.check(
                version.is_some(),
                "node.version",
                "it must begin with a number, such as 3.9.5",
            );
            version
        });
        let attributes = self.attributes(&mut faults);
        self.names(&mut faults);
        if let Some(endpoint) = &self.traces.otlp_endpoint
            && let Err(reason) = endpoint_fault(endpoint)
        {
            faults.add("traces.otlp_endpoint", reason);
        }
        if let Err(reason) = self.logs.filter.parse::<LogFilter>() {
            faults.add("logs.filter", reason.to_string());
        }
        let mut warnings = Vec::new();
        if self.api.anonymous() == Anonymous::Act && !self.api.bind.ip().is_loopback() {
            warnings.push(format!(
                "api.anonymous is act and api.bind is {}: whoever reaches this address may act on the node",
                self.api.bind
            ));
        }
        match faults.0 {
            faults if faults.is_empty() => Ok(Validated {
                config: self,
                store_version,
                attributes,
                warnings,
            }),
            faults => Err(faults),
        }
    }

    /// Numbers out of the ranges that their fields' schemas give.
    fn ranges(&self) -> Vec<ConfigFault> {
        let of = |name: &str, schema: schemars::Schema, section: Result<Value, serde_json::Error>| {
            let schema = schema.to_value();
            let found = out_of_range(Place::root(&schema), &section.unwrap_or(Value::Null));
            found
                .into_iter()
                .map(|(key, detail)| fault(&format!("{name}.{key}"), detail))
                .collect::<Vec<_>>()
        };
        [
            of(
                "api",
                schemars::schema_for!(super::Api),
                serde_json::to_value(&self.api),
            ),
            of(
                "actions",
                schemars::schema_for!(super::Actions),
                serde_json::to_value(&self.actions),
            ),
            of(
                "observe",
                schemars::schema_for!(super::Observe),
                serde_json::to_value(&self.observe),
            ),
        ]
        .concat()
    }

    fn attributes(&self, faults: &mut Faults) -> Attributes {
        let mut attributes = Attributes::new();
        attributes.extend(self.node.attributes.clone());
        for (name, reason) in attributes.retain_lawful() {
            faults.add(&format!("node.attributes.{name}"), reason.to_string());
        }
        if let Some(zone) = &self.node.zone {
            faults.check(
                attributes.get(ZONE).is_none(),
                "node.zone",
                "it is given in node.attributes as well",
            );
            attributes.insert(ZONE, json!(zone));
        }
        attributes
    }

    fn names(&self, faults: &mut Faults) {
        faults.check(
            !self.api.trees.is_empty(),
            "api.trees",
            "it must name at least one of v1, unstable",
        );
        for (index, host) in self.api.hosts.iter().enumerate() {
            let plain = !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || c.is_control() || c == '/');
            faults.check(
                plain,
                &format!("api.hosts.{index}"),
                "it must be a host's name, such as node1.example.org",
            );
        }
        let node = &self.node;
        for (key, value) in [
            ("id", &node.id),
            ("address", &node.address),
            ("cluster_id", &node.cluster_id),
            ("zone", &node.zone),
        ] {
            let given = value.as_deref().is_none_or(|text| !text.trim().is_empty());
            faults.check(
                given,
                &format!("node.{key}"),
                "it must not be empty; leave it out to leave it unset",
            );
        }
    }
}

struct Faults(Vec<ConfigFault>);

impl Faults {
    fn add(&mut self, key: &str, detail: impl Into<String>) {
        self.0.push(fault(key, detail.into()));
    }

    fn check(&mut self, holds: bool, key: &str, detail: &str) {
        if !holds {
            self.add(key, detail);
        }
    }
}

fn fault(key: &str, detail: String) -> ConfigFault {
    ConfigFault {
        key: key.to_owned(),
        origin: Origin::Nowhere,
        detail,
    }
}

fn endpoint_fault(endpoint: &str) -> Result<(), &'static str> {
    const RIGHT: &str = "it must be an http:// address, such as http://127.0.0.1:4318";
    let uri: actix_web::http::Uri = endpoint.parse().map_err(|_| RIGHT)?;
    match (uri.scheme_str(), uri.host()) {
        (Some("http"), Some(host)) if !host.is_empty() => Ok(()),
        (Some("https"), _) => Err("https is not supported yet: use http:// and a collector on this host"),
        _ => Err(RIGHT),
    }
}
