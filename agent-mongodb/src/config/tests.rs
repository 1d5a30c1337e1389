use super::*;
use std::path::Path;

fn read(more: &str) -> Result<Validated, ServerError> {
    let text = format!(r#"{{"replica_set": "rs0"{more}}}"#);
    serde_json::from_str::<Server>(&text).unwrap().validated()
}

#[test]
fn the_example_is_a_configuration() {
    let text = agent_sdk::config::example::<Server>("agent-mongodb");
    let parsed = agent_sdk::config::parse::<Server>(Path::new("example"), &text, []);
    let (_, server) = parsed.unwrap_or_else(|error| panic!("{error}\n{text}")).split();
    assert_eq!(server.timeouts.answer(), Duration::from_secs(1));
    // It can be begun with as it is.
    server.validated().unwrap();
}

#[test]
fn without_more_the_agent_asks_the_usual_port_as_nobody() {
    let server = read("").unwrap();
    assert_eq!(server.address, Address::new("127.0.0.1", 27_017));
    assert_eq!(server.way.access, Access::Anonymous);
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

#[test]
fn a_password_is_asked_for_by_scram_only() {
    let login = |file: &Path| read(&format!(r#", "login": {{"credentials_file": "{}"}}"#, file.display()));
    let good = file("agent:secret");
    let expected = Access::Password {
        mechanism: Mechanism::ScramSha256,
        file: good.path().to_owned(),
        database: "admin".to_owned(),
    };
    assert_eq!(login(good.path()).unwrap().way.access, expected);
    assert_eq!(
        read(r#", "login": {}"#).unwrap_err(),
        ServerError::NoCredentials("SCRAM-SHA-256")
    );
    for (bad, why) in [(file(""), "USER:PASSWORD"), (file("agent"), "USER:PASSWORD")] {
        let told = login(bad.path()).unwrap_err().to_string();
        assert!(
            told.contains("store.login.credentials_file") && told.contains(why),
            "{told}"
        );
    }
    assert!(
        login(Path::new("/nowhere/c"))
            .unwrap_err()
            .to_string()
            .contains("/nowhere/c cannot be read")
    );
    let x509 = |more: &str| read(&format!(r#", "login": {{"mechanism": "MONGODB-X509"{more}}}"#));
    assert_eq!(x509("").unwrap_err(), ServerError::NoCertificate);
    assert_eq!(
        x509(r#", "credentials_file": "/c""#).unwrap_err(),
        ServerError::Credentials
    );
}

#[test]
fn a_certificate_is_who_the_agent_is() {
    let ca = file("-----BEGIN CERTIFICATE-----\n");
    let tls = |key: &Path| {
        let ca = ca.path().display();
        read(&format!(
            r#", "tls": {{"ca_file": "{ca}", "certificate_key_file": "{}"}}, "login": {{"mechanism": "MONGODB-X509"}}"#,
            key.display()
        ))
    };
    let both = file("-----BEGIN PRIVATE KEY-----\n-----BEGIN CERTIFICATE-----\n");
    assert_eq!(tls(both.path()).unwrap().way.access, Access::Certificate);
    let missing = tls(Path::new("/nowhere/agent.pem")).unwrap_err().to_string();
    assert!(
        missing.contains("store.tls.certificate_key_file: /nowhere/agent.pem cannot be read"),
        "{missing}"
    );
    assert!(tls(ca.path()).unwrap_err().to_string().contains("holds no key in PEM"));
}

#[test]
fn what_others_could_not_use_is_no_member_address() {
    assert!(matches!(
        read(r#", "member_address": "0.0.0.0:27017""#),
        Err(ServerError::Wildcard(_))
    ));
    let empty = serde_json::from_str::<Server>(r#"{"replica_set": ""}"#).unwrap();
    assert_eq!(empty.validated().unwrap_err(), ServerError::NoName);
}

#[test]
fn a_mistake_is_told_with_its_key_and_line() {
    let text = "state_directory: /s\nstore:\n  replica_set: rs0\n  address: mongo-1\n";
    let error = agent_sdk::config::parse::<Server>(Path::new("f"), text, []);
    let error = error.unwrap_err().to_string();
    assert!(error.contains("store.address") && error.contains('4'), "{error}");
}
