//! TLS, by rustls: whom to trust is always said, and never taken from the system.

use std::fmt;
use std::io;
use std::sync::Arc;

use thiserror::Error;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

use super::error::{Awaiting, Fault};

/// Whom to trust, and who asks.
#[derive(Clone)]
pub struct Tls {
    config: Arc<ClientConfig>,
    server_name: Option<ServerName<'static>>,
}

/// Why certificates cannot be used.
#[derive(Debug, Error)]
pub enum TlsError {
    /// What is given is no PEM, or has nothing of what is needed in it.
    #[error("{0} has no {1} in PEM")]
    Nothing(&'static str, &'static str),
    /// What is in it does not go together, or is of an unknown kind.
    #[error(transparent)]
    Unfit(#[from] rustls::Error),
    /// A certificate cannot be for this.
    #[error("{0:?} is no name that a certificate can be for")]
    Name(String),
}

impl Tls {
    /// Trusts whom the certificates in `authorities` have signed; shows a certificate of its own, with its key, where
    /// it is given one. All are texts in PEM.
    ///
    /// **Errors**: where one of them is no PEM, or they do not go together.
    pub fn new(authorities: &[u8], own: Option<(&[u8], &[u8])>) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates("the file of authorities", authorities)? {
            roots.add(certificate)?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots);
        let config = match own {
            None => config.with_no_client_auth(),
            Some((certificate, key)) => {
                let chain = certificates("the client's certificate file", certificate)?;
                let key = PrivateKeyDer::from_pem_slice(key)
                    .map_err(|_| TlsError::Nothing("the client's key file", "private key"))?;
                config.with_client_auth_cert(chain, key)?
            }
        };
        Ok(Self {
            config: Arc::new(config),
            server_name: None,
        })
    }

    /// Expects a certificate for this name, and not for the host of the address: for a node that is asked on loopback.
    pub fn expecting(self, server_name: &str) -> Result<Self, TlsError> {
        let name = ServerName::try_from(server_name.to_owned()).map_err(|_| TlsError::Name(server_name.to_owned()))?;
        Ok(Self {
            server_name: Some(name),
            ..self
        })
    }

    pub(super) async fn handshake(&self, host: &str, stream: TcpStream) -> Result<TlsStream<TcpStream>, Fault> {
        let name = match &self.server_name {
            Some(name) => name.clone(),
            None => ServerName::try_from(host.to_owned()).map_err(|error| Fault::Tls(error.to_string()))?,
        };
        let connecting = TlsConnector::from(self.config.clone()).connect(name, stream);
        connecting.await.map_err(|cause| broken(Awaiting::Tls, cause))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("server_name", &self.server_name)
            .finish_non_exhaustive()
    }
}

/// What the end of a connection means: the other side may refuse a certificate long after the handshake, with the first
/// answer (TLS 1.3).
pub(super) fn broken(awaiting: Awaiting, cause: io::Error) -> Fault {
    let by_tls = matches!(cause.get_ref(), Some(within) if within.is::<rustls::Error>());
    match cause.kind() {
        _ if by_tls => Fault::Tls(cause.to_string()),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
            Fault::Closed { awaiting }
        }
        _ => Fault::Broken { awaiting, cause },
    }
}

fn certificates(file: &'static str, text: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    found
        .ok()
        .filter(|found| !found.is_empty())
        .ok_or(TlsError::Nothing(file, "certificate"))
}

#[cfg(test)]
mod tests;
