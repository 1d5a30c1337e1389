//! What a process says of its own configuration. Only the node itself answers for its id: so this also tells who it is.

use agent_sdk::config::Address;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::DescribeConfigsResult;
use kafka_protocol::messages::{DescribeConfigsRequest, DescribeConfigsResponse};
use kafka_protocol::protocol::StrBytes;
use tokio::time::Instant;

use super::{AskError, accept, left};
use crate::client::{Code, Link};

/// What a process says of its own configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    /// node.id.
    pub node_id: i32,
    /// Whether it is a broker.
    pub is_broker: bool,
    /// Whether it is a controller.
    pub is_controller: bool,
    /// controller.listener.names: the first one is what the others use.
    pub controller_listeners: Vec<String>,
    /// Where the node can be reached, by the listeners' names: as advertised, else as it listens.
    pub listeners: Vec<(String, Address)>,
    /// Whether a controller takes itself for a voter at its start (controller.quorum.auto.join.enable).
    pub joins_by_itself: bool,
}

const BROKER: i8 = 4;

const KEYS: [&str; 6] = [
    "node.id",
    "process.roles",
    "controller.listener.names",
    "listeners",
    "advertised.listeners",
    "controller.quorum.auto.join.enable",
];

impl Configuration {
    /// The name of the controller's listener at this port; of the first one, where none is there.
    pub fn controller_listener(&self, port: u16) -> Option<&str> {
        let all = || self.controller_addresses();
        let there = all().find(|(_, address)| address.port() == port);
        there.or_else(|| all().next()).map(|(name, _)| name.as_str())
    }

    /// Where others reach the controller by the listener of this name.
    pub fn controller_address(&self, listener: &str) -> Option<&Address> {
        let found = self.controller_addresses().find(|(name, _)| name == listener);
        found.map(|(_, address)| address)
    }

    /// The listeners of the controller, in the order of their names.
    pub fn controller_addresses(&self) -> impl Iterator<Item = &(String, Address)> {
        let names = self.controller_listeners.iter();
        names.filter_map(|name| self.listeners.iter().find(|(listener, _)| listener == name))
    }
}

/// Asks whoever listens whether it is one of these nodes. `None` where it is another.
pub async fn ask(link: &mut Link, ids: &[i32], end: Instant) -> Result<Option<Configuration>, AskError> {
    let resource = |id: &i32| {
        DescribeConfigsResource::default()
            .with_resource_type(BROKER)
            .with_resource_name(StrBytes::from_string(id.to_string()))
            .with_configuration_keys(Some(KEYS.map(StrBytes::from_static_str).to_vec()))
    };
    let request = DescribeConfigsRequest::default().with_resources(ids.iter().map(resource).collect());
    let told = link.call(&request, left(end)).await?;
    let foreign = |result: &&DescribeConfigsResult| Code(result.error_code) == Code::INVALID_REQUEST;
    let refused = told
        .results
        .iter()
        .find(|result| !foreign(result) && result.error_code != 0);
    if let Some(refused) = refused {
        accept::<DescribeConfigsRequest>(link, refused.error_code, refused.error_message.as_deref())?;
    }
    Ok(read(&told))
}

fn read(told: &DescribeConfigsResponse) -> Option<Configuration> {
    let own = told.results.iter().find(|result| result.error_code == 0)?;
    let value = |name: &str| {
        let entry = own.configs.iter().find(|entry| entry.name.as_str() == name)?;
        let value = entry.value.as_ref()?.trim();
        (!value.is_empty()).then(|| value.to_owned())
    };
    let list = |name: &str| -> Vec<String> {
        let value = value(name).unwrap_or_default();
        let parts = value.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts.map(str::to_owned).collect()
    };
    let roles = list("process.roles");
    let is = |role: &str| roles.iter().any(|name| name == role);
    let mut listeners: Vec<(String, Address)> = Vec::new();
    let named = list("advertised.listeners").into_iter().chain(list("listeners"));
    for (name, address) in named.filter_map(|text| listener(&text)) {
        if listeners.iter().all(|(known, _)| *known != name) {
            listeners.push((name, address));
        }
    }
    Some(Configuration {
        node_id: value("node.id")
            .and_then(|id| id.parse().ok())
            .or_else(|| own.resource_name.parse().ok())?,
        is_broker: is("broker"),
        is_controller: is("controller"),
        controller_listeners: list("controller.listener.names"),
        listeners,
        joins_by_itself: value("controller.quorum.auto.join.enable").is_some_and(|value| value == "true"),
    })
}

/// `NAME://host:port`; without a host it listens everywhere, and is no address for others.
fn listener(text: &str) -> Option<(String, Address)> {
    let (name, address) = text.split_once("://")?;
    let address: Address = address.parse().ok()?;
    (!address.is_wildcard()).then(|| (name.to_owned(), address))
}

#[cfg(test)]
mod tests {
    use kafka_protocol::messages::ApiKey;

    use super::*;
    use crate::client::recorded::{self, RELEASES};

    #[test]
    fn recorded_answers_of_both_releases_are_read() {
        for (release, _) in RELEASES {
            for listener in ["broker", "controller"] {
                let exchange = recorded::first(release, listener, ApiKey::DescribeConfigs as i16);
                let own = read(&recorded::read::<DescribeConfigsRequest>(&exchange)).unwrap();
                assert_eq!((own.node_id, own.is_broker, own.is_controller), (1, true, true));
                let controllers: Vec<_> = own.controller_addresses().collect();
                assert_eq!(controllers[0].0, "CONTROLLER");
                assert!(!own.joins_by_itself);
            }
        }
    }

    #[test]
    fn a_listener_is_a_name_and_an_address_that_others_can_use() {
        let read = |text| listener(text).map(|(name, address)| format!("{name} {address}"));
        assert_eq!(
            read("SASL_SSL://kafka-1:9093").as_deref(),
            Some("SASL_SSL kafka-1:9093")
        );
        assert_eq!(read("A://[::1]:1").as_deref(), Some("A [::1]:1"));
        for none in ["A://:9092", "A://0.0.0.0:1", "kafka:1", ""] {
            assert_eq!(read(none), None, "{none}");
        }
    }
}
