//! Requests to bytes, and bytes to answers.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::messages::RequestHeader;
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, StrBytes};

use super::answers::{Fields, HEADER_TAGS};
use super::call::Call;
use super::error::{Fault, Garbage};
use super::shape;

/// What brokers log, and count quotas by.
const CLIENT_ID: &str = "agent-kafka";

/// The frame of a request, its length included.
///
/// **Errors**: [`Fault::Unfit`] where the request says something that this version of it has no place for.
pub(super) fn encode<C: Call>(request: &C, version: i16, correlation: i32) -> Result<Bytes, Fault> {
    let header = RequestHeader::default()
        .with_request_api_key(C::KEY as i16)
        .with_request_api_version(version)
        .with_correlation_id(correlation)
        .with_client_id(Some(StrBytes::from_static_str(CLIENT_ID)));
    let unfit = |reason: String| Fault::Unfit { api: C::NAME, reason };
    let mut message = BytesMut::new();
    header
        .encode(&mut message, C::header_version(version))
        .and_then(|()| request.encode(&mut message, version))
        .map_err(|error| unfit(error.to_string()))?;
    let length = i32::try_from(message.len()).map_err(|_| unfit("it is longer than 2 GiB".to_owned()))?;
    let mut frame = BytesMut::with_capacity(message.len() + 4);
    frame.put_i32(length);
    frame.put(message);
    Ok(frame.freeze())
}

/// What an answer's header says, taken off: all that is known of what comes next is that it is this request's.
pub(super) fn uncover<C: Call>(mut frame: Bytes, version: i16, correlation: i32) -> Result<Bytes, Garbage> {
    let got = frame.try_get_i32().map_err(|_| shape::Misfit::Short)?;
    if got != correlation {
        let expected = correlation;
        return Err(Garbage::Correlation { expected, got });
    }
    if C::Answer::header_version(version) > 0 {
        let behind = shape::skip(&frame, HEADER_TAGS)?.len();
        frame.advance(frame.len() - behind);
    }
    Ok(frame)
}

/// An answer without its header. It is walked before it is decoded (see [`shape`]).
pub(super) fn decode<C: Call>(mut body: Bytes, version: i16, fields: Fields) -> Result<C::Answer, Garbage> {
    shape::walk(&body, fields)?;
    let answer = C::Answer::decode(&mut body, version).map_err(|error| Garbage::Field(error.to_string()))?;
    // The walk and the decoder saw the same fields, or one of them is wrong.
    match body.len() {
        0 => Ok(answer),
        rest => Err(shape::Misfit::Rest(rest).into()),
    }
}
