//! The questions that a mongod is asked, each with what its answer means.

pub mod build;
pub mod hello;
pub mod server;
pub mod set;
pub mod status;

pub use hello::{Hello, Kind};
pub use set::SetConfig;
pub use status::{MemberState, SetStatus};
