//! Agents in tests on real stores: as a process that can be killed, or inside the test, and the questions that tests ask.
//!
//! A [`Program`] is an agent's program as a process of its own, for tests that need its end to be a real one. [`start`] runs
//! an agent inside the test, as most tests want it. What the tests of every agent do with one stands here once: they
//! [wait](until) for what it [shows](await_state), [run](fn@run) actions to their [end](done), and hold it to its
//! [deadlines](all_in_time).
//!
//! # Panics
//! All but [`Program`] are assertions: they panic, at the line that called them, where an `Err` could only be unwrapped.

mod action;
mod look;
mod program;
mod promptness;

use std::time::Duration;

pub use action::{
    ADD, INIT, JOIN, REMOVE, by_member_address, done, failed, killed_at_each_step, perform, run, run_within,
};
pub use look::{attribute, await_state, node, only_shard, shard, shards, start, until};
pub use program::{Error, Program};
pub use promptness::{IN_TIME, all_in_time};

/// For whatever is waited for: a cluster that starts, a node that comes back, an action that ends. A busy machine needs a
/// part of it, what never comes all of it.
pub const UP: Duration = Duration::from_secs(120);
