//! Development only: starts real stores and clusters for tests, demonstrations and benchmarks.
//!
//! A test asks for a cluster and gets a guard: servers of a pinned version, each in a directory and on ports of its
//! own, that can be killed, paused, resumed and restarted by name. When the guard goes, they go; when the test's
//! process is killed, a [watchdog](supervision) ends them. When the test panics, their logs are shown and kept.
//!
//! ```no_run
//! use std::time::Duration;
//! use testbed::zookeeper::{Cluster, Release};
//!
//! # fn main() -> Result<(), testbed::zookeeper::Error> {
//! let cluster = Cluster::builder(3).release(Release::V3_9_5).start(Duration::from_secs(30))?;
//! cluster.server("zk-2")?.kill()?;
//! cluster.server("zk-2")?.start()?;
//! cluster.server("zk-2")?.wait_serving(Duration::from_secs(20))?;
//! # Ok(())
//! # }
//! ```
//!
//! [`zookeeper`], [`kafka`] and [`mongodb`] run servers; [`agent`] has what the tests of every agent on them share.
//!
//! Linux only: process identity is read from `/proc`. Needed to run servers, not to build: Java and Maven for ZooKeeper and
//! Kafka, Python with pip for MongoDB.

pub mod agent;
mod authority;
pub mod background;
pub mod demo;
pub mod download;
pub mod identity;
pub mod kafka;
pub mod mongodb;
pub mod poll;
pub mod ports;
pub mod program;
pub mod progress;
pub mod supervision;
pub mod zookeeper;
