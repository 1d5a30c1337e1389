//! Agent that runs beside a ZooKeeper server (3.8, 3.9).
//!
//! Reading and deciding live in different files: [`words`] and [`session`] ask the server, [`srvr`], [`ensemble`] and
//! [`member`] read what it says, [`node`] decides what it is, and [`store`] puts these together as the node that the
//! framework shows. [`actions`] change the ensemble, each by observing, deciding, applying and confirming.

pub mod address;
pub mod client;
pub mod config;
pub mod ensemble;
pub mod member;
pub mod node;
pub mod session;
pub mod srvr;
pub mod words;
