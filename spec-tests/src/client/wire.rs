//! An answer's bytes, taken as they come.

use super::chunks::Chunks;
use super::exchange::{Answer, Fault, Limits};

/// Headers that are taken at most.
const HEADERS: usize = 128;

/// Heads that may come before the answer's own: a server informs once or twice.
const INTERIM: usize = 16;

/// Reads one answer.
pub(super) struct Reader {
    limits: Limits,
    /// Whether there is one answer and nothing else, as to a request that asks for the connection's end.
    alone: bool,
    /// What came, but for what was taken of it.
    bytes: Vec<u8>,
    /// Heads that only informed, and how long they were.
    informed: (usize, usize),
    head: Option<Head>,
}

struct Head {
    status: u16,
    headers: Vec<(String, String)>,
    ends: Ends,
}

/// How the end of a body is known.
enum Ends {
    After(usize),
    Chunked(Chunks),
    WithTheConnection,
}

impl Reader {
    pub(super) const fn new(limits: Limits, alone: bool) -> Self {
        Self {
            limits,
            alone,
            bytes: Vec::new(),
            informed: (0, 0),
            head: None,
        }
    }

    /// Takes what came; the answer, once it is whole.
    pub(super) fn take(&mut self, piece: &[u8]) -> Result<Option<Answer>, Fault> {
        self.bytes.extend_from_slice(piece);
        while self.head.is_none() {
            let Some((head, length)) = self.read_head()? else {
                if self.informed.1 + self.bytes.len() > self.limits.head {
                    return Err(Fault::TooLong("head", self.limits.head));
                }
                return Ok(None);
            };
            self.bytes.drain(..length);
            if head.is_interim() {
                self.informed = (self.informed.0 + 1, self.informed.1 + length);
                if self.informed.0 > INTERIM {
                    return Err(Fault::Garbage(format!("more than {INTERIM} heads only inform")));
                }
            } else {
                self.head = Some(head);
            }
        }
        let Some(head) = &mut self.head else { return Ok(None) };
        let longest = self.limits.body;
        let body = match &mut head.ends {
            Ends::After(length) if *length > longest => return Err(Fault::TooLong("body", longest)),
            Ends::After(length) if self.bytes.len() < *length => None,
            Ends::After(length) => {
                let rest = self.bytes.split_off(*length);
                Some(std::mem::replace(&mut self.bytes, rest))
            }
            Ends::Chunked(chunks) => chunks.take(&mut self.bytes)?,
            Ends::WithTheConnection if self.bytes.len() > longest => return Err(Fault::TooLong("body", longest)),
            Ends::WithTheConnection => None,
        };
        let Some(body) = body else { return Ok(None) };
        // Whoever shares the connection with others would read it as the answer to another question.
        if self.alone && !self.bytes.is_empty() {
            return Err(Fault::Garbage("it goes on after its end".to_owned()));
        }
        Ok(self.head.take().map(|head| head.answer(body)))
    }

    /// The connection has ended: by its end, or by a fault.
    pub(super) fn end(self, fault: Option<&std::io::Error>) -> Result<Answer, Fault> {
        let cut = |before: &str| {
            Err(Fault::Cut(match fault {
                Some(error) => format!("{before} ({error})"),
                None => before.to_owned(),
            }))
        };
        let came = self.bytes.len();
        match self.head {
            None if came == 0 => cut("an answer began"),
            None => cut("the end of the answer's head"),
            Some(head) => match head.ends {
                Ends::WithTheConnection if fault.is_none() => Ok(head.answer(self.bytes)),
                // A body that only the connection ends is not known to be whole where that did not end well.
                Ends::WithTheConnection => cut("it was closed, which is all that ends the answer's body"),
                Ends::Chunked(_) => cut("the last chunk of the answer's body"),
                Ends::After(length) => cut(&format!("the end of the answer's body: {came} of {length} bytes came")),
            },
        }
    }

    /// A head and its length, once it is whole.
    fn read_head(&self) -> Result<Option<(Head, usize)>, Fault> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        let length = match response.parse(&self.bytes) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(error) => return Err(Fault::Garbage(error.to_string())),
        };
        let status = response.code.unwrap_or_default();
        if status == 101 {
            return Err(Fault::Garbage(
                "it changes the protocol, which nobody asked for".to_owned(),
            ));
        }
        let mut named = Vec::with_capacity(response.headers.len());
        for header in response.headers.iter() {
            let value = String::from_utf8_lossy(header.value).trim().to_owned();
            named.push((header.name.to_ascii_lowercase(), value));
        }
        let head = Head {
            status,
            ends: self.ends(status, &named)?,
            headers: named,
        };
        Ok(Some((head, length)))
    }

    fn ends(&self, status: u16, headers: &[(String, String)]) -> Result<Ends, Fault> {
        let all = |name: &str| -> Vec<&str> {
            let of = headers.iter().filter(|(known, _)| known == name);
            of.map(|(_, value)| value.as_str()).collect()
        };
        if matches!(status, 100..=199 | 204 | 304) {
            return Ok(Ends::After(0));
        }
        match (all("content-length").as_slice(), all("transfer-encoding").as_slice()) {
            ([], []) => Ok(Ends::WithTheConnection),
            ([one], []) => length(one).map(Ends::After),
            (_, []) => Err(Fault::Garbage("it has two lengths".to_owned())),
            ([], [coding]) if coding.eq_ignore_ascii_case("chunked") => {
                Ok(Ends::Chunked(Chunks::new(self.limits.body, self.limits.head)))
            }
            ([], codings) => Err(Fault::Garbage(format!(
                "its transfer-encoding is {:?}, which nobody asked for",
                codings.join(", ")
            ))),
            _ => Err(Fault::Garbage("it has a length and is sent in chunks".to_owned())),
        }
    }
}

