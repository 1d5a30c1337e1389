//! What the relay takes, cuts and keeps.

use super::*;

const SESSION: Duration = Duration::from_secs(30);

/// A request for a session with this timeout.
fn request(timeout: i32) -> Vec<u8> {
    let mut request = vec![0, 0, 0, 45];
    request.extend([0; 12]);
    request.extend(timeout.to_be_bytes());
    request.extend([0; 29]);
    request
}

async fn relayed() -> (Relay, TcpListener) {
    let server = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = server.local_addr().unwrap().to_string().parse().unwrap();
    let relay = Relay::bind().unwrap();
    tokio::spawn(relay.serve(address, SESSION).unwrap());
    (relay, server)
}

async fn said(relay: &Relay, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(relay.address().unwrap()).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream
}

/// How many bytes come until the end.
async fn until_closed(stream: &mut TcpStream) -> usize {
    let mut got = Vec::new();
    // A reset is an end, too.
    drop(stream.read_to_end(&mut got).await);
    got.len()
}

#[tokio::test]
async fn only_the_sessions_own_connection_is_taken_and_only_once() {
    let (relay, server) = relayed().await;
    let ticket = relay.ticket.0;
    for wrong in [
        request(30_000),
        request(ticket ^ 1),
        b"srvr".to_vec(),
        b"\0\0\0\x04auth".to_vec(),
    ] {
        assert_eq!(until_closed(&mut said(&relay, &wrong).await).await, 0);
    }
    let silent = said(&relay, b"").await;
    let mut own = said(&relay, &request(ticket)).await;
    let (mut session, _) = server.accept().await.unwrap();
    let mut asked = [0; 49];
    session.read_exact(&mut asked).await.unwrap();
    assert_eq!(asked[..], request(30_000)[..], "the number stays here");
    session.write_all(b"\0\0\0\x02ok").await.unwrap();
    let mut answer = [0; 6];
    own.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"\0\0\0\x02ok");

    for mut late in [silent, said(&relay, &request(ticket)).await] {
        assert_eq!(until_closed(&mut late).await, 0);
    }
    drop(session);
    assert_eq!(until_closed(&mut own).await, 0);
    assert_eq!(until_closed(&mut said(&relay, &request(ticket)).await).await, 0);
    let more = tokio::time::timeout(Duration::ZERO, server.accept()).await;
    assert!(
        more.is_err() && relay.cut().is_none(),
        "no host was asked for anybody else"
    );
}

#[tokio::test]
async fn an_answer_above_the_limit_is_cut_before_it_is_read() {
    for (length, kept) in [
        (LARGEST, 4 + LARGEST as usize),
        (LARGEST + 1, 0),
        (1 << 31, 0),
        (u32::MAX, 0),
    ] {
        let (relay, server) = relayed().await;
        let mut own = said(&relay, &request(relay.ticket.0)).await;
        let (mut session, _) = server.accept().await.unwrap();
        session.read_exact(&mut [0; 49]).await.unwrap();
        let flood = tokio::spawn(async move {
            let _ = session.write_u32(length).await;
            let _ = session.write_all(&vec![b'x'; LARGEST as usize]).await;
        });
        assert_eq!(until_closed(&mut own).await, kept);
        assert_eq!(
            relay.cut().is_some_and(|why| why.contains("no ZooKeeper")),
            kept == 0,
            "{length}"
        );
        flood.await.unwrap();
    }
}

#[tokio::test]
async fn the_port_stays_taken_when_nobody_serves_it() {
    let relay = Relay::bind().unwrap();
    let address = relay.address().unwrap();
    drop(relay.serve(Address::new("127.0.0.1", 1), SESSION).unwrap());
    assert!(TcpListener::bind(address).await.is_err());
}
