//! Whether two texts are the same JSON: keys in any order, strings by their characters, numbers by their text.
//!
//! Numbers are compared as text since the agent keeps arguments as text: `1` and `1.0` may be told apart by the action
//! that reads them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::lexer::{DEEPEST, Lexer};

/// Whether both are JSON, and the same.
pub(in crate::api) fn same(one: &str, other: &str) -> bool {
    one == other || tree(one).is_some_and(|one| tree(other) == Some(one))
}

#[derive(PartialEq)]
enum Tree<'a> {
    /// A number, `true`, `false` or `null`: as written.
    Word(&'a str),
    Text(Cow<'a, str>),
    List(Vec<Tree<'a>>),
    Object(BTreeMap<Cow<'a, str>, Tree<'a>>),
}

/// `None` for what is no JSON; neither side can be that, since both were checked when they came.
fn tree(text: &str) -> Option<Tree<'_>> {
    let mut lexer = Lexer::new(text);
    let tree = value(&mut lexer, 0)?;
    lexer.peek().is_none().then_some(tree)
}

fn value<'a>(lexer: &mut Lexer<'a>, depth: usize) -> Option<Tree<'a>> {
    match lexer.peek()? {
        b'{' | b'[' if depth >= DEEPEST => None,
        b'{' => {
            lexer.skip();
            object(lexer, depth).map(Tree::Object)
        }
        b'[' => {
            lexer.skip();
            list(lexer, depth).map(Tree::List)
        }
        b'"' => lexer.string().ok().map(Tree::Text),
        b'-' | b'0'..=b'9' => lexer.number().ok().map(Tree::Word),
        _ => lexer.literal().ok().map(Tree::Word),
    }
}

fn object<'a>(lexer: &mut Lexer<'a>, depth: usize) -> Option<BTreeMap<Cow<'a, str>, Tree<'a>>> {
    let mut members = BTreeMap::new();
    if lexer.take(b'}') {
        return Some(members);
    }
    loop {
        let key = if lexer.peek()? == b'"' {
            lexer.string().ok()?
        } else {
            return None;
        };
        let value = if lexer.take(b':') {
            value(lexer, depth + 1)?
        } else {
            return None;
        };
        members.insert(key, value);
        if lexer.take(b'}') {
            return Some(members);
        }
        if !lexer.take(b',') {
            return None;
        }
    }
}

fn list<'a>(lexer: &mut Lexer<'a>, depth: usize) -> Option<Vec<Tree<'a>>> {
    let mut items = Vec::new();
    if lexer.take(b']') {
        return Some(items);
    }
    loop {
        items.push(value(lexer, depth + 1)?);
        if lexer.take(b']') {
            return Some(items);
        }
        if !lexer.take(b',') {
            return None;
        }
    }
}
