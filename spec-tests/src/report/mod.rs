//! What a run has found, told to people and to programs.

mod text;

pub use text::text;
