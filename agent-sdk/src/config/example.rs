//! A commented file to begin with, written from the schema, so that it cannot say anything else than the schema does.

use std::fmt::Write;

use schemars::JsonSchema;
use serde_json::Value;

use super::schema::{Place, schema};

/// The width of a comment.
const WIDTH: usize = 100;

/// The text of a configuration file with every key, its meaning and its default.
///
/// Keys that must be given have a value to begin with: their schema's first example, else one of the right kind. Keys
/// that are unset by default are commented out, sections with all that can be in them. `name` is the agent's: its state goes to `/var/lib/NAME`.
pub fn example<S: JsonSchema>(name: &str) -> String {
    let schema = schema::<S>().to_value();
    let mut text = format!(
        "# Configuration of {name}. Each value can be overridden by an environment variable: api.bind by AGENT__API__BIND.\n"
    );
    section(&mut text, Place::root(&schema), None, 0, name);
    text
}

/// Keys of one section. `defaults` is the value that the section has when it is left out.
fn section(text: &mut String, place: Place<'_>, defaults: Option<&Value>, depth: usize, name: &str) {
    let indent = "  ".repeat(depth);
    for (key, child) in place.properties() {
        if depth == 0 {
            text.push('\n');
        }
        comment(text, child, &indent);
        let default = child
            .keyword("default")
            .or_else(|| defaults.and_then(|section| section.get(key)));
        let examples = child.keyword("examples").and_then(Value::as_array);
        let example = examples.and_then(|examples| examples.first());
        let optional = || child.properties().all(|(key, _)| !child.requires(key));
        let is_section = child.properties().next().is_some();
        if is_section && !place.requires(key) && default.is_some_and(Value::is_null) {
            let mut unset = String::new();
            line(&mut unset, &indent, "", key, "");
            section(&mut unset, child, None, depth + 1, name);
            for row in unset.lines() {
                let _ = writeln!(text, "{indent}# {}", row.get(indent.len()..).unwrap_or_default()); // writing to a string cannot fail
            }
        } else if is_section && (place.requires(key) || default.is_some_and(Value::is_object) || optional()) {
            line(text, &indent, "", key, "");
            section(text, child, default, depth + 1, name);
        } else if depth == 0 && key == "state_directory" {
            line(text, &indent, "", key, &format!("/var/lib/{name}"));
        } else if place.requires(key) {
            let value = example.or(default).cloned().unwrap_or_else(|| of_the_kind(child));
            line(text, &indent, "", key, &flow(&value));
        } else {
            match default.filter(|default| !default.is_null()) {
                Some(default) => line(text, &indent, "", key, &flow(default)),
                None => line(text, &indent, "# ", key, &example.map(flow).unwrap_or_default()),
            }
        }
    }
}

fn line(text: &mut String, indent: &str, mark: &str, key: &str, value: &str) {
    let space = if value.is_empty() { "" } else { " " };
    let _ = writeln!(text, "{indent}{mark}{key}:{space}{value}"); // writing to a string cannot fail
}

fn comment(text: &mut String, place: Place<'_>, indent: &str) {
    let mut about = place
        .description()
        .unwrap_or_default()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let choices = place.choices();
    if !choices.is_empty() {
        let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
        let _ = write!(about, " One of: {}.", names.join(", ")); // as above
    }
    let mut row = String::new();
    for word in about.split_whitespace() {
        // Rust's documents mark links and names in ways that a reader of YAML does not need.
        let word = word.replace(['<', '>', '`'], "");
        if !row.is_empty() && indent.len() + 2 + row.len() + 1 + word.len() > WIDTH {
            let _ = writeln!(text, "{indent}# {row}"); // as above
            row.clear();
        }
        if !row.is_empty() {
            row.push(' ');
        }
        row.push_str(&word);
    }
    if !row.is_empty() {
        let _ = writeln!(text, "{indent}# {row}"); // as above
    }
}

/// Something that the type takes, for want of an example.
fn of_the_kind(place: Place<'_>) -> Value {
    if let Some((name, _)) = place.choices().first() {
        Value::from(*name)
    } else if place.is("string") {
        Value::from("change-me")
    } else if place.is("integer") || place.is("number") {
        place.keyword("minimum").cloned().unwrap_or_else(|| Value::from(0))
    } else if place.is("boolean") {
        Value::from(false)
    } else if place.is("array") {
        Value::Array(Vec::new())
    } else {
        Value::Object(serde_json::Map::new())
    }
}

/// A value on one line. JSON is YAML, and plain words need no quotes.
fn flow(value: &Value) -> String {
    match value {
        Value::String(text) if is_plain(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

/// Whether YAML reads the text as that very text.
fn is_plain(text: &str) -> bool {
    let words = ["true", "false", "null", "yes", "no", "on", "off"];
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/'))
        && !words.iter().any(|word| text.eq_ignore_ascii_case(word))
        || text.parse::<std::net::SocketAddrV4>().is_ok()
}
