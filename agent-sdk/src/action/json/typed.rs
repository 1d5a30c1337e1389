//! From text to a type, with the place of what does not fit.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde_ignored::Path as Ignored;
use serde_path_to_error::{Path, Segment};

use super::pointer::{push_index, push_key};

/// What becomes of keys that the type does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// The text is refused.
    Refused,
    /// They are passed over.
    Ignored,
}

/// Why a body does not fit its type.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Misfit {
    /// A value of another type; the JSON pointer and what is wrong.
    Value(String, String),
    /// A key that nobody knows, by its JSON pointer.
    Key(String),
}

/// Reads JSON text.
pub(crate) fn read<T: DeserializeOwned>(text: &str, unknown: Unknown) -> Result<T, Misfit> {
    let mut json = serde_json::Deserializer::from_str(text);
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut json, &mut track);
    let mut stranger = None;
    let parsed = match unknown {
        Unknown::Ignored => T::deserialize(tracked),
        Unknown::Refused => serde_ignored::deserialize(tracked, |path| {
            stranger.get_or_insert_with(|| {
                let mut pointer = String::new();
                ignored(&path, &mut pointer);
                pointer
            });
        }),
    };
    let value = parsed.map_err(|error| Misfit::Value(pointer(&track.path()), words(&error)))?;
    stranger.map_or(Ok(value), |pointer| Err(Misfit::Key(pointer)))
}

/// Reads a struct from an object, and from an object only: serde would also take a list of its fields in their order.
/// For `#[serde(deserialize_with)]`; null is none.
pub(crate) fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(json: D) -> Result<Option<T>, D::Error> {
    Ok(Option::<Object<T>>::deserialize(json)?.map(|Object(value)| value))
}

struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_map(ObjectVisitor(PhantomData)).map(Self)
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(members))
    }
}

fn pointer(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => push_index(&mut pointer, *index),
            Segment::Map { key } => push_key(&mut pointer, key),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

fn ignored(path: &Ignored<'_>, pointer: &mut String) {
    match path {
        Ignored::Root => {}
        Ignored::Seq { parent, index } => {
            ignored(parent, pointer);
            push_index(pointer, *index);
        }
        Ignored::Map { parent, key } => {
            ignored(parent, pointer);
            push_key(pointer, key);
        }
        Ignored::Some { parent } | Ignored::NewtypeStruct { parent } | Ignored::NewtypeVariant { parent } => {
            ignored(parent, pointer);
        }
    }
}

/// The error without line and column: the field says the place.
fn words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
}
