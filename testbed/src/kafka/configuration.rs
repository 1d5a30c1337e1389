//! The text of a node's `server.properties`. Pure: who is in the cluster comes in, text comes out.

use std::net::SocketAddr;
use std::path::Path;

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
}

/// What one node's file says that another's does not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Own<'a> {
    pub(super) id: u32,
    pub(super) roles: Roles,
    pub(super) rack: &'a str,
    pub(super) broker: SocketAddr,
    pub(super) controller: SocketAddr,
    pub(super) data: &'a Path,
}

/// `server.properties`. `controllers` are all that may ever be voters, `replicas` is for the topics that Kafka makes for
/// itself. `more` comes last and so wins over the lines above it.
pub(super) fn server_properties(own: &Own<'_>, controllers: &[SocketAddr], replicas: usize, more: &str) -> String {
    let Own {
        id,
        roles,
        rack,
        broker,
        controller,
        data,
    } = own;
    let listeners = [
        (roles.is_broker(), format!("PLAINTEXT://{broker}")),
        (roles.is_controller(), format!("CONTROLLER://{controller}")),
    ];
    let listeners = join(listeners.into_iter().filter_map(|(has, text)| has.then_some(text)));
    let bootstrap = join(controllers.iter().map(ToString::to_string));
    let mut text = format!(
        "process.roles={}
node.id={id}
broker.rack={rack}
controller.quorum.bootstrap.servers={bootstrap}
listeners={listeners}
advertised.listeners={listeners}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
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

    fn text(roles: Roles, more: &str) -> String {
        let own = Own {
            id: 2,
            roles,
            rack: "r2",
            broker: ([127, 0, 0, 1], 20).into(),
            controller: ([127, 0, 0, 1], 21).into(),
            data: Path::new("/d/data"),
        };
        let controllers = [11, 21].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        server_properties(&own, &controllers, 3, more)
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
            let text = text(roles, "");
            assert_eq!(value(&text, "process.roles"), process);
            assert_eq!(value(&text, "listeners"), listeners);
            assert_eq!(value(&text, "advertised.listeners"), listeners);
            let bootstrap = "127.0.0.1:11,127.0.0.1:21";
            assert_eq!(value(&text, "controller.quorum.bootstrap.servers"), bootstrap);
        }
    }

    #[test]
    fn what_is_appended_comes_last() {
        let text = text(Roles::Combined, "broker.session.timeout.ms=3000");
        assert_eq!(text.lines().last(), Some("broker.session.timeout.ms=3000"));
        assert!(text.ends_with('\n'));
    }
}
