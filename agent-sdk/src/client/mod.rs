//! A client for agents, and the one way in which this crate sends HTTP requests.
//!
//! Two layers. [`Http`] sends one request and gives back one answer, whatever it says: the exporter of traces uses it as
//! it is. [`Client`] knows an agent's `/api/v1` and its types: the command line, the tests of vendors and the
//! demonstration use that.
//!
//! The HTTP stack underneath wants a thread of its own, so there is one behind every [`Http`], shared by its clones. It
//! sleeps while nothing is asked and ends with the last clone. Futures made here need no particular runtime; code that
//! has none at all waits with [`wait`].

mod agent;
mod answer;
#[cfg(test)]
pub(crate) mod canned;
mod error;
mod http;
#[cfg(test)]
mod tests;
mod wait;

pub use agent::{Client, Schedule};
pub use answer::{
    AbsentKind, AgentVersion, Amount, History, KindInfo, Kinds, NodeInfo, Page, PlanAnswer, Record, Scheduled,
    ShardInfo, ShardsInfo, StoreInfo, StoreVersion, Summary, Transition,
};
pub use error::{ClientError, Problem};
pub use http::{Answer, Http, Method, Request};
pub use wait::wait;
