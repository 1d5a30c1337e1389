//! What listens in place of a mongod.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use mongodb::bson::{Document, doc};

/// The only form of message that there is since 5.1, and that drivers send.
const OP_MSG: u32 = 2013;

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

/// A server that answers each command as it is told; where it is told nothing, the connection is this one's.
pub(crate) fn server(
    answer: impl Fn(&str, &Document) -> Option<Document> + Send + Sync + 'static,
    instead: impl Fn(&mut TcpStream) -> io::Result<()> + Send + Sync + 'static,
) -> SocketAddr {
    peer(move |mut stream| {
        loop {
            let (id, command) = request(&mut stream)?;
            let name = command.keys().next().unwrap();
            match answer(name, &command) {
                Some(document) => reply(&mut stream, id, &document)?,
                None => return instead(&mut stream),
            }
        }
    })
}

/// What a server of 6.0 says to `hello`, in every spelling, with this besides.
pub(crate) fn hello(more: Document) -> Document {
    let mut hello = doc! {
        "helloOk": true, "isWritablePrimary": false, "maxWireVersion": 17, "minWireVersion": 0, "ok": 1.0,
        "maxBsonObjectSize": 16_777_216, "maxMessageSizeBytes": 48_000_000, "maxWriteBatchSize": 100_000,
    };
    hello.extend(more);
    hello
}

/// Whether a command asks what the server is.
pub(crate) fn is_hello(command: &str) -> bool {
    command.eq_ignore_ascii_case("hello") || command.eq_ignore_ascii_case("ismaster")
}

/// The number of a request, and its command.
fn request(stream: &mut TcpStream) -> io::Result<(u32, Document)> {
    let mut head = [0; 16];
    stream.read_exact(&mut head)?;
    let number = |at: usize| u32::from_le_bytes(head[at..at + 4].try_into().unwrap());
    let mut body = vec![0; number(0) as usize - 16];
    stream.read_exact(&mut body)?;
    assert_eq!(number(12), OP_MSG);
    // Flags, and the kind of the first section.
    let document = Document::from_reader(&body[5..]).unwrap();
    Ok((number(4), document))
}

fn reply(stream: &mut TcpStream, to: u32, document: &Document) -> io::Result<()> {
    let body = document.to_vec().unwrap();
    let length = u32::try_from(16 + 5 + body.len()).unwrap();
    let head = [length, 1, to, OP_MSG, 0].map(u32::to_le_bytes).concat();
    stream.write_all(&[&head[..], &[0], &body].concat())
}
