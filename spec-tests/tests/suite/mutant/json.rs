//! JSON that means one thing only: no key twice, no deeper than 128, and every part with its own text.

use std::collections::HashSet;

/// How many lists and objects may be inside each other.
const DEEPEST: usize = 128;

/// A value with the text that it was written as.
#[derive(Debug)]
pub struct Json<'a> {
    pub raw: &'a str,
    pub what: What<'a>,
}

#[derive(Debug)]
pub enum What<'a> {
    Null,
    Bool(bool),
    Number(&'a str),
    Text(String),
    List(Vec<Json<'a>>),
    Object(Vec<(String, Json<'a>)>),
}

/// What is wrong with a text; the place is a JSON pointer.
#[derive(Debug, PartialEq, Eq)]
pub enum Wrong {
    Malformed,
    TooDeep,
    Twice(String),
    OutOfRange(String),
}

impl<'a> Json<'a> {
    /// Reads a whole text.
    pub fn read(text: &'a str) -> Result<Self, Wrong> {
        let mut reader = Reader {
            text,
            at: 0,
            place: Vec::new(),
        };
        let value = reader.value(0)?;
        reader.space();
        if reader.at == text.len() {
            Ok(value)
        } else {
            Err(Wrong::Malformed)
        }
    }

    pub fn get(&self, key: &str) -> Option<&Self> {
        match &self.what {
            What::Object(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    pub const fn is_null(&self) -> bool {
        matches!(self.what, What::Null)
    }

    pub fn text(&self) -> Option<&str> {
        match &self.what {
            What::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether two mean the same: keys in any order, numbers as text.
    pub fn same(&self, other: &Self) -> bool {
        match (&self.what, &other.what) {
            (What::Null, What::Null) => true,
            (What::Bool(one), What::Bool(two)) => one == two,
            (What::Number(one), What::Number(two)) => one == two,
            (What::Text(one), What::Text(two)) => one == two,
            (What::List(one), What::List(two)) => {
                one.len() == two.len() && one.iter().zip(two).all(|(one, two)| one.same(two))
            }
            (What::Object(one), What::Object(two)) => {
                let found = |(key, value): &(String, Self)| other.get(key).is_some_and(|theirs| value.same(theirs));
                one.len() == two.len() && one.iter().all(found)
            }
            _ => false,
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    place: Vec<String>,
}

impl<'a> Reader<'a> {
    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        self.space();
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn need(&mut self, byte: u8) -> Result<(), Wrong> {
        if self.take(byte) { Ok(()) } else { Err(Wrong::Malformed) }
    }

    fn here(&self) -> String {
        let escaped = self
            .place
            .iter()
            .map(|step| format!("/{}", step.replace('~', "~0").replace('/', "~1")));
        escaped.collect()
    }

    fn value(&mut self, depth: usize) -> Result<Json<'a>, Wrong> {
        self.space();
        let start = self.at;
        let what = match self.peek() {
            Some(b'{' | b'[') if depth == DEEPEST => return Err(Wrong::TooDeep),
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.list(depth)?,
            Some(b'"') => What::Text(self.string()?),
            Some(_) => self.word()?,
            None => return Err(Wrong::Malformed),
        };
        Ok(Json {
            raw: &self.text[start..self.at],
            what,
        })
    }

    fn object(&mut self, depth: usize) -> Result<What<'a>, Wrong> {
        self.at += 1;
        let mut entries: Vec<(String, Json<'a>)> = Vec::new();
        let mut seen = HashSet::new();
        if self.take(b'}') {
            return Ok(What::Object(entries));
        }
        loop {
            self.space();
            let key = self.string()?;
            self.place.push(key.clone());
            if !seen.insert(key.clone()) {
                return Err(Wrong::Twice(self.here()));
            }
            self.need(b':')?;
            let value = self.value(depth + 1)?;
            self.place.pop();
            entries.push((key, value));
            if self.take(b'}') {
                return Ok(What::Object(entries));
            }
            self.need(b',')?;
        }
    }

    fn list(&mut self, depth: usize) -> Result<What<'a>, Wrong> {
        self.at += 1;
        let mut entries = Vec::new();
        if self.take(b']') {
            return Ok(What::List(entries));
        }
        loop {
            self.place.push(entries.len().to_string());
            entries.push(self.value(depth + 1)?);
            self.place.pop();
            if self.take(b']') {
                return Ok(What::List(entries));
            }
            self.need(b',')?;
        }
    }

    /// A string; which escapes there are is left to `serde_json`.
    fn string(&mut self) -> Result<String, Wrong> {
        let start = self.at;
        if self.peek() != Some(b'"') {
            return Err(Wrong::Malformed);
        }
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.at += 2,
                Some(_) => self.at += 1,
                None => return Err(Wrong::Malformed),
            }
        }
        self.at += 1;
        let token = self.text.get(start..self.at).ok_or(Wrong::Malformed)?;
        serde_json::from_str(token).map_err(|_| Wrong::Malformed)
    }

    /// A number, true, false or null.
    fn word(&mut self) -> Result<What<'a>, Wrong> {
        let start = self.at;
        while matches!(
            self.peek(),
            Some(b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'+' | b'-' | b'.')
        ) {
            self.at += 1;
        }
        match &self.text[start..self.at] {
            "null" => Ok(What::Null),
            "true" => Ok(What::Bool(true)),
            "false" => Ok(What::Bool(false)),
            number => match serde_json::from_str::<&serde_json::value::RawValue>(number) {
                Err(_) => Err(Wrong::Malformed),
                Ok(_) if number.parse().is_ok_and(f64::is_infinite) => Err(Wrong::OutOfRange(self.here())),
                Ok(_) => Ok(What::Number(number)),
            },
        }
    }
}

#[test]
fn one_meaning_or_none() {
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(Json::read(&deep(128)).is_ok());
    assert_eq!(Json::read(&deep(129)).unwrap_err(), Wrong::TooDeep);
    let twice = Json::read(r#"{"a":[{"b":1,"\u0062":2}]}"#).unwrap_err();
    assert_eq!(twice, Wrong::Twice("/a/0/b".to_owned()));
    for text in [
        "",
        "{",
        "nothing",
        "{\"a\":}",
        "[1,]",
        "01",
        "\"\\ud800\"",
        "\"\n\"",
        "1 2",
        "NaN",
        "\"\\",
        "{1:2}",
    ] {
        assert_eq!(Json::read(text).unwrap_err(), Wrong::Malformed, "{text}");
    }
    assert!(matches!(Json::read("[1e999]").unwrap_err(), Wrong::OutOfRange(_)));
    let value = Json::read(" {\"a\": 1.0, \"b\" : [ null ]} ").unwrap();
    assert_eq!(value.raw, "{\"a\": 1.0, \"b\" : [ null ]}");
    assert!(value.same(&Json::read(r#"{"b":[null],"a":1.0}"#).unwrap()));
    assert!(!value.same(&Json::read(r#"{"b":[null],"a":1}"#).unwrap()));
}
