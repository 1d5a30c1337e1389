//! The agent beside real servers.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's helpers are tests, too")]

#[path = "live/costs.rs"]
mod costs;
#[path = "live/crash.rs"]
mod crash;
#[path = "live/failover.rs"]
mod failover;
#[path = "live/membership.rs"]
mod membership;
#[path = "live/refusal.rs"]
mod refusal;
#[path = "live/rig.rs"]
mod rig;
#[path = "live/secured.rs"]
mod secured;
#[path = "live/states.rs"]
mod states;
