//! An agent that is wrong on demand, and right unless told otherwise.
//!
//! It shares nothing with what it tries: neither the suite's models nor `agent-sdk`. [`Agent::start`] serves both dialects
//! over an invented node that is well; each [`Fault`] breaks one rule. [`hostile`] has servers that are no agents at all,
//! [`front`] what may stand before one, and [`child`] runs the agent as a process that can be killed.

mod agent;
mod answer;
mod bend;
pub mod book;
mod calls;
pub mod child;
mod draft;
mod durable;
mod fault;
pub mod front;
pub mod hostile;
mod info;
mod json;
mod kinds;
mod lawful;
mod lists;
mod oddity;
mod openapi;
mod options;
mod preconditions;
mod records;
mod routes;
mod runner;
mod schedule;
mod serve;
#[cfg(test)]
mod tests;

pub use agent::Agent;
pub use fault::Fault;
pub use oddity::Oddity;
pub use options::{Options, Role};
