//! The agent against real ZooKeeper servers: each numbered line of what it has to show is a test, and plans are asked in
//! each situation. `cargo live-test zookeeper` runs them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "all of this is tests, also what is in no function with that attribute"
)]

#[path = "live/authority.rs"]
mod authority;
#[path = "live/crash.rs"]
mod crash;
#[path = "live/dialect.rs"]
mod dialect;
#[path = "live/failure.rs"]
mod failure;
#[path = "live/flood.rs"]
mod flood;
#[path = "live/foreseen.rs"]
mod foreseen;
#[path = "live/identity.rs"]
mod identity;
#[path = "live/idle.rs"]
mod idle;
#[path = "live/impostor.rs"]
mod impostor;
#[path = "live/ipv6.rs"]
mod ipv6;
#[path = "live/lost.rs"]
mod lost;
#[path = "live/membership.rs"]
mod membership;
#[path = "live/permission.rs"]
mod permission;
#[path = "live/plans.rs"]
mod plans;
#[path = "live/proxy.rs"]
mod proxy;
#[path = "live/removal.rs"]
mod removal;
#[path = "live/rig.rs"]
mod rig;
#[path = "live/superuser.rs"]
mod superuser;
