//! What may stand before an agent: it passes on what is asked and answered, and does something besides.

use std::io::Write;
use std::net::{Shutdown, TcpStream};

use super::hostile::{Hostility, Server, answer, path, question};

/// Lets nobody through to the paths that begin with this, and treats those who ask for them ill.
pub fn hostile_under(agent: &str, prefix: &'static str, hostility: Hostility) -> Server {
    before(agent, move |mut stream, head, agent| {
        if path(&head).starts_with(prefix) {
            answer(stream, path(&head), hostility)
        } else {
            pass_on(&mut stream, &head, agent)
        }
    })
}

/// Sends an informational head before each answer.
pub fn informing(agent: &str) -> Server {
    before(agent, |mut stream, head, agent| {
        stream.write_all(b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload\r\n\r\n")?;
        pass_on(&mut stream, &head, agent)
    })
}

fn before(
    agent: &str,
    then: impl Fn(TcpStream, Vec<u8>, &str) -> std::io::Result<()> + Send + Sync + 'static,
) -> Server {
    let agent = agent.trim_start_matches("http://").to_owned();
    Server::with(move |mut stream| {
        let head = question(&mut stream)?;
        then(stream, head, &agent)
    })
}

/// Passes everything on, both ways, until the agent has said all.
fn pass_on(stream: &mut TcpStream, head: &[u8], agent: &str) -> std::io::Result<()> {
    let mut behind = TcpStream::connect(agent)?;
    behind.write_all(head)?;
    let (mut asks, mut asked) = (stream.try_clone()?, behind.try_clone()?);
    let asking = std::thread::spawn(move || drop(std::io::copy(&mut asks, &mut asked)));
    let answered = std::io::copy(&mut behind, stream).map(drop);
    stream.shutdown(Shutdown::Both)?;
    drop(asking.join());
    answered
}
