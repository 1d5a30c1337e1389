//! Real ZooKeeper servers, alone, as an ensemble, or waiting outside one.
//!
//! A [`Cluster`] is made by its [`Builder`]: how many servers (`zk-1`, `zk-2`, …; the number is the server's id), in which
//! [`Layout`], with which switches. A [`Server`] is used by name: started, killed, paused, asked. Everything on
//! loopback; nothing here needs a ZooKeeper client, for [`four_letter`] words tell all that waiting needs.

mod builder;
mod cluster;
mod configuration;
mod error;
mod four_letter;
mod lifecycle;
mod release;
mod server;

pub use builder::{Builder, Layout};
pub use cluster::Cluster;
pub use error::Error;
pub use four_letter::{LARGEST_ANSWER, Srvr, four_letter};
pub use release::Release;
pub use server::Server;
