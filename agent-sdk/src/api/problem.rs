//! What a client is told when a request fails: a problem document (RFC 9457) with a stable `code`.
//!
//! Clients decide on `code` and `status`, people read `detail`, `field` says where. The codes are part of the contract:
//! one is never given another meaning, and `docs/http.md` has them all in a table, which a test compares with
//! [`Code::ALL`]. What only the operator may see goes to the log, where the problem is made.

use std::borrow::Cow;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use super::route::Dialect;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $code:ident = $status:literal $name:literal,)+) => {
        /// Every way in which a request can fail.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $($(#[doc = $doc])+ $code,)+
        }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$code),+];

            /// The code's name on the wire.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$code => $name,)+
                }
            }

            const fn number(self) -> u16 {
                match self {
                    $(Self::$code => $status,)+
                }
            }
        }
    };
}

codes! {
    /// The body is not JSON, not UTF-8, or ends too early.
    MalformedBody = 400 "malformed_body",
    /// The body's lists and objects are nested deeper than 128.
    BodyTooDeep = 400 "body_too_deep",
    /// A key is given twice in one object.
    DuplicateKey = 400 "duplicate_key",
    /// A key that this route does not know.
    UnknownKey = 400 "unknown_key",
    /// A body where none is taken.
    UnexpectedBody = 400 "unexpected_body",
    /// A value of the wrong type, or out of range.
    BadValue = 400 "bad_value",
    /// A text that is no UUID where one is needed.
    BadId = 400 "bad_id",
    /// The kind is not in this agent's catalogue.
    UnknownKind = 400 "unknown_kind",
    /// The arguments do not fit their kind.
    BadArguments = 400 "bad_arguments",
    /// A parameter of the query that is not known, or whose value is not.
    BadParameter = 400 "bad_parameter",
    /// The cursor was not given out for this list.
    BadCursor = 400 "bad_cursor",
    /// The request names no host, or more than one.
    BadHost = 400 "bad_host",
    /// Credentials are missing or wrong.
    Unauthenticated = 401 "unauthenticated",
    /// These credentials do not allow it.
    Forbidden = 403 "forbidden",
    /// Nothing is served under this path.
    UnknownRoute = 404 "unknown_route",
    /// No action has this id.
    UnknownAction = 404 "unknown_action",
    /// The kind in the path is not in this agent's catalogue.
    NoSuchKind = 404 "no_such_kind",
    /// The path is served, but not with this method.
    MethodNotAllowed = 405 "method_not_allowed",
    /// The body did not come in time.
    BodyTimeout = 408 "body_timeout",
    /// The id was used before.
    IdUsed = 409 "id_used",
    /// The action has ended already.
    ActionFinished = 409 "action_finished",
    /// The body is longer than this agent takes.
    BodyTooLarge = 413 "body_too_large",
    /// The body is not said to be `application/json`.
    UnsupportedMediaType = 415 "unsupported_media_type",
    /// The request is meant for a host that this agent is not.
    WrongHost = 421 "wrong_host",
    /// As many actions wait as may.
    QueueFull = 429 "queue_full",
    /// A fault in the agent; its log says more.
    Internal = 500 "internal",
    /// This kind cannot tell what it would do.
    NoPlan = 501 "no_plan",
    /// The store does not answer, or refuses.
    StoreUnavailable = 503 "store_unavailable",
    /// Neither the store nor the configuration knows the cluster's id.
    NoClusterId = 503 "no_cluster_id",
    /// More is asked of the agent than it takes at once.
    Busy = 503 "busy",
    /// The plan was not ready in time.
    PlanTimeout = 503 "plan_timeout",
    /// The agent records nothing any more.
    NotRecording = 503 "not_recording",
    /// The disk that holds the agent's records is full.
    NoSpace = 507 "no_space",
}

