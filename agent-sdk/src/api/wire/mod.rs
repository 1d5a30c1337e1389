//! The wire, byte for byte: a real server on a free port, asked over plain sockets, its answers compared with files.
//!
//! A [`stage::Stage`] is a whole agent in the test's process with a store that does as it is told. [`talk`] speaks HTTP
//! without any help that could mend a fault. A [`golden::Transcript`] writes down what was asked and answered, with
//! nothing taken out but what changes from run to run, and checks every answer against the `OpenAPI` document that the
//! same server gives out.

mod access;
mod actions;
mod bodies;
mod golden;
mod info;
mod kinds;
mod routes;
mod schemas;
mod sockets;
mod stage;
mod talk;
