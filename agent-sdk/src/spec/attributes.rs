//! The two maps of a node's custom attributes (Attributes → Node Attributes Maps).

use std::collections::BTreeMap;

use serde_json::Value;
use thiserror::Error;

/// Which of a node's two attribute maps is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Map {
    /// Known without the store's process.
    Node,
    /// Known only while the store's process runs.
    Store,
}

/// Names with a scope (`example.org/rack`) and their scalar values.
///
/// A vendor fills it freely; what the specification does not allow is taken out by [`Attributes::retain_lawful`] before
/// anybody sees it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Attributes(BTreeMap<String, Value>);

/// Why an attribute cannot be shown.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum AttributeError {
    /// The name has no scope before a `/`.
    #[error("its name has no scope, such as example.org/name")]
    Unscoped,
    /// The scope belongs to the specification.
    #[error("its scope is reserved for the specification")]
    Reserved,
    /// The value is a list or a map.
    #[error("its value is neither text, number, boolean nor null")]
    NotScalar,
}

impl Attributes {
    /// An empty map.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// The same map with one attribute more; a name given twice keeps its last value.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.insert(name, value);
        self
    }

    /// Adds one attribute; a name given twice keeps its last value.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.0.insert(name.into(), value.into());
    }

    /// Adds an attribute that may not be known; when it is not, it is left out with a log line.
    pub fn insert_known<V: Into<Value>, E: std::fmt::Display>(&mut self, name: &str, value: Result<V, E>) {
        match value {
            Ok(value) => self.insert(name, value),
            Err(error) => tracing::warn!(attribute = name, %error, "attribute left out: it cannot be read"),
        }
    }

    /// Takes out what the specification does not allow and returns it with the reasons.
    pub fn retain_lawful(&mut self) -> Vec<(String, AttributeError)> {
        let mut dropped = Vec::new();
        self.0.retain(|name, value| match lawful(name, value) {
            Ok(()) => true,
            Err(reason) => {
                dropped.push((name.clone(), reason));
                false
            }
        });
        dropped
    }

    /// Attributes by name, in the names' order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The value of one attribute.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Extend<(String, Value)> for Attributes {
    fn extend<I: IntoIterator<Item = (String, Value)>>(&mut self, attributes: I) {
        self.0.extend(attributes);
    }
}

/// The one name under the reserved scope that agents may set: where in the infrastructure the node is.
const ZONE: &str = "replicante.io/zone";

fn lawful(name: &str, value: &Value) -> Result<(), AttributeError> {
    let (scope, rest) = name.split_once('/').ok_or(AttributeError::Unscoped)?;
    if scope.is_empty() || rest.is_empty() {
        return Err(AttributeError::Unscoped);
    }
    if name != ZONE && super::kind::is_reserved(scope) {
        return Err(AttributeError::Reserved);
    }
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
        Value::Array(_) | Value::Object(_) => Err(AttributeError::NotScalar),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_scoped_scalars_outside_the_reserved_scope_stay() {
        let mut attributes = Attributes::new()
            .with("example.org/rack", "r1")
            .with("example.org/none", Value::Null)
            .with("replicante.io/zone", "a")
            .with("replicante.io/other", "b")
            .with("sub.replicante.io/x", 1)
            .with("plain", true)
            .with("/name", 1)
            .with("example.org/list", json!([1]));
        let dropped: Vec<_> = attributes.retain_lawful();
        let names: Vec<_> = attributes.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["example.org/none", "example.org/rack", "replicante.io/zone"]);
        assert_eq!(dropped.len(), 5);
        assert!(dropped.contains(&("example.org/list".into(), AttributeError::NotScalar)));
        assert!(dropped.contains(&("replicante.io/other".into(), AttributeError::Reserved)));
        assert!(dropped.contains(&("plain".into(), AttributeError::Unscoped)));
    }
}
