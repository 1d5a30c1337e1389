//! JSON as it comes from a client that may be careless or hostile.
//!
//! What serde alone would let pass silently is refused here first, and by its place: a key given twice (of which one
//! would win), numbers that are no numbers, text that is no text, nesting that only serves to exhaust somebody's stack.
//! After [`check`], `serde_json` reads the very same text into types. The text itself is kept, so no number changes.

mod lexer;
mod same;
mod strict;

pub(super) use crate::action::json::{Misfit, Unknown, object, push_key, read};
pub(super) use same::same;
pub(super) use strict::{Fault, check};

#[cfg(test)]
mod tests;
