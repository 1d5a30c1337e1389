//! What listens in place of a Kafka process.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

/// What a broker of 4.3.0, the only node of its cluster, was asked and answered.
const RECORDED: &str = include_str!("../../src/client/recorded/4.3.0.txt");
/// Its node.id.
pub(crate) const ID: i32 = 1;

/// A peer that does this with each connection, for as long as the test's process lives.
pub(crate) fn peer(serve: impl Fn(TcpStream) -> io::Result<()> + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let serve = Arc::new(serve);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let serve = Arc::clone(&serve);
            // What ends a connection is the other side's affair.
            std::thread::spawn(move || drop(serve(stream)));
        }
    });
    address
}

/// A broker that says what it was recorded to say, until it is asked what breaks it.
pub(crate) fn broker(
    breaks: impl Fn(i16) -> bool + Send + Sync + 'static,
    instead: impl Fn(&mut TcpStream) -> io::Result<()> + Send + Sync + 'static,
) -> SocketAddr {
    let answers = answers();
    peer(move |mut stream| {
        loop {
            let request = frame(&mut stream)?;
            let key = i16::from_be_bytes([request[0], request[1]]);
            if breaks(key) {
                return instead(&mut stream);
            }
            let body = answers.get(&key).ok_or(io::ErrorKind::Unsupported)?;
            let length = u32::try_from(4 + body.len()).unwrap();
            stream.write_all(&[&length.to_be_bytes()[..], &request[4..8], body].concat())?;
        }
    })
}

/// By the keys of the requests. Of each the last one, which is about everything, but for configurations: there it is about
/// another node.
fn answers() -> HashMap<i16, Vec<u8>> {
    const DESCRIBE_CONFIGS: i16 = 32;
    let mut answers = HashMap::new();
    let blocks = RECORDED.split("\n\n").map(str::trim);
    for block in blocks.filter(|block| block.starts_with("broker ")) {
        let (request, answer) = (side(block, '>'), side(block, '<'));
        let key = i16::from_be_bytes([request[0], request[1]]);
        if key != DESCRIBE_CONFIGS || !answers.contains_key(&key) {
            // Without the number of the request.
            answers.insert(key, answer[4..].to_vec());
        }
    }
    answers
}

fn side(block: &str, sign: char) -> Vec<u8> {
    let lines = block.lines().filter_map(|line| line.strip_prefix(sign));
    let hex: String = lines.map(str::trim).collect();
    let bytes = (0..hex.len()).step_by(2);
    bytes
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

fn frame(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let mut frame = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut frame)?;
    Ok(frame)
}
