//! An answer's bytes, taken as they come.

use super::exchange::{Answer, Fault, Limits};

/// Headers that are taken at most.
const HEADERS: usize = 128;

/// Reads one answer.
pub(super) struct Reader {
    limits: Limits,
    bytes: Vec<u8>,
    head: Option<Head>,
}

struct Head {
    status: u16,
    headers: Vec<(String, String)>,
    /// Where the body begins.
    length: usize,
    ends: Ends,
}

/// How the end of a body is known.
#[derive(Clone, Copy)]
enum Ends {
    After(usize),
    Chunked,
    WithTheConnection,
}

impl Reader {
    pub(super) const fn new(limits: Limits) -> Self {
        Self {
            limits,
            bytes: Vec::new(),
            head: None,
        }
    }

    /// Takes what came; the answer, once it is whole.
    pub(super) fn take(&mut self, piece: &[u8]) -> Result<Option<Answer>, Fault> {
        self.bytes.extend_from_slice(piece);
        if self.head.is_none() {
            self.head = self.read_head()?;
        }
        let Some(head) = &self.head else {
            if self.bytes.len() > self.limits.head {
                return Err(Fault::TooLong("head", self.limits.head));
            }
            return Ok(None);
        };
        // Chunks say their lengths, which is more than the body's own bytes, though never much more for an honest server.
        let came = self.bytes.len() - head.length;
        match head.ends {
            Ends::After(length) if length > self.limits.body => Err(Fault::TooLong("body", self.limits.body)),
            Ends::After(length) if came >= length => {
                Ok(Some(head.answer(self.bytes[head.length..][..length].to_vec())))
            }
            Ends::Chunked => match dechunk(&self.bytes[head.length..], self.limits.body)? {
                Some(body) => Ok(Some(head.answer(body))),
                None if came > 2 * self.limits.body => Err(Fault::TooLong("body", self.limits.body)),
                None => Ok(None),
            },
            Ends::WithTheConnection if came > self.limits.body => Err(Fault::TooLong("body", self.limits.body)),
            Ends::After(_) | Ends::WithTheConnection => Ok(None),
        }
    }

    /// The connection has ended.
    pub(super) fn end(self) -> Result<Answer, Fault> {
        match &self.head {
            None if self.bytes.is_empty() => Err(Fault::Cut("an answer began".to_owned())),
            None => Err(Fault::Cut("the end of the answer's head".to_owned())),
            Some(head) => match head.ends {
                Ends::WithTheConnection => Ok(head.answer(self.bytes[head.length..].to_vec())),
                Ends::Chunked => Err(Fault::Cut("the last chunk of the answer's body".to_owned())),
                Ends::After(length) => {
                    let came = self.bytes.len() - head.length;
                    Err(Fault::Cut(format!(
                        "the end of the answer's body: {came} of {length} bytes came"
                    )))
                }
            },
        }
    }

    fn read_head(&self) -> Result<Option<Head>, Fault> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        let length = match response.parse(&self.bytes) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(error) => return Err(Fault::Garbage(error.to_string())),
        };
        let status = response.code.unwrap_or_default();
        let mut named = Vec::with_capacity(response.headers.len());
        for header in response.headers.iter() {
            let value = String::from_utf8_lossy(header.value).trim().to_owned();
            named.push((header.name.to_ascii_lowercase(), value));
        }
        let all = |name: &str| -> Vec<String> {
            let of = named.iter().filter(|(known, _)| known == name);
            of.map(|(_, value)| value.clone()).collect()
        };
        let (lengths, coding) = (all("content-length"), all("transfer-encoding"));
        let ends = if matches!(status, 100..=199 | 204 | 304) {
            Ends::After(0)
        } else if !coding.is_empty() {
            if !lengths.is_empty() {
                return Err(Fault::Garbage("it has a length and is sent in chunks".to_owned()));
            }
            Ends::Chunked
        } else {
            match lengths.as_slice() {
                [] => Ends::WithTheConnection,
                [one] => {
                    let length = one
                        .parse()
                        .map_err(|_| Fault::Garbage(format!("its length is {one:?}")))?;
                    Ends::After(length)
                }
                _ => return Err(Fault::Garbage("it has two lengths".to_owned())),
            }
        };
        Ok(Some(Head {
            status,
            headers: named,
            length,
            ends,
        }))
    }
}

