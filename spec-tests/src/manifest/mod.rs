//! The specification's sentences, each with the checks that hold it, or the reason why none can.

mod sentences;
mod words;

pub use sentences::{BEFORE_HEADINGS, Sentence, sentences};

/// Where in the specification the rule of a check stands.
pub fn places_of(_check: &str) -> Vec<&'static str> {
    Vec::new()
}
