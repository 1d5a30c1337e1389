//! What a secured cluster has besides a plain one: a key that its nodes know each other by, an authority with
//! certificates, a user who may do everything, and the arguments that make the nodes use them.
//!
//! Clients may come without TLS (`preferTLS`) and without a certificate. Among themselves the nodes use TLS.

use std::fs;
use std::path::{Path, PathBuf};

use ::mongodb::options::{AuthMechanism, Credential};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use rcgen::DnType;
use uuid::Uuid;

use super::Error;
use super::error::failed;
use crate::authority::{self, Authority};

/// Who may do everything.
pub(super) const ROOT: &str = "root";

/// No secret, and the same for every cluster: the key beside it is made at random.
pub(super) const PASSWORD: &str = "only-for-tests";

const ORGANIZATION: &str = "testbed";

/// The client's subject as X.509 authentication takes it for a name: the last part first.
pub(super) const CLIENT: &str = "CN=agent,OU=agents,O=testbed";

/// The files of a cluster's security, in its directory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Files<'a>(pub(super) &'a Path);

impl Files<'_> {
    /// The authority's certificate, in PEM.
    pub(super) fn authority(self) -> PathBuf {
        self.0.join("authority.pem")
    }

    /// By which the nodes know each other.
    pub(super) fn key(self) -> PathBuf {
        self.0.join("key")
    }

    /// Key and certificate of a client, in PEM.
    pub(super) fn client(self) -> PathBuf {
        self.0.join("client.pem")
    }

    /// `USER:PASSWORD` of root.
    pub(super) fn credentials(self) -> PathBuf {
        self.0.join("credentials")
    }

    /// Key and certificate of every node, in PEM.
    fn server(self) -> PathBuf {
        self.0.join("server.pem")
    }

    /// Makes all of them.
    pub(super) fn write(self) -> Result<(), Error> {
        let authority = Authority::new()?;
        let path = self.authority();
        fs::write(&path, authority.pem()).map_err(failed("write", &path))?;
        // Organization and unit are what a server knows its peers by: a client must differ, or it is taken for one.
        let subject = |unit, name| {
            [
                (DnType::OrganizationName, ORGANIZATION),
                (DnType::OrganizationalUnitName, unit),
                (DnType::CommonName, name),
            ]
        };
        private(&self.server(), &authority.sign(&subject("servers", "mongod"))?)?;
        private(&self.client(), &authority.sign(&subject("agents", "agent"))?)?;
        private(&self.credentials(), &format!("{ROOT}:{PASSWORD}\n"))?;
        private(&self.key(), &key())
    }

    /// For `mongod`.
    pub(super) fn arguments(self) -> [String; 5] {
        [
            format!("--keyFile={}", self.key().display()),
            "--tlsMode=preferTLS".to_owned(),
            format!("--tlsCertificateKeyFile={}", self.server().display()),
            format!("--tlsCAFile={}", self.authority().display()),
            "--tlsAllowConnectionsWithoutCertificates".to_owned(),
        ]
    }

    /// As the nodes log in at each other: with the key, and whether there is a user yet or not.
    pub(super) fn internal(self) -> Result<Credential, Error> {
        let path = self.key();
        let key = fs::read_to_string(&path).map_err(failed("read", &path))?;
        Ok(credential("__system", "local", &key))
    }
}

/// As root, who has to be there.
pub(super) fn root() -> Credential {
    credential(ROOT, "admin", PASSWORD)
}

fn credential(user: &str, database: &str, password: &str) -> Credential {
    let mut credential = Credential::default();
    credential.username = Some(user.to_owned());
    credential.source = Some(database.to_owned());
    credential.password = Some(password.to_owned());
    credential.mechanism = Some(AuthMechanism::ScramSha256);
    credential
}

/// 64 random letters of those that a key may have.
fn key() -> String {
    let random = [Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4()];
    BASE64.encode(random.map(Uuid::into_bytes).concat())
}

fn private(path: &Path, text: &str) -> Result<(), Error> {
    authority::private(path, text).map_err(failed("write", path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn secrets_are_for_their_owner_and_the_authority_is_for_all() {
        let place = tempfile::tempdir().unwrap();
        let files = Files(place.path());
        files.write().unwrap();
        for secret in [files.key(), files.client(), files.server(), files.credentials()] {
            let mode = secret.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{}", secret.display());
        }
        let authority = fs::read_to_string(files.authority()).unwrap();
        assert!(!authority.contains("PRIVATE KEY"));
        assert_eq!(fs::read_to_string(files.key()).unwrap().len(), 64);
        let credentials = fs::read_to_string(files.credentials()).unwrap();
        assert_eq!(credentials, "root:only-for-tests\n");
    }

    #[test]
    fn every_cluster_has_a_key_of_its_own() {
        assert_ne!(key(), key());
    }
}
