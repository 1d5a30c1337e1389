//! A request as a handler sees it: routed, allowed, its body read and checked.

use std::borrow::Cow;

use actix_web::HttpRequest;
use actix_web::http::header::HeaderMap;
use actix_web::web::Query;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::json::{self, Fault, Misfit, Unknown};
use super::problem::{Code, Problem};
use super::route::{Dialect, Parameter, Route};
use super::service::Service;
use crate::telemetry;

/// One request.
pub(super) struct Call<'a> {
    pub(super) service: &'a Service,
    pub(super) query: Parameters,
    dialect: Dialect,
    request: &'a HttpRequest,
    /// Checked JSON; empty where the route takes no body.
    body: &'a str,
}

impl<'a> Call<'a> {
    /// **Errors**: a query with parameters that the route does not know; a body that is not JSON, or means more than
    /// one thing.
    pub(super) fn new(
        service: &'a Service,
        route: &'a Route,
        dialect: Dialect,
        request: &'a HttpRequest,
        body: &'a [u8],
    ) -> Result<Self, Problem> {
        let query = Parameters::parse(request.query_string(), route, dialect)?;
        let body = std::str::from_utf8(body).map_err(|error| {
            Problem::new(
                Code::MalformedBody,
                format!("the body is not UTF-8 from byte {}", error.valid_up_to()),
            )
        })?;
        if route.takes.is_some() {
            json::check(body).map_err(|(fault, place)| unlawful(fault, place))?;
        }
        Ok(Self {
            service,
            query,
            dialect,
            request,
            body,
        })
    }

    /// The body as a type; what it does not know is a fault or not, as the dialect has it.
    pub(super) fn body<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let unknown = if self.dialect.is_strict() {
            Unknown::Refused
        } else {
            Unknown::Ignored
        };
        // serde would read a list as the fields in their order.
        if !self.body.trim_start().starts_with('{') {
            return Err(Problem::new(Code::BadValue, "the body is a JSON object").at(""));
        }
        json::read(self.body, unknown).map_err(|misfit| match misfit {
            Misfit::Value(place, words) => Problem::new(Code::BadValue, words).at(place),
            Misfit::Key(place) => Problem::new(Code::UnknownKey, format!("{place} is not known here")).at(place),
        })
    }

    /// A variable of the path.
    pub(super) fn segment(&self, name: &str) -> &'a str {
        self.request.match_info().get(name).unwrap_or_default()
    }

    /// The id in the path.
    pub(super) fn id(&self) -> Result<Uuid, Problem> {
        id(self.segment("id"))
    }

    /// The trace context that came with the request.
    pub(super) fn trace(&self) -> Option<String> {
        telemetry::traceparent(&tracing::Span::current(), traceparent(self.request.headers()))
    }
}

/// What a handler is given.
pub(super) type Ask<'a> = &'a Call<'a>;

/// Says in the request's span which action it is about.
pub(super) fn concerns(id: Uuid) {
    tracing::Span::current().record("action", tracing::field::display(id));
}

/// The parameters of a query.
pub(super) struct Parameters {
    given: Vec<(String, String)>,
}

impl Parameters {
    /// Reads a query, its names looked up in the route's row.
    fn parse(text: &str, route: &Route, dialect: Dialect) -> Result<Self, Problem> {
        if text.is_empty() {
            return Ok(Self { given: Vec::new() });
        }
        let Query(given) = Query::<Vec<(String, String)>>::from_query(text)
            .map_err(|_| Problem::new(Code::BadParameter, "the query cannot be read"))?;
        for (index, (name, _)) in given.iter().enumerate() {
            let known = route.query.iter().any(|parameter| parameter.name == name);
            if !known && dialect.is_strict() {
                return Err(bad(name, format!("{name:?} is no parameter of this route")));
            }
            if known && given[..index].iter().any(|(earlier, _)| earlier == name) {
                return Err(bad(name, format!("{name} is given twice")));
            }
        }
        Ok(Self { given })
    }

    /// A parameter's text.
    pub(super) fn text(&self, parameter: Parameter) -> Option<&str> {
        self.given
            .iter()
            .find(|(given, _)| given == parameter.name)
            .map(|(_, value)| value.as_str())
    }

    /// A parameter's number, in digits only, within its range.
    pub(super) fn number(&self, parameter: Parameter) -> Result<Option<u64>, Problem> {
        let Some(text) = self.text(parameter) else {
            return Ok(None);
        };
        let (low, high) = parameter.range.unwrap_or((0, u64::MAX));
        // `parse` alone would also take a sign.
        let number = text
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| text.parse().ok())
            .flatten();
        match number.filter(|number| (low..=high).contains(number)) {
            Some(number) => Ok(Some(number)),
            None => Err(bad(
                parameter.name,
                format!("{} is a number from {low} to {high}", parameter.name),
            )),
        }
    }
}

fn bad(name: &str, detail: String) -> Problem {
    let mut place = String::new();
    json::push_key(&mut place, name);
    Problem::new(Code::BadParameter, detail).at(place)
}

/// Reads an id: 36 characters, as everybody writes them, in any case.
pub(super) fn id(text: &str) -> Result<Uuid, Problem> {
    let uuid = if text.len() == 36 {
        Uuid::try_parse(text).ok()
    } else {
        None
    };
    uuid.ok_or_else(|| {
        Problem::new(
            Code::BadId,
            "an id is a UUID, such as 8e0b8a3e-0f5c-4d0e-9f39-2a8f3c1f6c55",
        )
        .at("/id")
    })
}

fn unlawful(fault: Fault, place: String) -> Problem {
    let (code, detail): (_, Cow<'static, str>) = match fault {
        Fault::Malformed(what) => (Code::MalformedBody, format!("the body is not JSON: {what}").into()),
        Fault::TooDeep => (Code::BodyTooDeep, "the body is nested deeper than 128".into()),
        Fault::DuplicateKey => (Code::DuplicateKey, format!("{place} is given twice").into()),
        Fault::NumberOutOfRange => (Code::BadValue, format!("{place} is beyond any 64-bit float").into()),
    };
    let problem = Problem::new(code, detail);
    if place.is_empty() { problem } else { problem.at(place) }
}

/// The `traceparent` that a request brings (W3C Trace Context); none when it is given twice.
pub(super) fn traceparent(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all("traceparent");
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}
