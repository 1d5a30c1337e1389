//! The program as people and CI systems meet it: what it prints, where, and how it ends.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test's helpers are tests, too"
)]

mod agent;
mod baseline;
mod exits;
mod ids;
mod library;
mod memory;
mod program;
mod reports;
mod secrets;
mod signals;
