//! What is answered: a document, or a problem with its code.

use serde_json::{Value, json};

use super::fault::Fault;
use super::options::Faults;

/// One answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub media: &'static str,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// The connection is closed in place of an answer.
    pub cut: bool,
}

impl Answer {
    pub fn text(status: u16, media: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            media,
            headers: Vec::new(),
            body: body.into(),
            cut: false,
        }
    }

    pub fn json(status: u16, body: &Value) -> Self {
        Self::text(status, "application/json", body.to_string())
    }

    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// Which of the two trees is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Tree {
    V1,
    Unstable,
}

/// Every code with its status.
const CODES: [(&str, u16); 22] = [
    ("malformed_body", 400),
    ("body_too_deep", 400),
    ("duplicate_key", 400),
    ("unknown_key", 400),
    ("unexpected_body", 400),
    ("bad_value", 400),
    ("bad_id", 400),
    ("unknown_kind", 400),
    ("bad_arguments", 400),
    ("bad_parameter", 400),
    ("bad_cursor", 400),
    ("bad_host", 400),
    ("unauthenticated", 401),
    ("unknown_route", 404),
    ("unknown_action", 404),
    ("no_such_kind", 404),
    ("method_not_allowed", 405),
    ("id_used", 409),
    ("action_finished", 409),
    ("body_too_large", 413),
    ("unsupported_media_type", 415),
    ("wrong_host", 421),
];

/// Why there is no other answer.
#[derive(Debug)]
pub struct Problem {
    pub code: &'static str,
    pub status: u16,
    detail: String,
    field: Option<String>,
    further: Vec<(&'static str, Value)>,
    headers: Vec<(&'static str, String)>,
    cut: bool,
}

impl Problem {
    pub fn new(code: &'static str, detail: impl Into<String>) -> Self {
        let status = CODES
            .iter()
            .find(|(known, _)| *known == code)
            .map(|(_, status)| *status);
        let status = status.unwrap_or(match code {
            "queue_full" => 429,
            "no_plan" => 501,
            _ => 500,
        });
        Self {
            code,
            status,
            detail: detail.into(),
            field: None,
            further: Vec::new(),
            headers: Vec::new(),
            cut: false,
        }
    }

    #[must_use]
    pub fn at(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    #[must_use]
    pub fn further(mut self, key: &'static str, value: impl Into<Value>) -> Self {
        self.further.push((key, value.into()));
        self
    }

    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    #[must_use]
    pub const fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    #[must_use]
    pub const fn cut(mut self) -> Self {
        self.cut = true;
        self
    }

    /// As it is told; no tree, for paths outside both, is told as in `v1`.
    pub fn answer(self, tree: Tree, faults: &Faults) -> Answer {
        let plain =
            faults.has(Fault::ErrorsPlain) || (faults.has(Fault::MalformedPlain) && self.code == "malformed_body");
        let mut body = json!({
            "type": "about:blank",
            "title": title(self.status),
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        });
        if let Some(field) = self.field.filter(|_| !faults.has(Fault::ProblemWithoutField)) {
            body["field"] = field.into();
        }
        for (key, value) in self.further {
            body[key] = value;
        }
        if tree == Tree::Unstable {
            body["error"] = true.into();
            if !faults.has(Fault::ProblemWithoutErrorMsg) {
                body["error_msg"] = self.detail.clone().into();
            }
        }
        if faults.has(Fault::ProblemWrongStatus) {
            body["status"] = 418.into();
        }
        if faults.has(Fault::ProblemWithoutCode)
            && let Some(body) = body.as_object_mut()
        {
            body.remove("code");
        }
        let mut answer = if plain {
            Answer::text(self.status, "text/plain; charset=utf-8", self.detail)
        } else if faults.has(Fault::ErrorsAsJson) {
            Answer::json(self.status, &body)
        } else {
            Answer::text(self.status, "application/problem+json", body.to_string())
        };
        answer.headers = self.headers;
        answer.cut = self.cut;
        answer
    }
}

const fn title(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        413 => "Payload Too Large",
        415 => "Unsupported Media Type",
        421 => "Misdirected Request",
        429 => "Too Many Requests",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    }
}
