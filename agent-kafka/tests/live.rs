//! The agent against real Kafka nodes: each numbered line of what it has to show is a test. `cargo live-test kafka` runs
//! them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "all of this is tests, also what is in no function with that attribute"
)]

#[path = "live/crash.rs"]
mod crash;
#[path = "live/drain.rs"]
mod drain;
#[path = "live/look.rs"]
mod look;
#[path = "live/membership.rs"]
mod membership;
#[path = "live/refusal.rs"]
mod refusal;
#[path = "live/replicas.rs"]
mod replicas;
#[path = "live/rig.rs"]
mod rig;
#[path = "live/secured.rs"]
mod secured;
#[path = "live/states.rs"]
mod states;
