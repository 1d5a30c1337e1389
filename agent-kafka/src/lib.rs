//! Agent that runs beside a Kafka process (`KRaft`; 3.9 and 4.x).
//!
//! Asking and deciding live in different files. [`client`] brings requests to a listener and answers back; [`ask`] holds
//! the questions, each with what its answer means; [`storage`], [`version`] and [`lag`] know what the protocol does not
//! tell. [`node`] and [`shards`] decide what the process is from what was seen of it, and are pure. [`sight`] looks, and
//! [`store`] puts it all together as the node that the framework shows. [`actions`] change the cluster, each by observing,
//! deciding, applying and confirming.

pub mod actions;
pub mod ask;
mod attributes;
pub mod client;
pub mod command;
pub mod config;
pub mod lag;
pub mod node;
pub mod shards;
pub mod sight;
pub mod storage;
pub mod store;
pub mod version;

pub use store::agent;
