//! Reading a request's body: no longer than allowed, no slower than allowed, and only as JSON.
//!
//! A length over the limit is refused before a byte is read, a body without a length (or with a wrong one) as soon as it
//! passes the limit. What is not read is [`Held`] until the answer is out, so that the connection ends with it.
//! `application/json` is asked for since a browser sends everything else to a foreign site without
//! asking that site first.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::error::PayloadError;
use actix_web::http::header::{self, HeaderMap};
use actix_web::web::{Bytes, BytesMut, Payload};
use futures_util::StreamExt;
use tokio::time::timeout;

use super::problem::{Code, Problem};

/// What a body may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Longest body in bytes.
    pub(super) longest: usize,
    /// How long the whole of it may take.
    pub(super) patience: Duration,
}

/// Reads a body of JSON, without looking into it.
pub(super) async fn read(headers: &HeaderMap, payload: &mut Payload, limits: Limits) -> Result<Bytes, Problem> {
    if !is_json(headers) {
        let problem = Problem::new(
            Code::UnsupportedMediaType,
            "the body has to be sent as application/json, not encoded",
        );
        return Err(problem.closing());
    }
    if length(headers).is_some_and(|length| length > limits.longest as u64) {
        return Err(too_large(limits));
    }
    timeout(limits.patience, collect(payload, limits))
        .await
        .unwrap_or_else(|_| {
            let detail = format!("the body did not come within {} s", limits.patience.as_secs());
            Err(Problem::new(Code::BodyTimeout, detail).closing())
        })
}

/// Whether a request says that it has a body.
pub(super) fn is_announced(headers: &HeaderMap) -> bool {
    headers.contains_key(header::TRANSFER_ENCODING) || length(headers).is_some_and(|length| length > 0)
}

/// An answer's body that keeps the request's body until it is written.
///
/// The HTTP stack reads a body in chunks that nobody holds to its end, which may never come, before it does anything
/// else with the connection. One that is held, and unread when the answer is out, closes the connection instead.
pub(super) struct Held {
    body: BoxBody,
    _payload: Payload,
}

impl Held {
    /// This answer, holding on to what may be unread of its request.
    pub(super) fn new(body: BoxBody, payload: Payload) -> Self {
        Self {
            body,
            _payload: payload,
        }
    }
}

impl MessageBody for Held {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(context)
    }
}

fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

async fn collect(payload: &mut Payload, limits: Limits) -> Result<Bytes, Problem> {
    // Nearly every body comes in one piece, and is then not copied.
    let mut whole = Bytes::new();
    let mut pieces = BytesMut::new();
    while let Some(piece) = payload.next().await {
        let piece = piece.map_err(|error| broken(&error))?;
        if whole.len() + pieces.len() + piece.len() > limits.longest {
            return Err(too_large(limits));
        }
        if whole.is_empty() && pieces.is_empty() {
            whole = piece;
        } else {
            pieces.extend_from_slice(&std::mem::take(&mut whole));
            pieces.extend_from_slice(&piece);
        }
    }
    Ok(if pieces.is_empty() { whole } else { pieces.freeze() })
}

fn too_large(limits: Limits) -> Problem {
    Problem::new(
        Code::BodyTooLarge,
        format!("the body may have at most {} bytes", limits.longest),
    )
    .closing()
}

fn broken(error: &PayloadError) -> Problem {
    Problem::new(Code::MalformedBody, format!("the body cannot be read: {error}")).closing()
}

/// Whether the body is said to be JSON in UTF-8, and nothing but that.
fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).map(|value| value.to_str());
    let (Some(Ok(media)), None) = (types.next(), types.next()) else {
        return false;
    };
    let mut parts = media.split(';').map(str::trim);
    let plain = parts
        .next()
        .is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"));
    let utf8 = |parameter: &str| match parameter.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
            value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    };
    let unencoded = headers
        .get(header::CONTENT_ENCODING)
        .is_none_or(|encoding| encoding == "identity");
    plain && parts.all(utf8) && unencoded
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    #[test]
    fn json_in_utf8_and_nothing_else() {
        let taken = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(value));
            is_json(&headers)
        };
        for json in [
            "application/json",
            "Application/JSON",
            "application/json; charset=UTF-8",
            "application/json;x=1",
        ] {
            assert!(taken(json), "{json}");
        }
        for other in [
            "",
            "text/plain",
            "application/jsonx",
            "application/problem+json",
            "application/json; charset=latin1",
        ] {
            assert!(!taken(other), "{other}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }
}
