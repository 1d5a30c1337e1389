//! One connection to one listener, with one request in flight.
//!
//! A call takes the connection and gives it back together with the answer. So one that failed, or whose call was given
//! up, is gone: there is no way to send a second request over it and to take the late answer to the first for its own.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::messages::ApiVersionsRequest;
use kafka_protocol::protocol::StrBytes;
use tokio::io::{AsyncRead as _, AsyncWriteExt as _, ReadBuf};
use tokio::time::Instant;

use super::answers::{API_VERSIONS_0, API_VERSIONS_4};
use super::call::Call;
use super::code::Code;
use super::deadline::Deadline;
use super::endpoint::{Endpoint, Stream};
use super::error::{Awaiting, Fault, Garbage};
use super::frame::{self, FrameError};
use super::sasl;
use super::tls;
use super::versions::Versions;
use super::wire;

/// A connection that is ready for a request.
pub struct Connection {
    stream: Box<dyn Stream>,
    largest_answer: usize,
    /// Of the last request.
    correlation: i32,
    versions: Versions,
    expires: Option<Instant>,
}

impl Connection {
    /// Connects, asks what the listener knows, and logs in.
    pub async fn open(endpoint: &Endpoint, deadline: Deadline) -> Result<Self, Fault> {
        let connection = Self {
            stream: endpoint.connect(deadline).await?,
            largest_answer: endpoint.largest_answer,
            correlation: 0,
            versions: Versions::default(),
            expires: None,
        };
        let connection = connection.negotiate(deadline).await?;
        let Some(login) = &endpoint.login else {
            return Ok(connection);
        };
        let (mut connection, lifetime) = sasl::log_in(connection, login, deadline).await?;
        // The broker ends a connection whose login is over, in the middle of a request; so it is left before.
        connection.expires = lifetime.and_then(|lifetime| Instant::now().checked_add(lifetime / 5 * 4));
        Ok(connection)
    }

    /// What the listener knows.
    pub const fn versions(&self) -> &Versions {
        &self.versions
    }

    /// Sends a request and reads its answer.
    ///
    /// **Errors**: [`Fault::Undecided`] where the request changes something and may have been carried out; any other
    /// error of such a request means that it was not.
    pub async fn call<C: Call>(mut self, request: &C, deadline: Deadline) -> Result<(Self, C::Answer), Fault> {
        let (version, fields) = self.versions.chosen::<C>()?;
        let frame = self.encode(request, version)?;
        let read = async {
            let body = self.exchange::<C>(&frame, version, deadline).await?;
            wire::decode::<C>(body, version, fields).map_err(garbage::<C>)
        };
        // From the first byte on nothing tells from here how much of it has arrived.
        let answer = read.await.map_err(undecided::<C>)?;
        Ok((self, answer))
    }

    /// Whether a request may be sent: nothing has come that was not asked for, the end included.
    pub(super) async fn is_quiet(&mut self) -> bool {
        let expired = self.expires.is_some_and(|expires| expires <= Instant::now());
        let mut byte = [0];
        let nothing_comes = poll_fn(|context| {
            let read = Pin::new(&mut self.stream).poll_read(context, &mut ReadBuf::new(&mut byte));
            Poll::Ready(read.is_pending())
        });
        !expired && nothing_comes.await
    }

    /// `ApiVersions` in version 4, the first that tells of features whose lowest level is 0, and in version 0 where
    /// that is not known: the one answer that comes in a version which was not asked for, since that is what is being
    /// found out.
    async fn negotiate(mut self, deadline: Deadline) -> Result<Self, Fault> {
        let request = ApiVersionsRequest::default()
            .with_client_software_name(StrBytes::from_static_str(env!("CARGO_PKG_NAME")))
            .with_client_software_version(StrBytes::from_static_str(env!("CARGO_PKG_VERSION")));
        let frame = self.encode(&request, 4)?;
        let mut body = self.exchange::<ApiVersionsRequest>(&frame, 4, deadline).await?;
        let (mut version, mut fields) = (4, API_VERSIONS_4);
        if body.starts_with(&Code::UNSUPPORTED_VERSION.0.to_be_bytes()) {
            (version, fields) = (0, API_VERSIONS_0);
            let frame = self.encode(&ApiVersionsRequest::default(), version)?;
            body = self.exchange::<ApiVersionsRequest>(&frame, version, deadline).await?;
        }
        let decoded = wire::decode::<ApiVersionsRequest>(body, version, fields);
        let answer = decoded.map_err(garbage::<ApiVersionsRequest>)?;
        match Code(answer.error_code) {
            Code::NONE => self.versions = Versions::new(&answer),
            code => {
                let api = ApiVersionsRequest::NAME;
                return Err(Fault::Answered { api, code });
            }
        }
        Ok(self)
    }

    fn encode<C: Call>(&mut self, request: &C, version: i16) -> Result<Bytes, Fault> {
        self.correlation = self.correlation.wrapping_add(1);
        wire::encode(request, version, self.correlation)
    }

    /// Sends a frame and reads the answer to it, without its header.
    async fn exchange<C: Call>(&mut self, request: &[u8], version: i16, deadline: Deadline) -> Result<Bytes, Fault> {
        let awaiting = Awaiting::Answer(C::NAME);
        let exchange = async {
            self.stream.write_all(request).await?;
            self.stream.flush().await?;
            frame::read(&mut self.stream, self.largest_answer).await
        };
        let frame = match deadline.bound(awaiting, exchange).await? {
            Ok(frame) => frame,
            Err(FrameError::Io(cause)) => return Err(tls::broken(awaiting, cause)),
            Err(FrameError::Length(announced)) => return Err(garbage::<C>(announced.into())),
        };
        wire::uncover::<C>(frame, version, self.correlation).map_err(garbage::<C>)
    }
}

fn garbage<C: Call>(what: Garbage) -> Fault {
    let awaiting = Awaiting::Answer(C::NAME);
    Fault::Garbage { awaiting, what }
}

fn undecided<C: Call>(fault: Fault) -> Fault {
    if !C::CHANGES {
        return fault;
    }
    Fault::Undecided {
        api: C::NAME,
        cause: Box::new(fault),
    }
}

/// How long a login is good for, where the broker bounds it.
pub(super) type Lifetime = Option<Duration>;

#[cfg(test)]
mod tests;
