//! The catalogue as a page for people: every kind with its arguments and output (Behaviours → Agent Actions, last
//! sentence).

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::{Catalogue, Entry};

impl Catalogue {
    /// A reference of all kinds in Markdown, written from what the agent itself knows of them.
    pub fn reference(&self) -> String {
        let mut page = String::new();
        for entry in self.entries() {
            kind(&mut page, entry);
        }
        for (name, absent) in self.absent() {
            let [reason, instead] = [&absent.reason, &absent.instead].map(|words| words.trim_end_matches('.'));
            line(
                &mut page,
                &format!("### {name}\n\nNot offered: {reason}. Instead: {instead}.\n"),
            );
        }
        page
    }
}

fn kind(page: &mut String, entry: &Entry) {
    let plan = if entry.plans { "can be planned" } else { "has no plan" };
    line(page, &format!("### {}\n\n{}", entry.kind, entry.summary));
    line(
        page,
        &format!("Running time: {} s at most; {plan}.\n", entry.deadline_s),
    );
    fields(page, "Argument", entry.args.as_value());
    fields(page, "Output", entry.output.as_value());
}

/// One table: a row for each property of a schema's object, or of each of its alternatives.
fn fields(page: &mut String, title: &str, schema: &Value) {
    let mut rows = Vec::new();
    let needed = if title == "Output" { "always" } else { "required" };
    collect(schema, schema, needed, &mut rows);
    if rows.is_empty() {
        line(page, &format!("{title}: none.\n"));
        return;
    }
    line(
        page,
        &format!("| {title} | Type | Default | Meaning |\n|---|---|---|---|"),
    );
    for [name, kind, default, meaning] in rows {
        line(page, &format!("| `{name}` | {kind} | {default} | {meaning} |"));
    }
    page.push('\n');
}

fn collect(root: &Value, schema: &Value, needed: &str, rows: &mut Vec<[String; 4]>) {
    let schema = resolve(root, schema);
    for alternative in ["anyOf", "oneOf"]
        .iter()
        .filter_map(|key| schema[*key].as_array())
        .flatten()
    {
        collect(root, alternative, needed, rows);
    }
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    for (name, property) in schema["properties"].as_object().unwrap_or(&Map::new()) {
        let meaning = words(&property["description"], &resolve(root, property)["description"]);
        let default = match &property["default"] {
            _ if required.iter().any(|key| key == name.as_str()) => needed.to_owned(),
            Value::Null => "none".to_owned(),
            value => format!("`{value}`"),
        };
        let row = [
            name.clone(),
            kind_of(root, property) + &limits(property),
            default,
            meaning,
        ];
        if !rows.contains(&row) {
            rows.push(row);
        }
    }
}

/// The range of a number, where it is narrower than its type's.
fn limits(schema: &Value) -> String {
    match (
        schema["minimum"].as_i64().filter(|least| *least != 0),
        schema["maximum"].as_i64(),
    ) {
        (Some(least), Some(most)) => format!(", {least} to {most}"),
        (None, Some(most)) => format!(", at most {most}"),
        (Some(least), None) => format!(", at least {least}"),
        (None, None) => String::new(),
    }
}

/// The first of the two that says anything, on one line.
fn words(own: &Value, referred: &Value) -> String {
    let text = own.as_str().or(referred.as_str()).unwrap_or_default();
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace('|', "\\|")
}

fn kind_of(root: &Value, schema: &Value) -> String {
    let schema = resolve(root, schema);
    let alternatives = |list: &Vec<Value>| {
        let kinds = list.iter().map(|one| kind_of(root, one)).filter(|kind| kind != "null");
        let mut kinds: Vec<_> = kinds.collect();
        kinds.dedup();
        kinds.join(" or ")
    };
    if let Some(list) = schema["enum"].as_array() {
        return list
            .iter()
            .map(|value| format!("`{value}`"))
            .collect::<Vec<_>>()
            .join(", ");
    }
    if !schema["const"].is_null() {
        return format!("`{}`", schema["const"]);
    }
    if let Some(list) = schema["anyOf"].as_array().or(schema["oneOf"].as_array()) {
        return alternatives(list);
    }
    match &schema["type"] {
        Value::String(kind) if kind == "array" => format!("list of {}", kind_of(root, &schema["items"])),
        Value::String(kind) => kind.clone(),
        Value::Array(kinds) => {
            let kinds = kinds.iter().filter_map(Value::as_str).filter(|kind| *kind != "null");
            kinds.collect::<Vec<_>>().join(" or ")
        }
        _ => "any".to_owned(),
    }
}

fn resolve<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let target = schema["$ref"]
        .as_str()
        .and_then(|reference| root.pointer(reference.strip_prefix('#')?));
    target.unwrap_or(schema)
}

fn line(page: &mut String, text: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(page, "{text}");
}
