//! The text of a node's `server.properties`. Pure: who is in the cluster comes in, text comes out.

use std::net::SocketAddr;
use std::path::Path;

use super::security::Files;
use crate::ports::Block;

/// What a process is (`process.roles`).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Roles {
    /// A broker and a controller in one process.
    #[default]
    Combined,
    /// A broker only.
    Broker,
    /// A controller only.
    Controller,
}

impl Roles {
    /// Whether clients can connect.
    pub fn is_broker(self) -> bool {
        self != Self::Controller
    }

    /// Whether it can be a voter.
    pub fn is_controller(self) -> bool {
        self != Self::Broker
    }

    fn text(self) -> &'static str {
        match self {
            Self::Combined => "broker,controller",
            Self::Broker => "broker",
            Self::Controller => "controller",
        }
    }
}

/// The places of the ports in a node's block; two more are free.
pub(super) mod place {
    pub(in crate::kafka) const BROKER: u16 = 0;
    pub(in crate::kafka) const CONTROLLER: u16 = 1;
    pub(in crate::kafka) const SECURE_BROKER: u16 = 2;
    pub(in crate::kafka) const SECURE_CONTROLLER: u16 = 3;
    pub(in crate::kafka) const TLS_BROKER: u16 = 4;
    pub(in crate::kafka) const METRICS: u16 = 5;
}

/// Where a node listens, whether its roles and its cluster let it or not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Addresses {
    pub(super) broker: SocketAddr,
    pub(super) controller: SocketAddr,
    pub(super) secure_broker: SocketAddr,
    pub(super) secure_controller: SocketAddr,
    pub(super) tls_broker: SocketAddr,
    pub(super) metrics: SocketAddr,
}

impl Addresses {
    pub(super) fn of(block: &Block) -> Self {
        Self {
            broker: block.address(place::BROKER),
            controller: block.address(place::CONTROLLER),
            secure_broker: block.address(place::SECURE_BROKER),
            secure_controller: block.address(place::SECURE_CONTROLLER),
            tls_broker: block.address(place::TLS_BROKER),
            metrics: block.address(place::METRICS),
        }
    }
}

/// What one node's file says that another's does not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Own<'a> {
    pub(super) id: u32,
    pub(super) roles: Roles,
    pub(super) rack: &'a str,
    pub(super) at: Addresses,
    pub(super) data: &'a Path,
}

/// What all nodes' files say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shared<'a> {
    /// All that may ever be voters.
    pub(super) controllers: &'a [SocketAddr],
    /// For the topics that Kafka makes for itself.
    pub(super) replicas: usize,
    /// Of a secured cluster.
    pub(super) security: Option<Files<'a>>,
}

/// Name, protocol, address. The first of each role is the one that nodes use among themselves.
type Listener = (&'static str, &'static str, SocketAddr);

fn for_clients(at: Addresses, secured: bool) -> Vec<Listener> {
    let plain = ("PLAINTEXT", "PLAINTEXT", at.broker);
    let secure = ("SECURE", "SASL_SSL", at.secure_broker);
    let all = [plain, secure, ("TLS", "SSL", at.tls_broker)];
    all[..if secured { 3 } else { 1 }].to_vec()
}

fn for_controllers(at: Addresses, secured: bool) -> Vec<Listener> {
    let plain = ("CONTROLLER", "PLAINTEXT", at.controller);
    let all = [plain, ("CONTROLLER_SECURE", "SASL_SSL", at.secure_controller)];
    all[..if secured { 2 } else { 1 }].to_vec()
}