impl Head {
    fn answer(&self, body: Vec<u8>) -> Answer {
        Answer {
            status: self.status,
            headers: self.headers.clone(),
            body,
        }
    }
}

/// The body that chunks make; none while the last one has not come.
fn dechunk(mut bytes: &[u8], longest: usize) -> Result<Option<Vec<u8>>, Fault> {
    let mut body = Vec::new();
    loop {
        let (start, size) = match httparse::parse_chunk_size(bytes) {
            Ok(httparse::Status::Complete(found)) => found,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => return Err(Fault::Garbage("a chunk has no length".to_owned())),
        };
        let rest = &bytes[start..];
        if size == 0 {
            // Trailers, if any, end with an empty line.
            let ended = rest.starts_with(b"\r\n") || rest.windows(4).any(|four| four == b"\r\n\r\n");
            return Ok(ended.then_some(body));
        }
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        if size > longest || body.len() + size > longest {
            return Err(Fault::TooLong("body", longest));
        }
        let Some(chunk) = rest.get(..size) else { return Ok(None) };
        body.extend_from_slice(chunk);
        let end = &rest[size..];
        if end.len() < 2 {
            return Ok(None);
        }
        if !end.starts_with(b"\r\n") {
            return Err(Fault::Garbage("a chunk is longer than it says".to_owned()));
        }
        bytes = &end[2..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&[u8]]) -> Result<Answer, Fault> {
        let limits = Limits {
            body: 64,
            head: 256,
            ..Limits::default()
        };
        let mut reader = Reader::new(limits);
        for piece in pieces {
            if let Some(answer) = reader.take(piece)? {
                return Ok(answer);
            }
        }
        reader.end()
    }

    #[test]
    fn answers_end_by_length_by_chunks_and_with_the_connection() {
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n".as_slice();
        assert_eq!(read(&[head, b"fo", b"urX"]).unwrap().body, b"four");
        let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".as_slice();
        assert_eq!(
            read(&[chunked, b"2\r\nfo\r\n", b"2;x=y\r\nur\r\n0\r\n\r\n"])
                .unwrap()
                .body,
            b"four"
        );
        let open = b"HTTP/1.1 200 OK\r\n\r\n".as_slice();
        assert_eq!(read(&[open, b"four"]).unwrap().body, b"four");
        assert_eq!(read(&[b"HTTP/1.1 204 No Content\r\n\r\n"]).unwrap().status, 204);
    }

    #[test]
    fn what_is_wrong_with_an_answer_is_told() {
        let of = |pieces: &[&[u8]]| read(pieces).unwrap_err();
        assert!(matches!(of(&[]), Fault::Cut(_)));
        assert!(matches!(of(&[b"HTTP/1.1 200 OK\r\nA: b"]), Fault::Cut(_)));
        assert!(matches!(of(&[b"\x16\x03\x01\x02"]), Fault::Garbage(_)));
        assert!(matches!(of(&[&[b'a'; 300]]), Fault::Garbage(_)));
        let head = |rest: &str| format!("HTTP/1.1 200 OK\r\n{rest}\r\n\r\n");
        let long = "x".repeat(300);
        assert_eq!(
            of(&[format!("HTTP/1.1 200 OK\r\nA: {long}").as_bytes()]),
            Fault::TooLong("head", 256)
        );
        assert_eq!(of(&[head("content-length: 65").as_bytes()]), Fault::TooLong("body", 64));
        assert!(matches!(
            of(&[head("content-length: -1").as_bytes()]),
            Fault::Garbage(_)
        ));
        let short = of(&[head("content-length: 9").as_bytes(), b"four"]).to_string();
        assert!(short.contains("4 of 9"), "{short}");
        let chunked = head("transfer-encoding: chunked");
        for (body, garbage) in [("zz\r\n", true), ("2\r\nfour\r\n", true), ("4\r\nfour\r\n", false)] {
            let fault = of(&[chunked.as_bytes(), body.as_bytes()]);
            assert_eq!(matches!(fault, Fault::Garbage(_)), garbage, "{body:?}: {fault}");
        }
        assert_eq!(of(&[chunked.as_bytes(), b"ffffffffff\r\n"]), Fault::TooLong("body", 64));
        let both = head("transfer-encoding: chunked\r\ncontent-length: 4");
        assert!(matches!(of(&[both.as_bytes()]), Fault::Garbage(_)));
    }
}
