//! A body that comes in chunks, put together as they come.

use super::exchange::Fault;

/// What is known so far. Of what has come no byte is looked at twice, but for those of a line that is not whole yet.
pub(super) struct Chunks {
    body: Vec<u8>,
    next: Next,
    longest: usize,
    /// Longest line of a chunk's size, or all trailers.
    line: usize,
}

/// What has to come next.
#[derive(Clone, Copy)]
enum Next {
    Size,
    Data(usize),
    /// The end of a chunk's line.
    End,
    Trailers,
}

impl Chunks {
    /// For a body of at most `longest` bytes, whose framing has lines of at most `line` bytes.
    pub(super) const fn new(longest: usize, line: usize) -> Self {
        Self {
            body: Vec::new(),
            next: Next::Size,
            longest,
            line,
        }
    }

    /// Takes from the beginning of `bytes` what is whole; the body, once it is.
    pub(super) fn take(&mut self, bytes: &mut Vec<u8>) -> Result<Option<Vec<u8>>, Fault> {
        let mut at = 0;
        loop {
            let rest = &bytes[at..];
            let taken = match self.next {
                Next::Size => self.size(rest)?,
                Next::Data(left) => {
                    let came = left.min(rest.len());
                    self.body.extend_from_slice(&rest[..came]);
                    self.next = if came == left {
                        Next::End
                    } else {
                        Next::Data(left - came)
                    };
                    (came > 0).then_some(came)
                }
                Next::End => match rest {
                    [b'\r', b'\n', ..] => {
                        self.next = Next::Size;
                        Some(2)
                    }
                    [] | [b'\r'] => None,
                    _ => return Err(Fault::Garbage("a chunk is longer than it says".to_owned())),
                },
                Next::Trailers => {
                    if let Some(length) = trailers(rest) {
                        bytes.drain(..at + length);
                        return Ok(Some(std::mem::take(&mut self.body)));
                    }
                    None
                }
            };
            let Some(taken) = taken else { break };
            at += taken;
        }
        bytes.drain(..at);
        if bytes.len() > self.line {
            return Err(Fault::TooLong("framing", self.line));
        }
        Ok(None)
    }

    /// Reads the line of a size; how long it was.
    fn size(&mut self, rest: &[u8]) -> Result<Option<usize>, Fault> {
        let nothing = || Fault::Garbage("a chunk has no length".to_owned());
        // An empty line would be taken for nought, and so for the end.
        if rest.first().is_some_and(|byte| !byte.is_ascii_hexdigit()) {
            return Err(nothing());
        }
        let (length, size) = match httparse::parse_chunk_size(rest) {
            Ok(httparse::Status::Complete(found)) => found,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => return Err(nothing()),
        };
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        if size > self.longest - self.body.len() {
            return Err(Fault::TooLong("body", self.longest));
        }
        self.next = if size == 0 { Next::Trailers } else { Next::Data(size) };
        Ok(Some(length))
    }
}

/// How long the trailers are, with the empty line that ends them.
fn trailers(rest: &[u8]) -> Option<usize> {
    if rest.starts_with(b"\r\n") {
        return Some(2);
    }
    let end = rest.windows(4).position(|four| four == b"\r\n\r\n")?;
    Some(end + 4)
}
