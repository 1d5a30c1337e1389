//! The program as people and CI systems meet it: what it prints, where, and how it ends.

mod agent;
mod baseline;
mod exits;
mod program;
mod reports;
mod secrets;
mod signals;
