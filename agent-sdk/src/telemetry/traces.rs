//! Traces by OpenTelemetry: sent to a collector where one is configured, and passed on in any case.
//!
//! With a collector, spans are gathered and sent by a thread of their own; what does not fit, or cannot be sent, is
//! dropped, so that a dead collector costs nothing but a log line. Without one there is neither thread nor layer, and a
//! `traceparent` that came with a request goes with its action as it came.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{RetryPolicy, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::client::{self, Http, Method};
use crate::spec::Record;

/// How long one export may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// A provider of tracers that sends what they see to `endpoint`.
pub(super) fn provider(endpoint: &str, service: &str, version: &str) -> Result<SdkTracerProvider, String> {
    let http = Http::new().map_err(|error| error.to_string())?;
    let endpoint = destination(endpoint);
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Sender {
            http,
            endpoint: endpoint.clone(),
            failing: Arc::default(),
        })
        .with_endpoint(endpoint)
        .with_timeout(PATIENCE)
        // The next batch is the next try: nothing is held back for a collector that is gone.
        .with_retry_policy(RetryPolicy::disabled())
        .build()
        .map_err(|error| error.to_string())?;
    let resource = Resource::builder()
        .with_service_name(service.to_owned())
        .with_attribute(KeyValue::new("service.version", version.to_owned()))
        .build();
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource)
        .build())
}

/// Where spans go: collectors take them under `/v1/traces`.
fn destination(endpoint: &str) -> String {
    let base = endpoint.trim_end_matches('/');
    if base.ends_with("/v1/traces") {
        base.to_owned()
    } else {
        format!("{base}/v1/traces")
    }
}

/// The exporter's way out: this crate's HTTP client.
struct Sender {
    http: Http,
    endpoint: String,
    failing: Arc<AtomicBool>,
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

impl HttpClient for Sender {
    fn send_bytes<'me, 'answer>(
        &'me self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'answer>>
    where
        'me: 'answer,
        Self: 'answer,
    {
        Box::pin(async move {
            let headers = request.headers().iter();
            let headers = headers.filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
            let sent = client::Request {
                headers: headers.collect(),
                body: request.body().to_vec(),
                timeout: PATIENCE,
                limit: 1024 * 1024,
                ..client::Request::new(Method::Post, request.uri().to_string())
            };
            match self.http.send(sent).await {
                Ok(answer) => {
                    let refused = (answer.status >= 300).then(|| format!("status {}", answer.status));
                    self.say(refused.as_deref());
                    Ok(Response::builder()
                        .status(answer.status)
                        .body(Bytes::from(answer.body))?)
                }
                Err(error) => {
                    self.say(Some(&error.to_string()));
                    Err(error.into())
                }
            }
        })
    }
}

impl Sender {
    /// One line when exports begin to fail, one when they succeed again.
    fn say(&self, wrong: Option<&str>) {
        let failed = self.failing.swap(wrong.is_some(), Ordering::Relaxed);
        match wrong {
            Some(error) if !failed => {
                tracing::warn!(
                    endpoint = self.endpoint,
                    error,
                    "traces cannot be sent and are dropped until they can"
                );
            }
            None if failed => tracing::info!(endpoint = self.endpoint, "traces are sent again"),
            _ => {}
        }
    }
}

/// Lets a new span continue the trace that a `traceparent` (W3C Trace Context) names. Without an exporter, or with a
/// text that is none, nothing happens.
pub fn continue_trace(span: &Span, traceparent: Option<&str>) {
    if let Some(parent) = traceparent.and_then(parse) {
        // An error means that nobody records the span.
        let _ = span.set_parent(Context::new().with_remote_span_context(parent));
    }
}

/// Says in a request's span how it was answered. Only traces tell of it: no line is logged after an answer.
pub(crate) fn answered(span: &Span, status: u16, code: Option<&'static str>) {
    span.set_attribute("status", i64::from(status));
    if let Some(code) = code {
        span.set_attribute("code", code);
    }
}

/// The span of one action, from its first attempt in this process to its end. It continues the trace of the request
/// that scheduled the action.
pub(crate) fn action_span(record: &Record) -> Span {
    let span = tracing::info_span!(parent: None, "action", id = %record.id, kind = %record.kind);
    continue_trace(&span, record.trace.as_deref());
    span
}

/// The `traceparent` to hand on from a span: its own where it is exported, else the one that came, if it is one.
pub fn traceparent(span: &Span, came: Option<&str>) -> Option<String> {
    let context = span.context();
    let own = context.span().span_context().clone();
    if own.is_valid() {
        let (trace, id, flags) = (own.trace_id(), own.span_id(), own.trace_flags().to_u8());
        return Some(format!("00-{trace:032x}-{id:016x}-{flags:02x}"));
    }
    came.filter(|text| parse(text).is_some()).map(str::to_owned)
}

/// More than this of a later version's `traceparent` is not kept with a record.
const LONGEST: usize = 200;

/// Reads a `traceparent`: version, trace, span, flags, in lower-case hexadecimal. Later versions may append to it.
fn parse(text: &str) -> Option<SpanContext> {
    if text.len() > LONGEST {
        return None;
    }
    let mut parts = text.split('-');
    let mut next = |length: usize| {
        let part = parts.next()?;
        let hexadecimal = part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        (part.len() == length && hexadecimal).then_some(part)
    };
    let (version, trace, span, flags) = (next(2)?, next(32)?, next(16)?, next(2)?);
    if version == "ff" || (version == "00" && parts.next().is_some()) {
        return None;
    }
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?);
    let (trace, span) = (TraceId::from_hex(trace).ok()?, SpanId::from_hex(span).ok()?);
    let context = SpanContext::new(trace, span, flags, true, TraceState::default());
    context.is_valid().then_some(context)
}

#[cfg(test)]
pub(super) mod tests_support {
    use super::{AtomicBool, Bytes, Http, HttpClient, Request, Sender};

    /// Sends a batch to an address, whatever comes of it.
    pub(in crate::telemetry) fn sender(endpoint: &'static str) -> impl Fn() {
        let sender = Sender {
            http: Http::new().unwrap(),
            endpoint: endpoint.to_owned(),
            failing: AtomicBool::new(false).into(),
        };
        move || {
            let request = Request::post(endpoint).body(Bytes::new()).unwrap();
            crate::client::wait(sender.send_bytes(request)).unwrap_err();
        }
    }
}
