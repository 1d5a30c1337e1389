//! Framework for agents that run beside the nodes of a data store.
//!
//! An agent shows one node through one HTTP interface and runs actions on it: one at a time, in the order of acceptance,
//! durable across crashes. A vendor implements [`datastore::DataStore`] for the node and [`action::Action`] (or
//! [`action::Converge`]) for each action; [`main`] is the rest of the program.

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

pub use agent::main;
