//! Assembly: what a vendor hands in, the order in which an agent starts, and how it stops.
//!
//! A vendor's program is about ten lines: [`Agent`] takes the node and the actions, the crate does the rest.
//! Whatever is wrong with what was handed in is a start-up error that says so, never a panic.

mod build;
mod check;
mod program;
mod serve;
mod signals;
mod token;

pub use build::{About, Agent};
pub use program::main;
pub(crate) use serve::{Outcome, Ready, Setup, StartError, serve};
