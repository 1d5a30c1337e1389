//! The configuration's JSON Schema, and looking things up in it.
//!
//! The schema is the one place that knows a key's meaning, default and range: errors, `config example` and `config
//! schema` all read it here.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value};

use super::Config;

/// The JSON Schema of an agent's configuration, the store's section included.
pub fn schema<S: JsonSchema>() -> Schema {
    SchemaGenerator::default().into_root_schema_for::<Config<S>>()
}

/// A place in a schema, references followed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    root: &'a Value,
    /// The schema as it stands at the key: its description and default are about this very key.
    node: &'a Value,
}

impl<'a> Place<'a> {
    pub(super) const fn root(root: &'a Value) -> Self {
        Self { root, node: root }
    }

    /// The schema of a key, or of an item.
    pub(super) fn child(self, key: &str) -> Option<Self> {
        let target = self.target();
        let found = target.get("properties").and_then(|properties| properties.get(key));
        let found = found.or_else(|| target.get("additionalProperties"));
        let item = || key.parse::<usize>().ok().and_then(|_| target.get("items"));
        found
            .or_else(item)
            .filter(|node| node.is_object())
            .map(|node| Self { node, ..self })
    }

    /// The schema at a path of keys.
    pub(super) fn at(self, path: &str) -> Option<Self> {
        path.split('.')
            .filter(|key| !key.is_empty())
            .try_fold(self, Self::child)
    }

    /// Keys with their schemas, in the order of the type's fields.
    pub(super) fn properties(self) -> impl Iterator<Item = (&'a str, Self)> {
        let properties = self.target().get("properties").and_then(Value::as_object);
        properties
            .into_iter()
            .flat_map(Map::iter)
            .map(move |(key, node)| (key.as_str(), Self { node, ..self }))
    }

    /// Whether a key has to be given.
    pub(super) fn requires(self, key: &str) -> bool {
        let required = self.target().get("required").and_then(Value::as_array);
        required.is_some_and(|required| required.iter().any(|name| name == key))
    }

    /// A keyword of the key itself, else of the type.
    pub(super) fn keyword(self, word: &str) -> Option<&'a Value> {
        self.node.get(word).or_else(|| self.target().get(word))
    }

    /// What the key means.
    pub(super) fn description(self) -> Option<&'a str> {
        self.keyword("description").and_then(Value::as_str)
    }

    /// The values that are allowed, where they can be listed, with what they mean.
    pub(super) fn choices(self) -> Vec<(&'a str, Option<&'a str>)> {
        let target = self.target();
        if let Some(names) = target.get("enum").and_then(Value::as_array) {
            return names
                .iter()
                .filter_map(Value::as_str)
                .map(|name| (name, None))
                .collect();
        }
        let variants = target.get("oneOf").and_then(Value::as_array).into_iter().flatten();
        variants
            .flat_map(|variant| {
                let about = variant.get("description").and_then(Value::as_str);
                let one = variant.get("const").and_then(Value::as_str);
                let several = variant.get("enum").and_then(Value::as_array).into_iter().flatten();
                one.into_iter()
                    .chain(several.filter_map(Value::as_str))
                    .map(move |name| (name, about))
            })
            .collect()
    }

    /// Whether the type is, or may be, this one of JSON's.
    pub(super) fn is(self, name: &str) -> bool {
        match self.target().get("type") {
            Some(Value::String(one)) => one == name,
            Some(Value::Array(several)) => several.iter().any(|one| one == name),
            _ => false,
        }
    }

    /// The type's own schema: behind references, and behind "or null".
    fn target(self) -> &'a Value {
        let mut node = self.node;
        // A chain of references is short; a circle is cut.
        for _ in 0..8 {
            let next = match (
                node.get("$ref").and_then(Value::as_str),
                node.get("anyOf").and_then(Value::as_array),
            ) {
                (Some(reference), _) => reference
                    .strip_prefix('#')
                    .and_then(|pointer| self.root.pointer(pointer)),
                (None, Some(options)) => options
                    .iter()
                    .find(|option| option.get("type").is_none_or(|name| name != "null")),
                (None, None) => None,
            };
            match next {
                Some(next) => node = next,
                None => break,
            }
        }
        node
    }
}

/// The first number in `value` that is out of the range which a schema gives it: its path, and what would be right.
pub(crate) fn first_out_of_range(schema: &Schema, value: &Value) -> Option<(String, String)> {
    out_of_range(Place::root(schema.as_value()), value).into_iter().next()
}

/// Numbers in `value` that are out of their range, by path.
pub(super) fn out_of_range(place: Place<'_>, value: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    walk(place, value, "", &mut found);
    found
}

fn walk(place: Place<'_>, value: &Value, path: &str, found: &mut Vec<(String, String)>) {
    let join = |key: &str| {
        if path.is_empty() {
            key.to_owned()
        } else {
            format!("{path}.{key}")
        }
    };
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                if let Some(child) = place.child(key) {
                    walk(child, value, &join(key), found);
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let key = index.to_string();
                if let Some(child) = place.child(&key) {
                    walk(child, item, &join(&key), found);
                }
            }
        }
        Value::Number(number) => {
            let bound = |word| place.keyword(word).and_then(Value::as_f64);
            let (least, most, is) = (bound("minimum"), bound("maximum"), number.as_f64());
            let low = least.zip(is).is_some_and(|(least, is)| is < least);
            let high = most.zip(is).is_some_and(|(most, is)| is > most);
            if low || high {
                let range = match (least, most) {
                    (Some(least), Some(most)) => format!("it must be {least} to {most}"),
                    (Some(least), None) => format!("it must be at least {least}"),
                    (None, Some(most)) => format!("it must be at most {most}"),
                    (None, None) => String::new(),
                };
                found.push((path.to_owned(), range));
            }
        }
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}
