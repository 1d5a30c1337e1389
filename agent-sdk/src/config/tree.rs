//! A YAML document with the place of every value, so that errors can name it.
//!
//! The file is read into this form first and into its types afterwards. That way an environment variable can take the
//! place of any value, and an error that is found later still knows which line or variable the value came from.

use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};
use serde_saphyr::Spanned;

/// Where a value was written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// In the file, in this line, counted from 1.
    Line(u64),
    /// In this environment variable.
    Variable(Arc<str>),
    /// Nowhere: the configuration was made by a program, or lacks it altogether.
    Nowhere,
}

/// A value and its place.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    pub(super) content: Content,
    pub(super) origin: Origin,
}

/// What a value is. Scalars that are no text keep how they were written: a version `3.10` is a number only by accident.
#[derive(Debug, Clone)]
pub(super) enum Content {
    Null,
    Bool(bool),
    Number(Number, String),
    Text(String),
    List(Vec<Tree>),
    Map(Vec<Entry>),
}

/// A key with its place, and its value.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) origin: Origin,
    pub(super) tree: Tree,
}

/// A text that is no YAML.
#[derive(Debug)]
pub(super) struct Malformed {
    /// Line counted from 1; 0 when unknown.
    pub(super) line: u64,
    pub(super) detail: String,
}

impl Tree {
    /// Reads a document. `variable` names where it comes from, when that is not the file.
    pub(super) fn parse(text: &str, variable: Option<&Arc<str>>) -> Result<Self, Malformed> {
        let options = serde_saphyr::options! {
            // A configuration is small; what is larger is an attack or a mistake.
            budget: serde_saphyr::budget! { max_depth: 32, max_nodes: 20_000, max_aliases: 100 },
            // `no` is text, as it is in JSON.
            strict_booleans: true,
            // A line of the file may hold a secret.
            with_snippet: false,
        };
        let seen = serde_saphyr::from_str_with_options::<Spanned<Seen>>(text, options).map_err(|error| Malformed {
            line: error.location().map_or(0, |location| location.line()),
            detail: plain(&error.without_snippet().to_string()),
        })?;
        Ok(Self::located(seen, text, variable))
    }

    fn located(seen: Spanned<Seen>, text: &str, variable: Option<&Arc<str>>) -> Self {
        let origin = |location: serde_saphyr::Location| match variable {
            Some(variable) => Origin::Variable(Arc::clone(variable)),
            None => Origin::Line(location.line()),
        };
        let span = seen.defined.span();
        let written = || {
            let from = usize::try_from(span.byte_offset()?).ok()?;
            let to = from.checked_add(usize::try_from(span.byte_len()?).ok()?)?;
            text.get(from..to).map(|text| text.trim().to_owned())
        };
        let content = match seen.value {
            Seen::Null => Content::Null,
            Seen::Bool(value) => Content::Bool(value),
            Seen::Number(value) => {
                let written = written()
                    .filter(|text| !text.is_empty())
                    .unwrap_or_else(|| value.to_string());
                Content::Number(value, written)
            }
            Seen::Text(value) => Content::Text(value),
            Seen::List(items) => Content::List(
                items
                    .into_iter()
                    .map(|item| Self::located(item, text, variable))
                    .collect(),
            ),
            Seen::Map(entries) => Content::Map(
                entries
                    .into_iter()
                    .map(|(key, value)| Entry {
                        origin: origin(key.referenced),
                        key: key.value,
                        tree: Self::located(value, text, variable),
                    })
                    .collect(),
            ),
        };
        Self {
            content,
            origin: origin(seen.referenced),
        }
    }

    /// The value under a key, added as nothing when it is not there. `None` when this is no section.
    pub(super) fn entry(&mut self, key: &str, origin: &Origin) -> Option<&mut Tree> {
        if matches!(self.content, Content::Null) {
            self.content = Content::Map(Vec::new());
        }
        let Content::Map(entries) = &mut self.content else {
            return None;
        };
        let place = entries.iter().position(|entry| entry.key == key).unwrap_or_else(|| {
            let tree = Self {
                content: Content::Null,
                origin: origin.clone(),
            };
            entries.push(Entry {
                key: key.to_owned(),
                origin: origin.clone(),
                tree,
            });
            entries.len() - 1
        });
        entries.get_mut(place).map(|entry| &mut entry.tree)
    }

    /// The place of the value at a path of keys, or of the section that lacks it.
    pub(super) fn origin_of(&self, path: &str) -> Origin {
        let mut tree = self;
        for name in path.split('.').filter(|name| !name.is_empty()) {
            let next = match &tree.content {
                Content::Map(entries) => entries.iter().find(|entry| entry.key == name).map(|entry| &entry.tree),
                Content::List(items) => name.parse().ok().and_then(|index: usize| items.get(index)),
                _ => None,
            };
            match next {
                Some(next) => tree = next,
                None => break,
            }
        }
        tree.origin.clone()
    }

    /// The values alone.
    pub(super) fn to_value(&self) -> Value {
        match &self.content {
            Content::Null => Value::Null,
            Content::Bool(value) => Value::Bool(*value),
            Content::Number(value, _) => Value::Number(value.clone()),
            Content::Text(value) => Value::String(value.clone()),
            Content::List(items) => Value::Array(items.iter().map(Self::to_value).collect()),
            Content::Map(entries) => Value::Object(
                entries
                    .iter()
                    .map(|entry| (entry.key.clone(), entry.tree.to_value()))
                    .collect(),
            ),
        }
    }
}

/// The reader's words without its position, which is told apart, and without advice to programmers.
fn plain(detail: &str) -> String {
    let line = detail.lines().next().unwrap_or_default();
    let line = line.split(" at line ").next().unwrap_or_default();
    line.split(", set ").next().unwrap_or_default().to_owned()
}

/// What the YAML reader shows.
enum Seen {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Spanned<Seen>>),
    Map(Vec<(Spanned<String>, Spanned<Seen>)>),
}

impl<'de> Deserialize<'de> for Seen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SeenVisitor)
    }
}

struct SeenVisitor;

impl<'de> Visitor<'de> for SeenVisitor {
    type Value = Seen;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Seen, E> {
        Ok(Seen::Null)
    }

    fn visit_none<E>(self) -> Result<Seen, E> {
        Ok(Seen::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Seen, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Seen, E> {
        Ok(Seen::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Seen, E> {
        Ok(Seen::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Seen, E> {
        Ok(Seen::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Seen, E> {
        Ok(Number::from_f64(value).map_or_else(|| Seen::Text(value.to_string()), Seen::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Seen, E> {
        Ok(Seen::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Seen, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Seen::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Seen, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Seen::Map(map))
    }
}
