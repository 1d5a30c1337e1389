//! Whether answers are what the agent's own `OpenAPI` document says.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::talk::{self, Answer};

/// The document, or nothing where `v1` is not served.
pub(super) struct Schemas(Option<Value>);

impl Schemas {
    pub(super) fn of(address: SocketAddr) -> Self {
        let ask = format!(
            "GET /api/v1/openapi.json HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\r\n",
            super::stage::READS
        );
        let answer = talk::exchange(address, ask.as_bytes());
        Self((answer.status == 200).then(|| closed(answer.json())))
    }

    /// That the document knows this answer; a path or method that it does not know has to be refused.
    pub(super) fn check(&self, method: &str, path: &str, answer: &Answer) {
        let Some(document) = &self.0 else { return };
        let path = path.split('?').next().unwrap();
        if path.starts_with("/api/unstable") {
            return;
        }
        let method = if method == "HEAD" {
            "get"
        } else {
            &method.to_ascii_lowercase()
        };
        let paths = document["paths"].as_object().unwrap();
        let Some((_, place)) = paths.iter().find(|(template, _)| fits(template, path)) else {
            assert!(
                matches!(answer.status, 404 | 400 | 421),
                "{path} is not in the document, and answers {answer:?}"
            );
            return;
        };
        let Some(operation) = place.get(method) else {
            assert!(
                matches!(answer.status, 405 | 421 | 400),
                "{method} {path} is not in the document: {answer:?}"
            );
            return;
        };
        let status = answer.status.to_string();
        let response = &operation["responses"][&status];
        assert!(response.is_object(), "{method} {path}: the document has no {status}");
        let media = answer.headers["content-type"].as_str();
        let schema = &response["content"][media]["schema"];
        assert!(
            schema.is_object(),
            "{method} {path} {status}: the document has no {media}"
        );
        if !media.ends_with("json") || answer.body.is_empty() {
            return;
        }
        if answer.status >= 400 {
            let said = response["description"].as_str().unwrap();
            assert!(
                said.contains(&format!("`{}`", answer.code())),
                "{method} {path}: {} is not in {said:?}",
                answer.code()
            );
        }
        let schema = json!({"allOf": [schema], "components": document["components"]});
        let validator = jsonschema::validator_for(&schema).unwrap();
        let body = answer.json();
        let errors: Vec<String> = validator
            .iter_errors(&body)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{method} {path} {status}: {errors:#?}\n{body:#}");
    }
}

/// Whether a path is one of a template's.
fn fits(template: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(wanted), Some(given)) if wanted == given || (wanted.starts_with('{') && !given.is_empty()) => {}
            _ => return false,
        }
    }
}

/// The document with its objects closed: a client may meet keys that it does not know, this test may not.
fn closed(mut document: Value) -> Value {
    for schema in document["components"]["schemas"].as_object_mut().unwrap().values_mut() {
        let schema = schema.as_object_mut().unwrap();
        if schema.contains_key("properties") {
            schema.entry("additionalProperties").or_insert(false.into());
        }
    }
    document
}
