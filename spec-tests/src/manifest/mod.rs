//! The specification's sentences, each with the checks that hold it, or the reason why none can.

/// Where in the specification the rule of a check stands.
pub fn places_of(_check: &str) -> Vec<&'static str> {
    Vec::new()
}
