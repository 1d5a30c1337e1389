//! What a secured cluster has besides a plain one: an authority with a certificate for its servers, a user, and the lines
//! of configuration that make the servers use both.
//!
//! Who comes without a login is `User:ANONYMOUS`, and may do everything: the nodes among themselves, Kafka's tools, and
//! whoever comes by the listener that only has TLS. The [`USER`] may do what it was granted, and nothing else: the
//! authorizer lets nobody do what no rule speaks of.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use rcgen::DnType;

use super::Error;
use super::error::failed;
use crate::authority::{self, Authority};

/// Whom an agent logs in as.
pub(super) const USER: &str = "agent";

/// No secret, and the same for every cluster: the plain listeners beside the secure ones let everybody in, and logins
/// that were recorded at one cluster have to work at the next.
const PASSWORD: &str = "only-for-tests";

/// Names of the controllers' second listener and of the brokers', in lower case as the keys of their settings have them.
const CONTROLLERS: &str = "listener.name.controller_secure";
const BROKERS: &str = "listener.name.secure";

const MECHANISMS: [&str; 2] = ["SCRAM-SHA-256", "SCRAM-SHA-512"];

/// The files of a cluster's security, in its directory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Files<'a>(pub(super) &'a Path);

impl Files<'_> {
    /// The authority's certificate, in PEM.
    pub(super) fn authority(self) -> PathBuf {
        self.0.join("authority.pem")
    }

    /// `USER:PASSWORD`.
    pub(super) fn credentials(self) -> PathBuf {
        self.0.join("credentials")
    }

    /// Key and certificate of every node, in PEM.
    fn server(self) -> PathBuf {
        self.0.join("server.pem")
    }

    /// Makes all of them. The authority's key is not kept: nobody else is to be signed.
    pub(super) fn write(self) -> Result<(), Error> {
        let authority = Authority::new()?;
        let path = self.authority();
        fs::write(&path, authority.pem()).map_err(failed("write", &path))?;
        private(&self.server(), &authority.sign(&[(DnType::CommonName, "kafka")])?)?;
        private(&self.credentials(), &format!("{USER}:{PASSWORD}\n"))
    }

    /// Lines for `server.properties`. Brokers without controllers, and the reverse, pass over what is not theirs.
    pub(super) fn configuration(self) -> String {
        let login = "org.apache.kafka.common.security";
        let plain = format!("{login}.plain.PlainLoginModule required user_{USER}=\"{PASSWORD}\";");
        let mut text = format!(
            "ssl.keystore.type=PEM
ssl.keystore.location={}
{BROKERS}.sasl.enabled.mechanisms=PLAIN,{}
{BROKERS}.plain.sasl.jaas.config={plain}
{CONTROLLERS}.sasl.enabled.mechanisms=PLAIN
{CONTROLLERS}.plain.sasl.jaas.config={plain}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
allow.everyone.if.no.acl.found=false
",
            self.server().display(),
            MECHANISMS.join(",")
        );
        text.extend(MECHANISMS.map(str::to_lowercase).map(|mechanism| {
            format!("{BROKERS}.{mechanism}.sasl.jaas.config={login}.scram.ScramLoginModule required;\n")
        }));
        text
    }
}

/// For the storage tool: the user's secrets are records of the metadata log, and whoever formats its first node puts them
/// there.
pub(super) fn format_arguments() -> impl Iterator<Item = OsString> {
    let secret = |mechanism| format!("{mechanism}=[name={USER},password={PASSWORD}]");
    MECHANISMS
        .into_iter()
        .flat_map(move |mechanism| ["--add-scram".into(), secret(mechanism).into()])
}

/// Writes a new file that only its owner may read.
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
        let mode = |path: PathBuf| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(
            (mode(files.credentials()), mode(files.server())),
            (0o600, 0o600),
            "credentials and key"
        );
        let server = fs::read_to_string(files.server()).unwrap();
        let parts = |text: &str| text.matches("-----BEGIN ").count();
        assert_eq!(parts(&server), 2);
        let authority = fs::read_to_string(files.authority()).unwrap();
        assert!(parts(&authority) == 1 && !authority.contains("PRIVATE KEY"));
        let credentials = fs::read_to_string(files.credentials()).unwrap();
        assert_eq!(credentials, "agent:only-for-tests\n");
    }

    #[test]
    fn every_mechanism_that_is_offered_has_a_secret_or_a_user() {
        let text = Files(Path::new("/d")).configuration();
        let formatted: Vec<_> = format_arguments().collect();
        for mechanism in MECHANISMS {
            assert!(text.contains(&format!(".{}.sasl.jaas.config=", mechanism.to_lowercase())));
            let added = |argument: &OsString| argument.to_string_lossy().starts_with(mechanism);
            assert!(formatted.iter().any(added), "{mechanism}");
        }
        assert!(text.contains("ssl.keystore.location=/d/server.pem\n"));
    }
}
