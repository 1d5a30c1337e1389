//! HTTP: one service, two dialects of it, and who may use it.
//!
//! `Service` is what the agent does for its clients, without HTTP. The dialects `v1` and `unstable` are thin views
//! over it: each brings its rows for the one table of routes (`route`), the types that it writes and reads, and nothing
//! else; a handler never knows who else asks. `serve` is the way that every request goes: host, route, credentials,
//! body, handler. Whatever fails is a problem document with a stable code, on every path.
//!
//! The room knows nothing of SQL or of any store; it asks the [`Observer`](crate::datastore::Observer) and the
//! [`Ledger`](crate::ledger::Ledger). More kinds of credentials have their place in `access`, TLS in `server`.

mod access;
mod answer;
mod body;
mod call;
mod host;
mod json;
mod openapi;
mod pieces;
mod plain;
mod plan;
mod problem;
mod route;
mod schedule;
mod serve;
mod server;
mod service;
mod shared;
mod unstable;
mod v1;
mod views;
#[cfg(test)]
mod wire;

pub use access::{Role, Tokens};
pub use problem::Code;
pub use server::Server;
pub use service::Parts;
