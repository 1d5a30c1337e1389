//! An authority of a cluster's own, which signs its certificates and is then forgotten: its key is written nowhere.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, Error, IsCa, KeyPair,
    KeyUsagePurpose,
};

/// Signs certificates for servers on loopback, and for their clients.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Result<Self, Error> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params
            .distinguished_name
            .push(DnType::CommonName, "authority of a testbed");
        CertifiedIssuer::self_signed(params, KeyPair::generate()?).map(Self)
    }

    /// Its certificate, in PEM.
    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A new key and its certificate, in PEM, for `127.0.0.1` and `localhost`.
    ///
    /// The subject must be another one than the authority's, or some clients take the certificate for one that signed
    /// itself.
    pub(crate) fn sign(&self, subject: &[(DnType, &str)]) -> Result<String, Error> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(["127.0.0.1", "localhost"].map(str::to_owned))?;
        // There is a name in it by default, and the order of the parts counts.
        params.distinguished_name = DistinguishedName::new();
        for (part, value) in subject {
            params.distinguished_name.push(part.clone(), *value);
        }
        let certificate = params.signed_by(&key, &self.0)?;
        Ok(key.serialize_pem() + &certificate.pem())
    }
}

/// Writes a new file that only its owner may read.
pub(crate) fn private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}
