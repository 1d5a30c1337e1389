use std::time::Duration;

use kafka_protocol::messages::DescribeClusterRequest;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::server::WebPkiClientVerifier;

use super::*;
use crate::client::endpoint::Endpoint;
use crate::client::fake::{Peer, Say};
use crate::client::link::Link;
use agent_sdk::config::Address;

const SOON: Duration = Duration::from_secs(20);

/// An authority, which signs for whom it is told to.
struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, both in PEM.
struct Pair {
    certificate: String,
    key: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    fn sign(&self, name: &str) -> Pair {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        Pair {
            certificate: params.signed_by(&key, &self.0).unwrap().pem(),
            key: key.serialize_pem(),
        }
    }

    /// A listener with a certificate for this name, which asks for one in return where `clients` says so.
    async fn peer(&self, name: &str, clients: bool) -> Peer {
        let pair = self.sign(name);
        let chain = certificates("", pair.certificate.as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions();
        let config = if clients {
            let mut roots = RootCertStore::empty();
            roots
                .add(certificates("", self.pem().as_bytes()).unwrap().remove(0))
                .unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .unwrap();
            config.unwrap().with_client_cert_verifier(verifier)
        } else {
            config.unwrap().with_no_client_auth()
        };
        let config = config.with_single_cert(chain, key).unwrap();
        Peer::behind(Some(TlsAcceptor::from(Arc::new(config))), |_| Say::As("4.3.0")).await
    }
}

async fn ask(address: &Address, tls: Tls) -> Result<(), Fault> {
    let tls = Some(tls);
    let endpoint = Endpoint {
        tls,
        ..Endpoint::plain(address.clone())
    };
    let asked = Link::new(endpoint).call(&DescribeClusterRequest::default(), SOON).await;
    asked.map(drop).map_err(|error| error.fault)
}

fn is_refused(asked: Result<(), Fault>) -> bool {
    matches!(asked, Err(fault @ Fault::Tls(_)) if !fault.is_passing())
}

#[tokio::test]
async fn who_is_trusted_is_asked_and_nobody_else() {
    let authority = Authority::new();
    let peer = authority.peer("127.0.0.1", false).await;
    let trusting = |authority: &Authority| Tls::new(authority.pem().as_bytes(), None).unwrap();
    ask(&peer.address, trusting(&authority)).await.unwrap();
    assert!(is_refused(ask(&peer.address, trusting(&Authority::new())).await));
    let named = authority.peer("kafka-1", false).await;
    assert!(is_refused(ask(&named.address, trusting(&authority)).await));
    ask(&named.address, trusting(&authority).expecting("kafka-1").unwrap())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_certificate_is_shown_where_it_is_asked_for() {
    let authority = Authority::new();
    let peer = authority.peer("127.0.0.1", true).await;
    let own = authority.sign("agent");
    let own = Some((own.certificate.as_bytes(), own.key.as_bytes()));
    ask(&peer.address, Tls::new(authority.pem().as_bytes(), own).unwrap())
        .await
        .unwrap();
    let without = ask(&peer.address, Tls::new(authority.pem().as_bytes(), None).unwrap()).await;
    assert!(is_refused(without));
}

#[tokio::test]
async fn a_listener_without_tls_is_told() {
    let peer = Peer::after_versions(|_| Say::Nothing).await;
    let authority = Authority::new();
    let fault = ask(&peer.address, Tls::new(authority.pem().as_bytes(), None).unwrap())
        .await
        .unwrap_err();
    assert!(fault.to_string().contains("TLS"), "{fault}");
}

#[test]
fn what_is_no_certificate_is_told() {
    let nothing = Tls::new(b"", None).unwrap_err().to_string();
    assert_eq!(nothing, "the file of authorities has no certificate in PEM");
    let authority = Authority::new();
    let own = Some((&b"x"[..], &b"y"[..]));
    let nothing = Tls::new(authority.pem().as_bytes(), own).unwrap_err().to_string();
    assert_eq!(nothing, "the client's certificate file has no certificate in PEM");
    let pair = authority.sign("agent");
    let own = Some((pair.certificate.as_bytes(), &b"y"[..]));
    let nothing = Tls::new(authority.pem().as_bytes(), own).unwrap_err().to_string();
    assert_eq!(nothing, "the client's key file has no private key in PEM");
}
