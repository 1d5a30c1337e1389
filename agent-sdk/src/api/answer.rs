//! What a route answers when all is well.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::Bytes;
use serde::Serialize;

use super::pieces::Pieces;
use super::problem::Problem;

/// The media type of nearly every answer.
pub(super) const JSON: &str = "application/json";

/// A good answer.
#[derive(Clone)]
pub(super) struct Answer {
    status: StatusCode,
    media: &'static str,
    body: Pieces,
    location: Option<String>,
}

impl Answer {
    /// 200 with this value.
    pub(super) fn json(value: &impl Serialize) -> Result<Self, Problem> {
        let body = Pieces::json(value).map_err(Problem::internal)?;
        Ok(Self::of(JSON, body))
    }

    /// 200 with a body that is there already.
    pub(super) fn ready(media: &'static str, body: Bytes) -> Self {
        Self::of(media, Pieces::One(body))
    }

    fn of(media: &'static str, body: Pieces) -> Self {
        Self {
            status: StatusCode::OK,
            media,
            body,
            location: None,
        }
    }

    /// The same with another status.
    #[must_use]
    pub(super) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The same, saying where the thing is found.
    #[must_use]
    pub(super) fn found_at(mut self, location: String) -> Self {
        self.location = Some(location);
        self
    }

    pub(super) fn response(self) -> HttpResponse {
        let Self {
            status,
            media,
            body,
            location,
        } = self;
        let mut response = HttpResponse::build(status);
        response.insert_header((header::CONTENT_TYPE, HeaderValue::from_static(media)));
        if let Some(location) = location {
            response.insert_header((header::LOCATION, location));
        }
        response.body(body.body())
    }
}
