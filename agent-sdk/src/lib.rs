//! Framework for agents that run beside the nodes of a data store.

pub mod action;
pub mod agent;
pub mod api;
pub mod cli;
pub mod client;
pub mod config;
pub mod datastore;
pub mod ledger;
mod runner;
pub mod spec;
pub mod telemetry;
pub mod testing;
