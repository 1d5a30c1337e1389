//! Agents behind TLS: whom the suite trusts, and who it says it is.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's helpers are tests, too")]

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use spec_tests::client::{Client, Fault, Limits, Request, Tls, TlsError};
use spec_tests::suite::SuiteError;
use spec_tests::{Settings, Suite};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig, crypto};

/// An authority, and what it has signed.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for 127.0.0.1 and its key.
    fn sign(&self) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        (params.signed_by(&key, &self.0).unwrap().pem(), key.serialize_pem())
    }
}

/// Reads a whole request, and says how long its body was; under `/cut` with an answer that only the connection ends, which it
/// then ends without saying so.
async fn answer(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> std::io::Result<()> {
    let (mut bytes, mut piece) = (Vec::new(), vec![0; 16 * 1024]);
    let (head, length) = loop {
        let read = stream.read(&mut piece).await?;
        bytes.extend_from_slice(&piece[..read]);
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, _)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.map_or(0, |length| length.parse().unwrap());
            break (head.to_owned(), length);
        }
        if read == 0 {
            return Ok(());
        }
    };
    while bytes.len() < head.len() + 4 + length {
        let read = stream.read(&mut piece).await?;
        if read == 0 {
            return Ok(());
        }
        bytes.extend_from_slice(&piece[..read]);
    }
    let answer = if head.contains(" /cut ") {
        "HTTP/1.1 200 OK\r\n\r\n{}".to_owned()
    } else {
        format!("HTTP/1.1 404 Not Found\r\nx-came: {length}\r\ncontent-length: 0\r\n\r\n")
    };
    stream.write_all(answer.as_bytes()).await?;
    stream.flush().await
}

/// Answers behind TLS to those who show a certificate of the same authority.
async fn serve(authority: &Authority) -> String {
    let provider = Arc::new(crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap())
        .unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .build()
        .unwrap();
    let (certificate, key) = authority.sign();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()],
            PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    return;
                };
                drop(answer(&mut stream).await);
            });
        }
    });
    address
}

/// A client of such a server, whom both trust.
async fn trusted(authority: &Authority) -> Client {
    let address = serve(authority).await.parse().unwrap();
    let (certificate, key) = authority.sign();
    let own = Some((certificate.as_bytes(), key.as_bytes()));
    let tls = Tls::new(authority.pem().as_bytes(), own).unwrap();
    Client::new(address, Arc::default(), Limits::default()).with_tls(Some(tls))
}

async fn outcome(address: &str, tls: Option<Tls>) -> SuiteError {
    let settings = Settings {
        tls,
        ..Settings::default()
    };
    let suite = Suite::new(vec![address.parse().unwrap()], settings);
    suite.run(|_| {}, std::future::pending()).await.unwrap_err()
}

#[tokio::test]
async fn an_agent_behind_tls_is_asked_by_who_trusts_it_and_is_trusted() {
    let authority = Authority::new();
    let address = serve(&authority).await;
    let (certificate, key) = authority.sign();
    let own = Some((certificate.as_bytes(), key.as_bytes()));
    let trusted = Tls::new(authority.pem().as_bytes(), own).unwrap();
    let found = outcome(&address, Some(trusted)).await;
    assert!(matches!(found, SuiteError::NoDialect { .. }), "it was asked: {found}");
    let stranger = Tls::new(Authority::new().pem().as_bytes(), own).unwrap();
    let nobody = Tls::new(authority.pem().as_bytes(), None).unwrap();
    for tls in [None, Some(stranger), Some(nobody)] {
        let found = outcome(&address, tls).await;
        assert!(matches!(found, SuiteError::Unreachable { .. }), "{found}");
    }
}

#[tokio::test]
async fn a_large_request_goes_out_to_its_last_byte() {
    let authority = Authority::new();
    let client = trusted(&authority).await;
    let length = 4 * 1024 * 1024 + 7;
    let exchange = client.ask(Request::post_text("/", vec![b'x'; length])).await;
    let answer = exchange.outcome.unwrap();
    assert_eq!(answer.header("x-came"), Some(length.to_string().as_str()));
}

#[tokio::test]
async fn an_end_that_is_not_said_is_no_end() {
    let authority = Authority::new();
    let exchange = trusted(&authority).await.ask(Request::get("/cut")).await;
    assert!(matches!(exchange.outcome, Err(Fault::Cut(_))), "{:?}", exchange.outcome);
    assert!(
        exchange
            .curl
            .contains("--cacert 'ca.pem' --cert 'client.pem' --key 'client-key.pem'")
    );
}

#[tokio::test]
async fn the_program_reads_what_it_is_given_in_files() {
    let authority = Authority::new();
    let address = serve(&authority).await;
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let (certificate, key) = authority.sign();
    let (ca, other) = (file("ca", &authority.pem()), file("other", &Authority::new().pem()));
    let (certificate, key) = (file("certificate", &certificate), file("key", &key));
    for (ca, told) in [(ca, "nothing under /api/v1"), (other, "TLS")] {
        let mut program = tokio::process::Command::new(env!("CARGO_BIN_EXE_spec-tests"));
        program.args(["run", &address, "--ca-file"]).arg(ca);
        program.arg("--client-certificate").arg(&certificate);
        program.arg("--client-key").arg(&key);
        let ended = program.env_remove("SPEC_TESTS_TOKEN").output().await.unwrap();
        let err = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(3), "{err}");
        assert!(err.contains(told), "{err}");
    }
}

#[test]
fn what_is_no_certificate_is_named() {
    let authority = Authority::new();
    let (certificate, _) = authority.sign();
    let fault = |tls: Result<Tls, TlsError>| tls.unwrap_err().to_string();
    assert!(fault(Tls::new(b"nothing", None)).contains("authorities"));
    let own = Some((certificate.as_bytes(), b"nothing".as_slice()));
    assert!(fault(Tls::new(authority.pem().as_bytes(), own)).contains("key"));
}
