//! Agents behind TLS: whom the suite trusts, and who it says it is.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's helpers are tests, too")]

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use spec_tests::client::{Tls, TlsError};
use spec_tests::suite::SuiteError;
use spec_tests::{Settings, Suite};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
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

/// Answers each request with 404, behind TLS, to those who show a certificate of the same authority.
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
                let mut request = [0; 1024];
                if stream.read(&mut request).await.is_ok() {
                    let answer = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
                    drop(stream.write_all(answer).await);
                }
            });
        }
    });
    address
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

#[test]
fn what_is_no_certificate_is_named() {
    let authority = Authority::new();
    let (certificate, _) = authority.sign();
    let fault = |tls: Result<Tls, TlsError>| tls.unwrap_err().to_string();
    assert!(fault(Tls::new(b"nothing", None)).contains("authorities"));
    let own = Some((certificate.as_bytes(), b"nothing".as_slice()));
    assert!(fault(Tls::new(authority.pem().as_bytes(), own)).contains("key"));
}
