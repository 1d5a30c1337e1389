//! Says whether an agent keeps the specification: any agent, in any language, over HTTP.
//!
//! A run first **gathers**: it asks each agent a fixed series of questions and keeps every exchange as it was. Then it
//! **judges**: each check is a pure function over what was gathered, so that a verdict depends on nothing but the answers,
//! and the same answers give the same verdict. One check speaks of both dialects, since answers are read into one model.
//!
//! Rooms, from the bottom up: [`client`] (one bounded exchange), [`model`] (what answers mean), [`dialect`] (where they
//! stand in either dialect), [`verdict`] (what follows from outcomes), [`gather`] (what is asked, by level), [`check`] (the
//! rules), [`manifest`] (the specification's sentences, mapped to the checks), [`report`] (how it is told), [`suite`] (one
//! run), [`cli`] (the program).

pub mod check;
pub mod cli;
pub mod client;
pub mod dialect;
pub mod gather;
pub mod manifest;
pub mod model;
pub mod report;
pub mod suite;
pub mod verdict;

pub use suite::{Settings, Suite};
