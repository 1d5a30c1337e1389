//! Real Kafka nodes in `KRaft` mode: brokers, controllers or both, formatted or waiting to be.
//!
//! A [`Cluster`] is made by its [`Builder`]: how many nodes (`kafka-1`, `kafka-2`, …; the number is `node.id`), with which
//! [`Roles`], which of them are the first [`Voters`], which stay unformatted. A [`Node`] is used by number: started,
//! killed, paused, waited for. Everything on loopback and without a Kafka client: two requests of the protocol tell all
//! that waiting needs ([`Listening`]), and what a cluster is, Kafka's own [`Tools`] say.
//!
//! # How a node starts
//!
//! By its `start` script, whoever calls it: this crate, a person, or an agent that has just formatted the node. So a node
//! is no child of ours, and is found by what the script leaves on [record](crate::supervision::record) before it becomes
//! the server. Handing the start over to a process of the testbed's would have needed one that stays for as long as
//! somebody may want to start a node; a record needs nobody, serves `up` and `down` as it serves tests, and leaves no
//! gap either: a start that comes after the end of its cluster sees that and gives up.
//!
//! Listeners are plaintext, and those of a [secured](Builder::secured) cluster stay so for the nodes among themselves and
//! for the tools: what TLS and a login do to an agent shows at its own connections, beside these.

mod access;
mod builder;
mod cluster;
mod configuration;
mod error;
mod lifecycle;
mod load;
mod metrics;
mod node;
mod preparation;
mod quorum;
mod release;
mod scripts;
mod security;
mod tools;
mod topics;
mod wire;
mod worker;

pub use access::Resource;
pub use builder::{Builder, Voters};
pub use cluster::Cluster;
pub use configuration::Roles;
pub use error::Error;
pub use load::{Consumer, Producer};
pub use metrics::fetch_exporter;
pub use node::Node;
pub use quorum::{Quorum, Voter};
pub use release::Release;
pub use tools::Tools;
pub use topics::{Partition, Topic};
pub use wire::Listening;
