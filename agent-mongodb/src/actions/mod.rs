//! What can be done to a set. Every action observes, decides by a pure function, makes its decision durable, applies it, and
//! is done when a reading says so.

mod add;
mod candidate;
mod configure;
mod init;
mod majority;
mod outcome;
mod reach;
mod remove;
mod step_down;
mod wishes;

pub use add::{Add, Added};
pub use configure::{Configure, ConfigureArgs, Configured};
pub use init::{Init, InitArgs, Initialised, Settings};
pub use remove::{Remove, RemoveArgs, Removed};
pub use step_down::{StepDown, StepDownArgs, SteppedDown};
pub use wishes::NewMember;
