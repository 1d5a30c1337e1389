//! Frames: a length of four bytes, and as many bytes.

use std::fmt;
use std::io;

use bytes::{Bytes, BytesMut};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt};

/// The correlation id, which every answer begins with.
const SMALLEST: usize = 4;

/// Room is made for so many bytes beyond those that have come: a length that is a lie costs no more.
const AHEAD: usize = 64 * 1024;

/// A length that no answer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub struct Announced {
    /// The four bytes.
    pub head: [u8; 4],
    /// The longest answer that is taken, in bytes.
    pub largest: usize,
}

impl fmt::Display for Announced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.head {
            // An alert or a handshake's record, of any version of TLS.
            [0x15 | 0x16, 3, _, _] => f.write_str("it speaks TLS"),
            [b'H', b'T', b'T', b'P'] => f.write_str("it speaks HTTP"),
            head => {
                let length = i32::from_be_bytes(head);
                write!(f, "it announces {length} bytes, and {} are the most", self.largest)
            }
        }
    }
}

/// Why there is no frame.
#[derive(Debug)]
pub(super) enum FrameError {
    /// The connection broke, or ended before the frame or within it.
    Io(io::Error),
    Length(Announced),
}

impl From<io::Error> for FrameError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Reads one frame, without its length.
pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin), largest: usize) -> Result<Bytes, FrameError> {
    let mut head = [0; 4];
    stream.read_exact(&mut head).await?;
    let length = usize::try_from(i32::from_be_bytes(head))
        .ok()
        .filter(|length| (SMALLEST..=largest).contains(length))
        .ok_or(FrameError::Length(Announced { head, largest }))?;
    let mut frame = BytesMut::new();
    while frame.len() < length {
        let missing = length - frame.len();
        frame.reserve(missing.min(AHEAD));
        let limit = u64::try_from(missing).unwrap_or(u64::MAX);
        if (&mut *stream).take(limit).read_buf(&mut frame).await? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
    }
    Ok(frame.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has_ended(read: Result<Bytes, FrameError>) -> bool {
        matches!(read, Err(FrameError::Io(error)) if error.kind() == io::ErrorKind::UnexpectedEof)
    }

    #[tokio::test]
    async fn a_frame_is_what_its_length_says() {
        let mut two: &[u8] = b"\0\0\0\x05first\0\0\0\x06second";
        assert_eq!(read(&mut two, 6).await.unwrap(), "first");
        assert_eq!(read(&mut two, 6).await.unwrap(), "second");
        assert!(has_ended(read(&mut two, 6).await));
    }

    #[tokio::test]
    async fn lengths_that_no_answer_has_are_not_read() {
        for (head, says) in [
            (*b"\x80\0\0\0", "-2147483648 bytes"),
            (*b"\x7f\xff\xff\xff", "2147483647 bytes"),
            (*b"\0\0\0\x03", "3 bytes"),
            (*b"\0\0\0\x41", "65 bytes, and 64"),
            (*b"HTTP", "HTTP"),
            (*b"\x15\x03\x03\0", "TLS"),
        ] {
            let error = read(&mut &head[..], 64).await.unwrap_err();
            let FrameError::Length(announced) = error else {
                panic!("{error:?}")
            };
            assert!(announced.to_string().contains(says), "{announced}");
        }
    }

    #[tokio::test]
    async fn a_cut_frame_is_none() {
        let whole: &[u8] = b"\0\0\0\x05first";
        for end in 0..whole.len() {
            assert!(has_ended(read(&mut &whole[..end], 64).await));
        }
    }
}
