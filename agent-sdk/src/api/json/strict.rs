//! Whether a body is JSON that means one thing only.

use std::borrow::Cow;
use std::collections::HashSet;

use super::lexer::{DEEPEST, Lexer};
use crate::action::json::{push_index, push_key};

/// What is wrong with a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::api) enum Fault {
    /// Not JSON; said in words that follow "the body is not JSON: ".
    Malformed(String),
    /// More than 128 lists and objects inside each other.
    TooDeep,
    /// A key given twice in one object.
    DuplicateKey,
    /// A number beyond what a 64-bit float can hold.
    NumberOutOfRange,
}

/// A fault and the JSON pointer to where it is; empty for the whole body.
pub(in crate::api) type Located = (Fault, String);

/// Checks a whole body.
///
/// Depth is counted with the outermost list or object as 1. Keys are compared as text, escapes resolved.
pub(in crate::api) fn check(text: &str) -> Result<(), Located> {
    let mut lexer = Lexer::new(text);
    let mut place = Vec::new();
    let checked = value(&mut lexer, &mut place).and_then(|()| match lexer.peek() {
        None => Ok(()),
        Some(_) => Err(Fault::Malformed("something follows its value".to_owned())),
    });
    checked.map_err(|fault| (fault, pointer(&place)))
}

/// One step on the way to a value.
enum Segment<'a> {
    Key(Cow<'a, str>),
    Index(usize),
}

fn pointer(place: &[Segment<'_>]) -> String {
    let mut pointer = String::new();
    for segment in place {
        match segment {
            Segment::Key(key) => push_key(&mut pointer, key),
            Segment::Index(index) => push_index(&mut pointer, *index),
        }
    }
    pointer
}

/// On a fault `place` is left where the fault is.
fn value<'a>(lexer: &mut Lexer<'a>, place: &mut Vec<Segment<'a>>) -> Result<(), Fault> {
    match lexer.peek() {
        Some(b'{') => object(lexer, place),
        Some(b'[') => list(lexer, place),
        Some(b'"') => lexer.string().map(drop),
        Some(b'-' | b'0'..=b'9') => lexer.number().and_then(in_range),
        _ => lexer.literal().map(drop),
    }
}

fn object<'a>(lexer: &mut Lexer<'a>, place: &mut Vec<Segment<'a>>) -> Result<(), Fault> {
    descend(lexer, place)?;
    if lexer.take(b'}') {
        return Ok(());
    }
    let mut seen = HashSet::new();
    loop {
        if lexer.peek() != Some(b'"') {
            return Err(lexer.unexpected());
        }
        let key = lexer.string()?;
        let fresh = seen.insert(key.clone());
        place.push(Segment::Key(key));
        if !fresh {
            return Err(Fault::DuplicateKey);
        }
        if !lexer.take(b':') {
            return Err(lexer.unexpected());
        }
        value(lexer, place)?;
        place.pop();
        if lexer.take(b'}') {
            return Ok(());
        }
        if !lexer.take(b',') {
            return Err(lexer.unexpected());
        }
    }
}

fn list<'a>(lexer: &mut Lexer<'a>, place: &mut Vec<Segment<'a>>) -> Result<(), Fault> {
    descend(lexer, place)?;
    if lexer.take(b']') {
        return Ok(());
    }
    for index in 0.. {
        place.push(Segment::Index(index));
        value(lexer, place)?;
        place.pop();
        if lexer.take(b']') {
            break;
        }
        if !lexer.take(b',') {
            return Err(lexer.unexpected());
        }
    }
    Ok(())
}

/// Takes the opening bracket. Each list or object inside another one has one segment in `place`.
fn descend(lexer: &mut Lexer<'_>, place: &mut Vec<Segment<'_>>) -> Result<(), Fault> {
    if place.len() >= DEEPEST {
        // The way to such a place is as long as the fault says; nobody is helped by all of it.
        place.clear();
        return Err(Fault::TooDeep);
    }
    lexer.skip();
    Ok(())
}

fn in_range(number: &str) -> Result<(), Fault> {
    // Shorter ones without an exponent are always in range.
    let suspect = number.len() > 300 || number.contains(['e', 'E']);
    if suspect && number.parse::<f64>().is_ok_and(f64::is_infinite) {
        Err(Fault::NumberOutOfRange)
    } else {
        Ok(())
    }
}
