//! Real MongoDB servers: a replica set, nodes that wait to become one, or servers alone.
//!
//! A [`Cluster`] is made by its [`Builder`]: how many nodes (`mongo-1`, `mongo-2`, …), whether they form a
//! [set](Builder::initiated) from the beginning, which of them stay [outside](Builder::outside) of it, whether they are
//! [secured](Builder::secured). A [`Node`] is used by number: started, killed, paused, waited for, and asked by
//! [`Node::command`], which speaks to that very node and no other. Everything on loopback, with MongoDB's defaults for
//! all that a set does among its members: an election after a loss takes its ten seconds.
//!
//! Nodes start as Kafka's do ([there](crate::kafka) is why): by a `start` script, whoever calls it, that leaves a
//! [record](crate::supervision::record).
//!
//! The servers are MongoDB's own builds, out of wheels of the Python Package Index: x86-64 only, and they need `libcurl.so.4`
//! and `liblzma.so.5` from the system (on Debian: apt-get install libcurl4 liblzma5).

mod arguments;
mod builder;
mod client;
mod cluster;
mod command;
mod error;
mod lifecycle;
mod node;
mod preparation;
mod release;
mod security;
mod set;

pub use ::mongodb::bson;

pub use builder::Builder;
pub use client::run;
pub use cluster::Cluster;
pub use error::Error;
pub use node::Node;
pub use release::{Release, Server};
