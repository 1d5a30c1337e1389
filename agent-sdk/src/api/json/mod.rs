//! JSON as it comes from a client that may be careless or hostile.
//!
//! What serde alone would let pass silently is refused here first, and by its place: a key given twice (of which one
//! would win), numbers that are no numbers, text that is no text, nesting that only serves to exhaust somebody's stack.
//! After [`check`], `serde_json` reads the very same text into types. The text itself is kept, so no number changes.

mod lexer;
mod pointer;
mod same;
mod strict;
mod typed;

pub(super) use pointer::push_key;
pub(super) use same::same;
pub(super) use strict::{Fault, check};
pub(super) use typed::{Misfit, Unknown, object, read};

#[cfg(test)]
mod tests;
