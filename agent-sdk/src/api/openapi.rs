//! The `OpenAPI` document of `v1`, made from the table of routes and the types that are written and read.
//!
//! `OpenAPI` 3.1 speaks JSON Schema 2020-12, and so do the types' schemas, so nothing is translated and nothing can be
//! said here that the service does not do. What lies outside of the tree, such as `/healthz`, is described with it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use actix_web::http::Method;
use actix_web::web::Bytes;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::access::Role;
use super::answer::{Answer, JSON};
use super::call::Ask;
use super::problem::{Body, Code};
use super::route::{Dialect, Gives, Parameter, Reply, Route, Table, schema};
use crate::config::Tree;

/// Problems that any route can have.
const COMMON: &[Code] = &[Code::BadHost, Code::WrongHost, Code::Internal];

/// Problems of routes that somebody may be kept from.
const GUARDED: &[Code] = &[Code::Unauthenticated, Code::Forbidden];

/// Problems of routes that take a body.
const BODY: &[Code] = &[
    Code::MalformedBody,
    Code::BodyTooDeep,
    Code::DuplicateKey,
    Code::UnknownKey,
    Code::BadValue,
    Code::BodyTimeout,
    Code::BodyTooLarge,
    Code::UnsupportedMediaType,
];

/// Where the document itself is found.
pub(super) fn route() -> Route {
    Route {
        method: Method::GET,
        path: "/api/v1/openapi.json",
        about: "This document.",
        needs: Role::Read,
        takes: None,
        query: &[],
        gives: Gives::Json(200, schema::<Map<String, Value>>),
        problems: &[],
        handler: serve,
    }
}

fn serve(_: Ask<'_>) -> Reply<'_> {
    static DOCUMENT: OnceLock<Bytes> = OnceLock::new();
    Box::pin(async {
        let document = DOCUMENT.get_or_init(|| serde_json::to_vec(&document()).unwrap_or_default().into());
        Ok(Answer::ready(JSON, document.clone()))
    })
}

/// The whole document.
fn document() -> Value {
    let mut schemas = Schemas::new();
    let problem = schemas.written.subschema_for::<Body<'_>>();
    let mut paths = Map::new();
    for place in Table::new(&[Tree::V1]).places() {
        let mut methods = Map::new();
        for route in &place.routes {
            methods.insert(
                route.method.as_str().to_ascii_lowercase(),
                operation(route, &mut schemas, problem.as_value()),
            );
        }
        paths.insert(place.path.to_owned(), methods.into());
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Agent",
            "summary": "A data store's node through its agent: who it is, how it is, and actions on it.",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": schemas.definitions(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    })
}

/// Types as they are read and as they are written: what is optional to give is always there in an answer.
struct Schemas {
    read: SchemaGenerator,
    written: SchemaGenerator,
}

impl Schemas {
    fn new() -> Self {
        let settings = || {
            SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = "/components/schemas".into();
                settings.meta_schema = None;
            })
        };
        Self {
            read: settings().for_deserialize().into_generator(),
            written: settings().for_serialize().into_generator(),
        }
    }

    fn definitions(mut self) -> Map<String, Value> {
        let mut definitions = self.written.take_definitions(true);
        definitions.extend(self.read.take_definitions(true));
        definitions.sort_keys();
        definitions
    }
}

fn operation(route: &Route, schemas: &mut Schemas, problem: &Value) -> Value {
    let mut operation = Map::new();
    operation.insert("summary".to_owned(), route.about.into());
    let security = match route.needs {
        Role::None => json!([]),
        // Whoever needs no token to look sends none.
        Role::Read => json!([{}, {"token": ["read"]}]),
        Role::Act => json!([{}, {"token": ["act"]}]),
    };
    operation.insert("security".to_owned(), security);
    let parameters: Vec<Value> = variables(route.path).chain(route.query.iter().map(parameter)).collect();
    if !parameters.is_empty() {
        operation.insert("parameters".to_owned(), parameters.into());
    }
    if let Some(takes) = route.takes {
        let schema = takes(&mut schemas.read);
        operation.insert(
            "requestBody".to_owned(),
            json!({"required": true, "content": {JSON: {"schema": schema}}}),
        );
    }
    let mut responses = BTreeMap::new();
    let (status, good) = match route.gives {
        Gives::Json(status, gives) => (status, json!({JSON: {"schema": gives(&mut schemas.written)}})),
        Gives::Text(status, media) => (status, json!({media: {"schema": {"type": "string"}}})),
    };
    responses.insert(status.to_string(), json!({"description": "As asked.", "content": good}));
    for (status, codes) in problems(route) {
        let codes: Vec<String> = codes.into_iter().map(|code| format!("`{}`", code.name())).collect();
        let content = json!({"application/problem+json": {"schema": problem}});
        responses.insert(
            status.to_string(),
            json!({"description": codes.join(", "), "content": content}),
        );
    }
    operation.insert("responses".to_owned(), json!(responses));
    operation.into()
}

/// Every way in which a route can fail, by status.
fn problems(route: &Route) -> BTreeMap<u16, BTreeSet<Code>> {
    let guarded = if route.needs == Role::None { &[] } else { GUARDED };
    let body = if route.takes.is_some() { BODY } else { &[] };
    let strict: &[Code] = match (Dialect::of(route.path).is_strict(), route.takes.is_some()) {
        (true, true) => &[Code::BadParameter],
        (true, false) => &[Code::BadParameter, Code::UnexpectedBody],
        (false, _) => &[],
    };
    let mut by_status = BTreeMap::<u16, BTreeSet<Code>>::new();
    for code in [COMMON, guarded, body, strict, route.problems].into_iter().flatten() {
        by_status.entry(code.status().as_u16()).or_default().insert(*code);
    }
    by_status
}

/// The variables of a path, by their braces.
fn variables(path: &str) -> impl Iterator<Item = Value> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| {
            let schema = if name == "id" {
                json!({"type": "string", "format": "uuid"})
            } else {
                json!({"type": "string"})
            };
            json!({"name": name, "in": "path", "required": true, "schema": schema})
        })
}

fn parameter(parameter: &Parameter) -> Value {
    let Parameter { name, about, range } = *parameter;
    let schema = match range {
        Some((low, high)) => json!({"type": "integer", "minimum": low, "maximum": high}),
        None => json!({"type": "string"}),
    };
    json!({"name": name, "in": "query", "description": about, "required": false, "schema": schema})
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every reference leads somewhere, and no type is told in two ways under one name.
    #[test]
    fn references_are_kept() {
        let document = document();
        let mut references = Vec::new();
        collect(&document, &mut references);
        assert!(references.len() > 20);
        for reference in references {
            assert!(
                document.pointer(reference.trim_start_matches('#')).is_some(),
                "{reference}"
            );
        }
    }

    #[test]
    fn a_type_reads_as_it_is_written() {
        let mut schemas = Schemas::new();
        for place in Table::new(&[Tree::V1]).places() {
            for route in &place.routes {
                operation(route, &mut schemas, &Value::Null);
            }
        }
        let read = schemas.read.take_definitions(true);
        for (name, schema) in schemas.written.take_definitions(true) {
            assert!(read.get(&name).is_none_or(|read| *read == schema), "{name}");
        }
    }

    fn collect(value: &Value, references: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                for (key, value) in members {
                    match value {
                        Value::String(reference) if key == "$ref" => references.push(reference.clone()),
                        value => collect(value, references),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
            _ => {}
        }
    }
}