impl Code {
    /// The code's HTTP status.
    pub fn status(self) -> StatusCode {
        StatusCode::from_u16(self.number()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Seconds after which the same request may succeed, where waiting is all it needs.
    const fn retry_after(self) -> Option<&'static str> {
        match self {
            Self::Busy | Self::PlanTimeout => Some("1"),
            Self::QueueFull => Some("5"),
            _ => None,
        }
    }
}

/// A failed request. Boxed, since every answer in the making is as large as this where it could fail.
#[derive(Debug)]
pub(super) struct Problem(Box<Told>);

/// All that is told of a failure.
#[derive(Debug)]
struct Told {
    code: Code,
    detail: Cow<'static, str>,
    field: Option<Cow<'static, str>>,
    used: Option<Used>,
    header: Option<(header::HeaderName, HeaderValue)>,
    close: bool,
}

/// An id that was used before.
#[derive(Debug, Clone, Copy)]
struct Used {
    id: Uuid,
    same_request: Option<bool>,
}

impl Problem {
    /// A problem, with what is said of it to people.
    pub(super) fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Told {
            code,
            detail: detail.into(),
            field: None,
            used: None,
            header: None,
            close: false,
        }))
    }

    /// A fault of the agent's own: the client learns that there was one, the log what it was.
    pub(super) fn internal(fault: impl std::fmt::Display) -> Self {
        tracing::error!(%fault, "a request failed for a fault of the agent's own");
        Self::new(Code::Internal, "the agent failed at this; its log says more")
    }

    /// The same problem at this place (a JSON pointer).
    #[must_use]
    pub(super) fn at(mut self, field: impl Into<Cow<'static, str>>) -> Self {
        self.0.field = Some(field.into());
        self
    }

    /// The same problem with one header more.
    #[must_use]
    pub(super) fn with_header(mut self, name: header::HeaderName, value: HeaderValue) -> Self {
        self.0.header = Some((name, value));
        self
    }

    /// The same problem, and the connection ends with it: what the client still sends is not read.
    #[must_use]
    pub(super) fn closing(mut self) -> Self {
        self.0.close = true;
        self
    }

    /// An id that was used before; whether for the same request, where that is still known.
    pub(super) fn used(id: Uuid, same_request: Option<bool>) -> Self {
        let mut problem = Self::new(Code::IdUsed, format!("the id {id} was used before")).at("/id");
        problem.0.used = Some(Used { id, same_request });
        problem
    }

    /// Which failure it is.
    pub(super) fn code(&self) -> Code {
        self.0.code
    }

    /// The answer as a dialect writes it.
    pub(super) fn response(&self, dialect: Dialect) -> HttpResponse {
        let Told {
            code,
            detail,
            field,
            used,
            header,
            close,
        } = &*self.0;
        let status = code.status();
        let unstable = dialect == Dialect::Unstable;
        let body = Body {
            r#type: "about:blank",
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            detail,
            code: code.name(),
            field: field.as_deref(),
            same_request: used.map(|used| SameRequest(used.same_request)),
            error: unstable.then_some(true),
            error_msg: unstable.then_some(detail),
        };
        let mut response = HttpResponse::build(status);
        response.insert_header((
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        ));
        if let Some((name, value)) = header {
            response.insert_header((name.clone(), value.clone()));
        }
        if let Some(seconds) = code.retry_after() {
            response.insert_header((header::RETRY_AFTER, HeaderValue::from_static(seconds)));
        }
        if let Some(Used { id, .. }) = used {
            response.insert_header((header::LOCATION, dialect.action(*id)));
        }
        if *close {
            response.force_close();
        }
        response.body(serde_json::to_vec(&body).unwrap_or_default())
    }
}

/// Whether an id was used for the same request; null where it is not known any more.
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
struct SameRequest(Option<bool>);

/// A problem document.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub(super) struct Body<'a> {
    /// Always `about:blank`: `code` says what it is.
    r#type: &'a str,
    /// The status in words.
    title: &'a str,
    /// The HTTP status.
    status: u16,
    /// What went wrong, for people.
    detail: &'a str,
    /// What went wrong, for programs.
    code: &'a str,
    /// JSON pointer to what is wrong with the request. A parameter of the query, or of the path, is named alike.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    /// With `id_used`: whether the earlier request was for the same kind with the same arguments; null when it is not
    /// known any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    same_request: Option<SameRequest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    error: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    error_msg: Option<&'a str>,
}

#[cfg(test)]
impl Problem {
    /// Where in the request it is; empty for the whole.
    pub(super) fn field(&self) -> &str {
        self.0.field.as_deref().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_stable_and_said_once() {
        let names: BTreeSet<_> = Code::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        for code in Code::ALL {
            assert_eq!(code.status().as_u16(), code.number());
            assert!(code.status().canonical_reason().is_some());
        }
    }

    /// What every failure looks like, also those that no test can bring about.
    #[tokio::test]
    async fn every_code_in_both_dialects() {
        let mut text = String::new();
        for code in Code::ALL {
            for dialect in [Dialect::V1, Dialect::Unstable] {
                let response = Problem::new(*code, "what went wrong").response(dialect);
                let retry = response.headers().get(header::RETRY_AFTER).cloned();
                let body = actix_web::body::to_bytes(response.into_body()).await.unwrap();
                text.push_str(std::str::from_utf8(&body).unwrap());
                text.extend(retry.map(|seconds| format!(" retry-after: {}", seconds.to_str().unwrap())));
                text.push('\n');
            }
        }
        insta::assert_snapshot!(text);
    }

    /// The table in the reference and the codes are the same.
    #[test]
    fn every_code_is_in_the_reference() {
        let reference = include_str!("../../../docs/http.md");
        let table = reference.split("<!-- codes -->").nth(1).unwrap();
        let documented: BTreeSet<String> = table
            .lines()
            .filter(|line| line.starts_with("| `"))
            .map(|line| {
                line.split('|')
                    .take(3)
                    .skip(1)
                    .map(str::trim)
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect();
        let codes = Code::ALL
            .iter()
            .map(|code| format!("`{}` {}", code.name(), code.number()))
            .collect();
        assert_eq!(documented, codes);
    }
}