/// `server.properties`. `more` comes last and so wins over the lines above it.
pub(super) fn server_properties(own: &Own<'_>, shared: &Shared<'_>, more: &str) -> String {
    let Own {
        id,
        roles,
        rack,
        at,
        data,
    } = own;
    let Shared {
        controllers,
        replicas,
        security,
    } = shared;
    let (clients, members) = (
        for_clients(*at, security.is_some()),
        for_controllers(*at, security.is_some()),
    );
    let mine = [(roles.is_broker(), &clients), (roles.is_controller(), &members)];
    let mine = mine
        .iter()
        .filter(|(has, _)| *has)
        .flat_map(|(_, listeners)| *listeners);
    let listeners = join(mine.map(|(name, _, address)| format!("{name}://{address}")));
    let protocols = join(
        clients
            .iter()
            .chain(&members)
            .map(|(name, protocol, _)| format!("{name}:{protocol}")),
    );
    let members = join(members.iter().map(|(name, ..)| (*name).to_owned()));
    let bootstrap = join(controllers.iter().map(ToString::to_string));
    let mut text = format!(
        "process.roles={}
node.id={id}
broker.rack={rack}
controller.quorum.bootstrap.servers={bootstrap}
listeners={listeners}
advertised.listeners={listeners}
controller.listener.names={members}
listener.security.protocol.map={protocols}
inter.broker.listener.name=PLAINTEXT
log.dirs={}
log.cleaner.dedupe.buffer.size=4194304
offsets.topic.num.partitions=3
offsets.topic.replication.factor={replicas}
transaction.state.log.num.partitions=3
transaction.state.log.replication.factor={replicas}
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
",
        roles.text(),
        data.display()
    );
    text.extend(security.map(Files::configuration));
    text.push_str(more);
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

fn join(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(roles: Roles, security: Option<Files<'_>>, more: &str) -> String {
        let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let own = Own {
            id: 2,
            roles,
            rack: "r2",
            at: Addresses {
                broker: at(20),
                controller: at(21),
                secure_broker: at(22),
                secure_controller: at(23),
                tls_broker: at(24),
                metrics: at(25),
            },
            data: Path::new("/d/data"),
        };
        let shared = Shared {
            controllers: &[at(11), at(21)],
            replicas: 3,
            security,
        };
        server_properties(&own, &shared, more)
    }

    fn value<'a>(text: &'a str, key: &str) -> &'a str {
        let mut lines = text.lines().filter_map(|line| line.split_once('='));
        lines.find(|(name, _)| *name == key).unwrap().1
    }

    #[test]
    fn a_listener_for_each_role() {
        for (roles, process, listeners) in [
            (
                Roles::Combined,
                "broker,controller",
                "PLAINTEXT://127.0.0.1:20,CONTROLLER://127.0.0.1:21",
            ),
            (Roles::Broker, "broker", "PLAINTEXT://127.0.0.1:20"),
            (Roles::Controller, "controller", "CONTROLLER://127.0.0.1:21"),
        ] {
            let text = text(roles, None, "");
            assert_eq!(value(&text, "process.roles"), process);
            assert_eq!(value(&text, "listeners"), listeners);
            assert_eq!(value(&text, "advertised.listeners"), listeners);
            let bootstrap = "127.0.0.1:11,127.0.0.1:21";
            assert_eq!(value(&text, "controller.quorum.bootstrap.servers"), bootstrap);
        }
    }

    #[test]
    fn a_secured_node_has_the_plain_listeners_first() {
        for (roles, listeners) in [
            (
                Roles::Broker,
                "PLAINTEXT://127.0.0.1:20,SECURE://127.0.0.1:22,TLS://127.0.0.1:24",
            ),
            (
                Roles::Controller,
                "CONTROLLER://127.0.0.1:21,CONTROLLER_SECURE://127.0.0.1:23",
            ),
        ] {
            let text = text(roles, Some(Files(Path::new("/d"))), "");
            assert_eq!(value(&text, "listeners"), listeners);
            assert_eq!(
                value(&text, "controller.listener.names"),
                "CONTROLLER,CONTROLLER_SECURE"
            );
            let protocols = "PLAINTEXT:PLAINTEXT,SECURE:SASL_SSL,TLS:SSL,\
                CONTROLLER:PLAINTEXT,CONTROLLER_SECURE:SASL_SSL";
            assert_eq!(value(&text, "listener.security.protocol.map"), protocols);
        }
    }

    #[test]
    fn what_is_appended_comes_last() {
        let text = text(Roles::Combined, None, "broker.session.timeout.ms=3000");
        assert_eq!(text.lines().last(), Some("broker.session.timeout.ms=3000"));
        assert!(text.ends_with('\n'));
    }
}
