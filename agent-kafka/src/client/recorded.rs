//! Exchanges with real brokers, kept as text: what was asked and what came back, byte by byte.
//!
//! [`recording`](super::recording) makes them, and says how.

use std::fmt::Write as _;

use bytes::Bytes;

use super::call::Call;
use super::wire;

/// The releases that there are recordings of.
pub(crate) const RELEASES: [(&str, &str); 2] = [
    ("3.9.2", include_str!("recorded/3.9.2.txt")),
    ("4.3.0", include_str!("recorded/4.3.0.txt")),
];

/// One request and its answer, without their lengths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Exchange {
    /// Which listener: `broker`, `controller`.
    pub(crate) listener: String,
    pub(crate) request: Bytes,
    pub(crate) answer: Bytes,
}

impl Exchange {
    /// Key and version, which every request begins with.
    pub(crate) fn asks(&self) -> (i16, i16) {
        let [a, b, c, d] = self.request[..4].try_into().unwrap();
        (i16::from_be_bytes([a, b]), i16::from_be_bytes([c, d]))
    }

    pub(crate) fn correlation(&self) -> i32 {
        i32::from_be_bytes(self.request[4..8].try_into().unwrap())
    }
}

/// A heading for each exchange, then what was sent (`>`) and what came (`<`), in hexadecimal.
pub(crate) fn render(exchanges: &[Exchange], name: impl Fn(i16) -> String) -> String {
    let mut text = String::new();
    for exchange in exchanges {
        let (key, version) = exchange.asks();
        writeln!(text, "\n{} {} {version}", exchange.listener, name(key)).unwrap();
        for (sign, bytes) in [('>', &exchange.request), ('<', &exchange.answer)] {
            for line in bytes.chunks(56) {
                write!(text, "{sign} ").unwrap();
                for byte in line {
                    write!(text, "{byte:02x}").unwrap();
                }
                text.push('\n');
            }
        }
    }
    text
}

pub(crate) fn parse(text: &str) -> Vec<Exchange> {
    let block = |block: &str| {
        let side = |sign: char| {
            let lines = block.lines().filter_map(|line| line.strip_prefix(sign));
            let hex: String = lines.map(str::trim).collect();
            let bytes = (0..hex.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap());
            bytes.collect::<Bytes>()
        };
        Exchange {
            listener: block.split(' ').next().unwrap().to_owned(),
            request: side('>'),
            answer: side('<'),
        }
    };
    let blocks = text
        .split("\n\n")
        .map(str::trim)
        .filter(|block| !block.starts_with('#') && !block.is_empty());
    blocks.map(block).collect()
}

/// The recorded exchanges of one release.
pub(crate) fn of(release: &str) -> Vec<Exchange> {
    let (_, text) = RELEASES.into_iter().find(|(name, _)| *name == release).unwrap();
    parse(text)
}

/// What a listener of this release answered to this request, first of all.
pub(crate) fn first(release: &str, listener: &str, key: i16) -> Exchange {
    let mut exchanges = of(release).into_iter();
    let found = exchanges.find(|exchange| exchange.listener == listener && exchange.asks().0 == key);
    found.unwrap_or_else(|| panic!("no exchange of {key} with the {listener} of {release}"))
}

/// An answer as the client reads it.
pub(crate) fn read<C: Call>(exchange: &Exchange) -> C::Answer {
    let (_, version) = exchange.asks();
    let body = wire::uncover::<C>(exchange.answer.clone(), version, exchange.correlation()).unwrap();
    let (_, fields) = C::ANSWERS.iter().find(|(known, _)| *known == version).unwrap();
    wire::decode::<C>(body, version, fields).unwrap()
}

mod tests;
