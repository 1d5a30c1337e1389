//! The suite, tried on agents that are wrong on demand.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    unreachable_pub,
    reason = "a test: a panic is its verdict, and nothing is public beyond it"
)]

mod cut;
mod damage;
mod mutant;
mod mutants;
mod oddities;
mod repeated;
mod robust;
