//! Taking an answer's JSON apart, each misfit kept with its place.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::client::trimmed;
use crate::model::{Field, Misfit, State};

/// What is kept of the misfits of one answer that break the same rule.
const MOST: usize = 16;

/// What is found on the way through one answer.
#[derive(Debug, Default)]
pub(super) struct Misfits {
    pub(super) found: Vec<Misfit>,
    known: BTreeMap<&'static str, usize>,
}

/// An object of an answer, with its place.
#[derive(Clone, Copy)]
pub(super) struct Object<'a> {
    map: &'a Map<String, Value>,
    at: &'a str,
}

impl Misfits {
    pub(super) fn add(&mut self, check: &'static str, at: String, expected: &str, got: Option<&Value>) {
        let known = self.known.entry(check).or_default();
        *known += 1;
        if *known > MOST {
            return;
        }
        self.found.push(Misfit {
            check,
            at,
            expected: expected.to_owned(),
            got: got.map_or_else(|| "nothing".to_owned(), |value| trimmed(&value.to_string(), 120)),
        });
    }

    /// An object; none, with a misfit, for anything else.
    pub(super) fn object<'a>(&mut self, check: &'static str, at: &'a str, value: &'a Value) -> Option<Object<'a>> {
        match value {
            Value::Object(map) => Some(Object { map, at }),
            other => {
                self.add(check, at.to_owned(), "an object", Some(other));
                None
            }
        }
    }
}

/// What may stand for a value that is not there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Absent {
    /// Nothing: it has to be there.
    Never,
    /// Null.
    Null,
}

impl<'a> Object<'a> {
    pub(super) fn place(&self, key: &str) -> String {
        format!("{}/{}", self.at, key.replace('~', "~0").replace('/', "~1"))
    }

    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key)
    }

    /// A field, read by `read`; `check` is whose rule a misfit breaks, `wire` that of a key that is not there.
    pub(super) fn field<T>(
        &self,
        misfits: &mut Misfits,
        (key, check): (&str, &'static str),
        expected: &str,
        absent: Absent,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Field<T> {
        match self.get(key) {
            None => {
                misfits.add(check, self.place(key), expected, None);
                Field::Missing
            }
            Some(Value::Null) if absent == Absent::Null => Field::Null,
            Some(value) => read(value).map_or_else(
                || {
                    misfits.add(check, self.place(key), expected, Some(value));
                    Field::Wrong
                },
                Field::Value,
            ),
        }
    }

    /// Whatever stands there; only its key has to.
    pub(super) fn any(&self, misfits: &mut Misfits, field: (&str, &'static str)) -> Field<Value> {
        self.field(misfits, field, "any value", Absent::Null, |value| Some(value.clone()))
    }

    pub(super) fn text(&self, misfits: &mut Misfits, field: (&str, &'static str), absent: Absent) -> Field<String> {
        self.field(misfits, field, "a string", absent, text)
    }

    /// A string that says something.
    pub(super) fn words(&self, misfits: &mut Misfits, field: (&str, &'static str), absent: Absent) -> Field<String> {
        let said = |value| text(value).filter(|text| !text.is_empty());
        self.field(misfits, field, "a string that is not empty", absent, said)
    }

    pub(super) fn map(&self, misfits: &mut Misfits, field: (&str, &'static str)) -> Field<BTreeMap<String, Value>> {
        self.field(misfits, field, "an object", Absent::Never, |value| {
            let map = value.as_object()?;
            Some(map.iter().map(|(name, value)| (name.clone(), value.clone())).collect())
        })
    }

    /// A list, each of whose entries is read by `read`; entries that are no objects are left out, with a misfit.
    pub(super) fn list<T>(
        &self,
        misfits: &mut Misfits,
        (key, check): (&str, &'static str),
        mut read: impl FnMut(&mut Misfits, Object<'_>) -> T,
    ) -> Field<Vec<T>> {
        let entries = self.field(misfits, (key, check), "a list", Absent::Never, |value| value.as_array());
        match entries {
            Field::Value(entries) => {
                let mut found = Vec::with_capacity(entries.len());
                for (index, entry) in entries.iter().enumerate() {
                    let at = format!("{}/{index}", self.place(key));
                    if let Some(object) = misfits.object(check, &at, entry) {
                        found.push(read(misfits, object));
                    }
                }
                Field::Value(found)
            }
            Field::Null => Field::Null,
            Field::Missing => Field::Missing,
            Field::Wrong => Field::Wrong,
        }
    }
}

/// A whole number of 64 bits with its sign, however it is written: 7, 7.0 and 7e0 are one number.
pub(crate) fn integer(value: &Value) -> Option<i64> {
    let by_value = || {
        let number = value.as_f64().filter(|number| number.fract() == 0.0)?;
        format!("{number:.0}").parse().ok()
    };
    value.as_i64().or_else(by_value)
}

/// A whole number without a sign.
pub(super) fn count(value: &Value) -> Option<u64> {
    integer(value).and_then(|number| u64::try_from(number).ok())
}

/// Whose rule is broken by a time of the end that is not there: the specification asks for it of what has ended alone.
pub(super) fn end_of(state: &Field<State>) -> &'static str {
    match state.value() {
        Some(state) if state.is_final() => "record.finished_ts",
        _ => "wire.record",
    }
}

pub(super) fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// One of the names of a list.
pub(super) fn one_of<T: Copy>(names: &[(&str, T)], value: &Value) -> Option<T> {
    let name = value.as_str()?;
    names.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}

/// Strings by name.
pub(super) fn strings(value: &Value) -> Option<BTreeMap<String, String>> {
    let map = value.as_object()?;
    map.iter()
        .map(|(name, value)| Some((name.clone(), text(value)?)))
        .collect()
}

/// Values by name, texts as they are and all others as JSON.
pub(super) fn named(value: &Value) -> Option<BTreeMap<String, String>> {
    let map = value.as_object()?;
    let told = |value: &Value| text(value).unwrap_or_else(|| value.to_string());
    Some(map.iter().map(|(name, value)| (name.clone(), told(value))).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::{from_str, json};

    use super::*;

    #[test]
    fn a_number_is_what_it_is_worth_however_it_is_written() {
        let read = |text| integer(&from_str(text).unwrap());
        for (text, number) in [("7", 7), ("7.0", 7), ("7e0", 7), ("-0", 0), ("-1.0", -1)] {
            assert_eq!(read(text), Some(number), "{text}");
        }
        assert_eq!(read("-9223372036854775808"), Some(i64::MIN));
        for text in ["7.5", "9223372036854775808", "1e300", "\"7\"", "null"] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!((count(&json!(4.0)), count(&json!(-1))), (Some(4), None));
    }
}