impl Head {
    /// Whether the answer's own head is still to come.
    const fn is_interim(&self) -> bool {
        matches!(self.status, 100..=199)
    }

    fn answer(self, body: Vec<u8>) -> Answer {
        Answer {
            status: self.status,
            headers: self.headers,
            body,
        }
    }
}

/// Digits and nothing else: a sign is none.
fn length(text: &str) -> Result<usize, Fault> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let length = text.parse().ok().filter(|_| digits);
    length.ok_or_else(|| Fault::Garbage(format!("its length is {text:?}")))
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
        let mut reader = Reader::new(limits, true);
        for piece in pieces {
            if let Some(answer) = reader.take(piece)? {
                return Ok(answer);
            }
        }
        reader.end(None)
    }

    #[test]
    fn answers_end_by_length_by_chunks_and_with_the_connection() {
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n".as_slice();
        assert_eq!(read(&[head, b"fo", b"ur"]).unwrap().body, b"four");
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
        let trailers = b"0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n".as_slice();
        assert_eq!(read(&[chunked, b"4\r\nfour\r\n", trailers]).unwrap().body, b"four");
    }

    #[test]
    fn an_answer_is_the_same_however_it_is_cut_up() {
        let whole =
            b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n\
            2;x=y\r\nfo\r\n2\r\nur\r\n0\r\nX-Sum: 1\r\n\r\n";
        for at in 0..whole.len() {
            let (one, other) = whole.split_at(at);
            assert_eq!(read(&[one, other]).unwrap().body, b"four", "cut at {at}");
        }
        let single: Vec<&[u8]> = whole.chunks(1).collect();
        assert_eq!(read(&single).unwrap().body, b"four");
    }

    #[test]
    fn heads_that_only_inform_come_before_the_answer() {
        let informs = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n".as_slice();
        let answer = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".as_slice();
        assert_eq!(read(&[informs, answer]).unwrap().status, 404);
        assert!(matches!(read(&[informs]), Err(Fault::Cut(_))));
        let short = b"HTTP/1.1 102 P\r\n\r\n".repeat(17);
        let often = short.chunks(18).map(<[u8]>::to_vec).collect::<Vec<_>>();
        let often: Vec<&[u8]> = often.iter().map(Vec::as_slice).collect();
        assert!(read(&often).is_err(), "they end");
        let switches = read(&[b"HTTP/1.1 101 Switching Protocols\r\n\r\n"]);
        assert!(matches!(switches, Err(Fault::Garbage(_))));
    }

    #[test]
    fn a_body_that_the_connection_ends_is_whole_only_where_that_ends_well() {
        let mut reader = Reader::new(Limits::default(), true);
        assert!(reader.take(b"HTTP/1.1 200 OK\r\n\r\n{}").unwrap().is_none());
        let reset = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        assert!(matches!(reader.end(Some(&reset)), Err(Fault::Cut(_))));
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
        for (body, garbage) in [
            ("zz\r\n", true),
            ("\r\n\r\n", true),
            ("2\r\nfour\r\n", true),
            ("4\r\nfour\r\n", false),
            ("0\r\n\r\nmore", true),
        ] {
            let fault = of(&[chunked.as_bytes(), body.as_bytes()]);
            assert_eq!(matches!(fault, Fault::Garbage(_)), garbage, "{body:?}: {fault}");
        }
        assert_eq!(of(&[chunked.as_bytes(), b"ffffffffff\r\n"]), Fault::TooLong("body", 64));
        let endless: [&[u8]; 2] = [chunked.as_bytes(), &[b"2;".as_slice(), &[b'x'; 300]].concat()];
        assert_eq!(of(&endless), Fault::TooLong("framing", 256));
        for headers in [
            "transfer-encoding: chunked\r\ncontent-length: 4",
            "transfer-encoding: gzip, chunked",
            "transfer-encoding: identity",
            "content-length: +4",
            "content-length: 4\r\ncontent-length: 4",
            "content-length: 2",
        ] {
            let fault = of(&[head(headers).as_bytes(), b"four"]);
            assert!(matches!(fault, Fault::Garbage(_)), "{headers}: {fault}");
        }
    }
}
