//! A body in pieces: a list of ten thousand shards is never one text.
//!
//! What fits one piece is one, and costs nothing more. What does not is written piece by piece and sent so, and shared by
//! all who are given the same answer.

use std::io::{self, Write};
use std::mem;
use std::sync::Arc;

use actix_web::body::{BoxBody, MessageBody, SizedStream};
use actix_web::web::Bytes;
use futures_util::stream;
use serde::Serialize;

/// Length of a piece, in bytes.
const PIECE: usize = 64 * 1024;

/// A body.
#[derive(Clone)]
pub(super) enum Pieces {
    /// All of it.
    One(Bytes),
    /// Piece by piece.
    Many(Arc<[Bytes]>),
}

impl Pieces {
    /// A value as JSON.
    pub(super) fn json(value: &impl Serialize) -> serde_json::Result<Self> {
        let mut writer = Writer::default();
        serde_json::to_writer(&mut writer, value)?;
        Ok(writer.finish())
    }

    /// As it is sent.
    pub(super) fn body(self) -> BoxBody {
        match self {
            Self::One(bytes) => bytes.boxed(),
            Self::Many(pieces) => {
                let length = pieces.iter().map(|piece| piece.len() as u64).sum();
                let mut next = 0;
                let all = std::iter::from_fn(move || {
                    let piece = pieces.get(next).cloned();
                    next += 1;
                    piece.map(Ok::<_, io::Error>)
                });
                SizedStream::new(length, stream::iter(all)).boxed()
            }
        }
    }
}

#[derive(Default)]
struct Writer {
    full: Vec<Bytes>,
    last: Vec<u8>,
}

impl Writer {
    fn finish(mut self) -> Pieces {
        if self.full.is_empty() {
            return Pieces::One(self.last.into());
        }
        self.full.push(self.last.into());
        Pieces::Many(self.full.into())
    }
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.last.len() >= PIECE {
            let piece = mem::replace(&mut self.last, Vec::with_capacity(PIECE));
            self.full.push(piece.into());
        }
        let taken = bytes.len().min(PIECE - self.last.len());
        self.last.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use actix_web::body::{self, BodySize};

    use super::*;

    #[tokio::test]
    async fn a_long_body_is_what_a_short_one_would_be_in_pieces() {
        for (count, pieces) in [(3, 1), (PIECE / 10, 2), (PIECE, 11)] {
            let value: Vec<_> = (0..count).map(|number| format!("{number:06}")).collect();
            let whole = serde_json::to_vec(&value).unwrap();
            let written = Pieces::json(&value).unwrap();
            let parts = match &written {
                Pieces::One(_) => 1,
                Pieces::Many(parts) => {
                    assert!(parts.iter().all(|part| part.len() <= PIECE && !part.is_empty()));
                    parts.len()
                }
            };
            assert!(parts.abs_diff(pieces) <= 1, "{parts} pieces of {} bytes", whole.len());
            let again = written.clone().body();
            let sent = written.body();
            assert_eq!(sent.size(), BodySize::Sized(whole.len() as u64));
            assert_eq!(body::to_bytes(sent).await.unwrap(), whole);
            assert_eq!(body::to_bytes(again).await.unwrap(), whole, "for the next who asks");
        }
    }
}
