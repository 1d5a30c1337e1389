use kafka_protocol::messages::ApiKey;

use super::*;
use crate::client::fake::{Asked, Peer, Say};
use crate::client::recorded::{self, Exchange, RELEASES};

const SOON: Duration = Duration::from_secs(20);
const PASSWORD: &str = "only-for-tests";

/// What comes of logging in at a listener that says this to `SaslHandshake` and `SaslAuthenticate`.
async fn login(
    mechanism: Mechanism,
    say: impl Fn(Asked) -> Say + Clone + Send + Sync + 'static,
) -> Result<Lifetime, Fault> {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("credentials");
    std::fs::write(&file, format!("agent:{PASSWORD}\n")).unwrap();
    let peer = Peer::after_versions(say).await;
    let deadline = Deadline::after(SOON);
    let connection = Connection::open(&peer.endpoint(), deadline).await?;
    let (_, lifetime) = log_in(connection, &Login { mechanism, file }, deadline).await?;
    Ok(lifetime)
}

const HANDSHAKE: i16 = ApiKey::SaslHandshake as i16;
/// `SaslHandshake`: no error, one mechanism.
const AGREED: &[u8] = b"\0\0\0\0\0\x01\0\x05PLAIN";

/// The messages of SASL that a recorded answer or request of `SaslAuthenticate` carries.
fn messages(exchanges: &[Exchange]) -> Vec<(String, String)> {
    let authenticate = exchanges
        .iter()
        .filter(|exchange| exchange.asks().0 == ApiKey::SaslAuthenticate as i16);
    let message = |exchange: &Exchange| {
        // The request is its header, a compact string and no tags.
        let request = String::from_utf8_lossy(&exchange.request[..exchange.request.len() - 1]);
        let begins = ["n,,", "c="].iter().find_map(|begins| request.find(begins));
        let answer = recorded::read::<SaslAuthenticateRequest>(exchange);
        let answer = String::from_utf8(answer.auth_bytes.to_vec()).unwrap();
        (request[begins.unwrap_or(request.len())..].to_owned(), answer)
    };
    authenticate.map(message).collect()
}

#[test]
fn recorded_logins_are_those_that_would_be_made() {
    for (release, _) in RELEASES {
        let exchanges: Vec<_> = recorded::of(release)
            .into_iter()
            .filter(|made| made.listener == "sasl")
            .collect();
        let messages = messages(&exchanges);
        let scram = |first: usize, hash| {
            let (begin, challenge) = &messages[first];
            let (proof, last) = &messages[first + 1];
            let nonce = begin.strip_prefix("n,,n=agent,r=").unwrap();
            let scram = Scram::with_nonce(hash, Credentials::new("agent", PASSWORD), nonce.to_owned());
            let proven = scram.prove(challenge).unwrap();
            assert_eq!(proven.message(), proof);
            proven.verify(last)
        };
        // Behind the one message of PLAIN.
        scram(1, Hash::Sha256).unwrap();
        scram(3, Hash::Sha512).unwrap();
    }
}

#[test]
fn a_recorded_refusal_is_one() {
    for (release, _) in RELEASES {
        let last = recorded::of(release).pop().unwrap();
        let refused = recorded::read::<SaslAuthenticateRequest>(&last);
        assert_eq!(Code(refused.error_code), Code::SASL_AUTHENTICATION_FAILED);
    }
}

#[tokio::test]
async fn plain_takes_one_message_and_says_how_long_it_is_good_for() {
    for (ms, lifetime) in [
        (0, None),
        (9, Some(9)),
        (i64::MAX, Some(9_223_372_036_854_775_807)),
        (-1, None),
    ] {
        // A header without tags; no error, no message, nothing to say, the lifetime, no tags.
        let said = [&[0, 0, 0, 0, 1], &i64::to_be_bytes(ms)[..], &[0]].concat();
        let made = login(Mechanism::Plain, move |asked| match asked.key {
            HANDSHAKE => Say::Body(AGREED.to_vec()),
            _ => Say::Body(said.clone()),
        });
        assert_eq!(made.await.unwrap(), lifetime.map(Duration::from_millis));
    }
}

#[tokio::test]
async fn refusals_say_what_to_do_and_nothing_of_the_password() {
    let failed = b"\0\0\x3a\x0cnot\nwelcome\x01\0\0\0\0\0\0\0\0\0";
    for (mechanism, handshake, authenticate, says) in [
        (
            Mechanism::Plain,
            AGREED,
            &failed[..],
            "the broker refuses the credentials: ",
        ),
        (
            Mechanism::ScramSha512,
            b"\0\x21\0\0\0\x01\0\x05PLAIN",
            b"",
            "does not take SCRAM-SHA-512, but PLAIN",
        ),
        (Mechanism::Plain, b"\0\x22\0\0\0\0", b"", "takes no SASL"),
        (
            Mechanism::Plain,
            b"\0\x07\0\0\0\0",
            b"",
            "SaslHandshake was answered with 7 REQUEST_TIMED_OUT",
        ),
    ] {
        let say = move |asked: Asked| match asked.key {
            HANDSHAKE => Say::Body(handshake.to_vec()),
            _ => Say::Body(authenticate.to_vec()),
        };
        let fault = login(mechanism, say).await.err().unwrap();
        assert!(fault.to_string().contains(says), "{fault}");
        assert!(!format!("{fault} {fault:?}").contains(PASSWORD));
    }
}

#[tokio::test]
async fn a_broker_that_does_not_continue_the_nonce_is_refused() {
    // No tag before the answer's fields, no error, no message; then a challenge for somebody else, and no end of it.
    let challenge = b"r=abc,s=AAAA,i=4096";
    let mut body = vec![0, 0, 0, 0, u8::try_from(challenge.len() + 1).unwrap()];
    body.extend_from_slice(challenge);
    body.extend_from_slice(&[0; 9]);
    let fault = login(Mechanism::ScramSha256, move |asked| match asked.key {
        HANDSHAKE => Say::Body(AGREED.to_vec()),
        _ => Say::Body(body.clone()),
    });
    let fault = fault.await.err().unwrap();
    assert!(
        matches!(fault, Fault::Login(LoginError::Scram(ScramError::Nonce))),
        "{fault:?}"
    );
}
