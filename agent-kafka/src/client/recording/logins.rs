//! Logging in at real brokers.

use super::SOON;
use crate::client::Fault;
use crate::client::endpoint::Endpoint;
use crate::client::link::Link;
use crate::client::login::{Login, LoginError, Mechanism};
use agent_sdk::config::Address;

/// A listener that takes no SASL.
pub(super) async fn none(address: &Address) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("credentials");
    std::fs::write(&file, "agent:only-for-tests").unwrap();
    let mechanism = Mechanism::Plain;
    let mut link = Link::new(Endpoint {
        login: Some(Login { mechanism, file }),
        ..Endpoint::plain(address.clone())
    });
    let error = link.versions(SOON).await.unwrap_err();
    assert!(matches!(error.fault, Fault::Login(LoginError::None(_))), "{error}");
}

/// A login by every mechanism, and one that is refused.
pub(super) async fn all(address: &Address) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("credentials");
    for (mechanism, line, refused) in [
        (Mechanism::Plain, "agent:only-for-tests", false),
        (Mechanism::ScramSha256, "agent:only-for-tests", false),
        (Mechanism::ScramSha512, "agent:only-for-tests", false),
        (Mechanism::ScramSha256, "agent:wrong", true),
    ] {
        std::fs::write(&file, line).unwrap();
        let login = Some(Login {
            mechanism,
            file: file.clone(),
        });
        let mut link = Link::new(Endpoint {
            login,
            ..Endpoint::plain(address.clone())
        });
        match link.versions(SOON).await {
            Ok(_) => assert!(!refused),
            Err(error) => assert!(refused && matches!(error.fault, Fault::Login(_)), "{error}"),
        }
    }
}
