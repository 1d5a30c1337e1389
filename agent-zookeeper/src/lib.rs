//! Agent that runs beside a ZooKeeper server (3.8, 3.9).
//!
//! Reading and deciding live in different files: [`words`] and [`session`] ask the server, [`srvr`], [`ensemble`] and
//! [`member`] read what it says, [`node`] decides what it is, and [`store`] puts these together as the node that the
//! framework shows. [`actions`] change the ensemble, each by observing, deciding, applying and confirming; [`reach`]
//! finds them a session with a quorum, and [`reconfig`] tells what an answer of the server calls for.

pub mod actions;
mod admin;
mod attributes;
pub mod client;
pub mod config;
pub mod ensemble;
#[cfg(test)]
mod fake;
mod identity;
pub mod member;
pub mod node;
pub mod reach;
pub mod reconfig;
mod relay;
pub mod session;
pub mod srvr;
pub mod store;
pub mod words;

pub use store::agent;
