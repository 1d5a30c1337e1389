//! Whether a node that is to be removed lives. Kafka forgets a living broker as readily as a dead one, so what cannot be told
//! counts as life.

use tokio::time::Instant;

use crate::actions::reach;
use crate::ask::cluster::Cluster;
use crate::ask::{AskError, Quorum, configuration};
use crate::client::Link;
use crate::client::error::{Awaiting, Fault};
use crate::config::Validated;
use crate::node::Facts;

/// What there is of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Life {
    /// Nobody listens at any address of it, and the quorum has not heard of it for a while.
    None,
    /// Nobody answers, and the quorum has heard of it a moment ago: it has just died, or is starting.
    Recent,
    /// Its address takes connections, and nobody answers: a process that hangs.
    Hung,
    /// A process answers.
    Process {
        /// Whether it is a broker; none where it does not tell.
        is_broker: Option<bool>,
        /// Whether it would make itself a voter again.
        joins_by_itself: bool,
    },
}

impl Life {
    /// A process that does not tell what it is.
    const UNTOLD: Self = Self::Process {
        is_broker: None,
        joins_by_itself: false,
    };

    /// Whether its controller runs and would make itself a voter again.
    pub(super) const fn rejoins(&self) -> bool {
        matches!(
            self,
            Self::Process {
                joins_by_itself: true,
                ..
            }
        )
    }
}

/// Asks the node of this id, at every address that the cluster has for it.
pub(super) async fn of(
    id: i32,
    process: &Validated,
    facts: &Facts,
    quorum: &Quorum,
    brokers: Option<&Cluster>,
) -> Life {
    let listener = reach::controller_listener(process, facts);
    // Mostly both kinds of listeners ask for the same of those who connect: by whichever way the agent is told.
    let (by_controller, by_broker) = (process.controller.as_ref(), process.broker.as_ref());
    let controller = by_controller.or(by_broker).zip(quorum.address(id, listener));
    let broker = brokers
        .and_then(|brokers| brokers.member(id))
        .map(|member| &member.address);
    let broker = by_broker.or(by_controller).zip(broker);
    let mut found = if heard(id, quorum) { Life::Recent } else { Life::None };
    for (way, address) in controller.into_iter().chain(broker) {
        let mut link = Link::new(way.to(address.clone()));
        let end = Instant::now() + process.timeouts.answer();
        match configuration::ask(&mut link, &[id], end).await {
            Ok(Some(own)) => {
                return Life::Process {
                    is_broker: Some(own.is_broker),
                    joins_by_itself: own.is_controller && own.joins_by_itself,
                };
            }
            // Another node has its address now.
            Ok(None) => {}
            Err(error) => {
                tracing::debug!(id, %error, "the node that is to be removed does not tell what it is");
                match sign(&error) {
                    Life::None => {}
                    Life::Hung => found = Life::Hung,
                    life => return life,
                }
            }
        }
    }
    found
}

/// Whether the quorum has heard of this node a moment ago: brokers and controllers alike follow the metadata log.
fn heard(id: i32, quorum: &Quorum) -> bool {
    let mut copies = quorum.voters.iter().chain(&quorum.observers);
    copies.any(|copy| copy.id == id && quorum.is_up_to_date(copy))
}

/// What an answer that is none says of who gave it.
fn sign(error: &AskError) -> Life {
    match error.fault() {
        Some(
            Fault::Connect(_)
            | Fault::Silent {
                awaiting: Awaiting::Connection,
                ..
            },
        ) => Life::None,
        // Between its end and the closing of its port.
        Some(Fault::Closed { .. } | Fault::Broken { .. }) => Life::Recent,
        Some(Fault::Silent { .. }) => Life::Hung,
        Some(_) | None => Life::UNTOLD,
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::time::Duration;

    use agent_sdk::config::Address;

    use super::*;
    use crate::client::{ClientError, Code};
    use crate::node::tests::{Combined, answered, garbage, no_login, no_tls, node, refused};

    #[test]
    fn only_a_connection_that_is_refused_or_not_made_is_no_sign_of_life() {
        let silent = |awaiting| {
            let fault = Fault::Silent {
                awaiting,
                within: Duration::from_secs(1),
            };
            AskError::Client(ClientError {
                address: Address::new("h", 1),
                fault,
            })
        };
        assert_eq!(sign(&refused()), Life::None);
        assert_eq!(sign(&silent(Awaiting::Connection)), Life::None);
        assert_eq!(sign(&silent(Awaiting::Answer("DescribeConfigs"))), Life::Hung);
        for process in [
            answered(Code::CLUSTER_AUTHORIZATION_FAILED.0),
            garbage(),
            no_login(),
            no_tls(),
        ] {
            assert_eq!(sign(&process), Life::UNTOLD, "{process}");
        }
        let broken = Fault::Broken {
            awaiting: Awaiting::Connection,
            cause: io::ErrorKind::ConnectionReset.into(),
        };
        let broken = AskError::Client(ClientError {
            address: Address::new("h", 1),
            fault: broken,
        });
        assert_eq!(sign(&broken), Life::Recent);
    }

    #[test]
    fn a_copy_of_the_log_that_is_up_to_date_is_heard_of() {
        let facts = node(Combined);
        let mut quorum = facts.quorum.unwrap();
        assert!(heard(3, &quorum) && !heard(9, &quorum));
        quorum
            .voters
            .iter_mut()
            .filter(|voter| voter.id == 3)
            .for_each(|voter| voter.caught_up_ms = Some(0));
        assert!(!heard(3, &quorum));
    }
}
