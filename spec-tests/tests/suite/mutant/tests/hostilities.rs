//! Servers that are no agents do what they say, and leave nothing behind.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::mutant::hostile::{Hostility, Server};

/// What comes within a second, at most so much of it.
fn came(server: &Server, most: u64) -> String {
    let mut stream = TcpStream::connect(server.address.strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    // Who closes at once does not take the question.
    drop(stream.write_all(b"GET /here HTTP/1.1\r\nhost: h\r\n\r\n"));
    let mut came = Vec::new();
    drop(stream.take(most).read_to_end(&mut came));
    String::from_utf8_lossy(&came).into_owned()
}

#[test]
fn each_does_what_it_says() {
    for hostility in Hostility::ALL {
        let server = Server::start(hostility);
        let text = came(&server, if hostility == Hostility::Drips { 90 } else { 300_000 });
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let good = match hostility {
            Hostility::Hangs | Hostility::ClosesAtOnce | Hostility::ClosesAfterQuestion => text.is_empty(),
            Hostility::HangsAfterHead => head.contains("200 OK") && body.is_empty(),
            Hostility::EndlessBody | Hostility::EndlessChunks => body.len() > 200_000,
            Hostility::EndlessHead => head.len() == 300_000,
            Hostility::Drips => !body.is_empty() && body.len() < 100,
            Hostility::ShortBody => head.contains("content-length: 1000") && body.len() < 1000,
            Hostility::HugeLength => head.contains("18446744073709551615"),
            Hostility::BadChunks | Hostility::CutChunks => head.contains("chunked"),
            Hostility::RedirectsInCircles => head.contains("302") && head.contains("location: /here"),
            Hostility::Garbage => !text.contains("HTTP/1.1"),
            Hostility::GarbageBody | Hostility::TwoLengths => head.contains("200 OK"),
            Hostility::DeepBody => body.len() == 100_000,
            Hostility::InformsForEver => text.matches("103 Early").count() == 100,
        };
        assert!(good, "{hostility:?}: {}", text.chars().take(300).collect::<String>());
    }
}
