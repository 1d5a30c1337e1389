//! What a run has found, told to people and to programs.
//!
//! Every format tells the same, and in none does a text that an agent has sent mean anything but itself: it is no markup, no
//! section's end, and nothing that a terminal obeys.

mod baseline;
mod html;
mod json;
mod junit;
pub mod layout;
mod nearest;
#[cfg(test)]
pub(crate) mod sample;
mod tally;
mod text;
mod visible;

pub use baseline::{Baseline, BaselineError};
pub use html::html;
pub use json::{json, schema};
pub use junit::junit;
pub use nearest::nearest;
pub use tally::{Standing, seconds, tally};
pub use text::text;
pub use visible::visible;
