//! Agent that runs beside a mongod of a replica set (4.4, 5.0, 6.0).
//!
//! Asking and deciding live in different files. [`client`] brings commands to a server and answers back; [`ask`] holds the
//! questions, each with what its answer means. [`node`] and [`shards`] decide what the mongod is from what was seen of it,
//! and are pure. [`sight`] looks, and [`store`] puts it all together as the node that the framework shows. [`actions`] change
//! the set, each by observing, deciding, applying and confirming.

pub mod actions;
pub mod ask;
mod attributes;
pub mod client;
pub mod code;
pub mod config;
pub mod node;
pub mod shards;
pub mod sight;
pub mod store;

pub use store::agent;
