//! The way of a request: meant for this agent, routed, allowed, read, answered, told to logs and metrics.
//!
//! The order is a promise: a request for another host learns nothing but that; an unknown route and a wrong method are
//! told to everybody; no byte of a body is read before the client may do what it asks.

use std::sync::Arc;
use std::time::Instant;

use actix_web::body::BoxBody;
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::{self, Bytes, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use tracing::Instrument;
use tracing::field::Empty;

use super::access::Access;
use super::answer::Answer;
use super::body::{self, Held, Limits};
use super::call::{self, Call};
use super::host::Hosts;
use super::problem::{Code, Problem};
use super::route::{Dialect, Place, Table};
use super::service::Service;
use crate::telemetry;

/// Everything that requests pass through.
pub(super) struct Room {
    pub(super) service: Service,
    pub(super) access: Access,
    pub(super) hosts: Hosts,
    pub(super) limits: Limits,
    pub(super) table: Table,
}

impl Room {
    /// Lays the table out for one worker.
    pub(super) fn configure(self: &Arc<Self>, config: &mut ServiceConfig) {
        for (index, place) in self.table.places().iter().enumerate() {
            let room = self.clone();
            let serve = move |request, payload| room.clone().serve(Some(index), request, payload);
            config.service(web::resource(place.path).to(serve));
        }
        let room = self.clone();
        config.default_service(web::to(move |request, payload| {
            room.clone().serve(None, request, payload)
        }));
    }

    async fn serve(self: Arc<Self>, place: Option<usize>, request: HttpRequest, mut payload: Payload) -> HttpResponse {
        let begun = Instant::now();
        let place = place.and_then(|index| self.table.places().get(index));
        let path = place.map_or("unknown", |place| place.path);
        let method = label(request.method());
        let span = tracing::info_span!("request", method, route = path, action = Empty);
        telemetry::continue_trace(&span, call::traceparent(request.headers()));
        let dialect = Dialect::of(place.map_or(request.path(), |place| place.path));
        let answer = self
            .answer(place, dialect, &request, &mut payload)
            .instrument(span.clone())
            .await;
        let (mut response, code) = match answer {
            Ok(answer) => (answer.response(), None),
            Err(problem) => {
                let code = problem.code().name();
                (problem.response(dialect), Some(code))
            }
        };
        finish(&mut response);
        if body::is_announced(request.headers()) {
            response = response.map_body(|_, body| BoxBody::new(Held::new(body, payload)));
        }
        let status = response.status().as_u16();
        telemetry::answered(&span, status, code);
        self.service
            .metrics()
            .http(method, place.map(|place| place.path), status, begun.elapsed());
        response
    }

    async fn answer(
        &self,
        place: Option<&Place>,
        dialect: Dialect,
        request: &HttpRequest,
        payload: &mut Payload,
    ) -> Result<Answer, Problem> {
        let headers = request.headers();
        self.hosts.check(request.uri(), headers)?;
        let place = place.ok_or_else(|| Problem::new(Code::UnknownRoute, "nothing is served under this path"))?;
        let route = place.route(request.method()).ok_or_else(|| not_allowed(place))?;
        self.access.check(route.needs, headers)?;
        let body = if route.takes.is_some() {
            body::read(headers, payload, self.limits).await?
        } else if dialect.is_strict() && body::is_announced(headers) {
            return Err(Problem::new(Code::UnexpectedBody, "this route takes no body").closing());
        } else {
            Bytes::new()
        };
        let call = Call::new(&self.service, route, dialect, request, &body)?;
        (route.handler)(&call).await
    }
}

fn not_allowed(place: &Place) -> Problem {
    let allow = HeaderValue::from_str(&place.allow).unwrap_or(HeaderValue::from_static("GET"));
    let detail = format!("this path is served with {}", place.allow);
    Problem::new(Code::MethodNotAllowed, detail).with_header(header::ALLOW, allow)
}

/// What every answer carries: nothing here may be kept by a cache, or read as another type than it says.
fn finish(response: &mut HttpResponse) {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}

/// A method as metrics and logs name it: whatever clients make up is one word there.
fn label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::DELETE => "DELETE",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
