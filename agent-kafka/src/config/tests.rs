use super::*;

fn read(text: &str) -> Process {
    serde_json::from_str(text).unwrap()
}

fn refused(text: &str) -> String {
    read(text).validated().unwrap_err().to_string()
}

#[test]
fn the_example_is_a_configuration() {
    let text = agent_sdk::config::example::<Process>("agent-kafka");
    let parsed = agent_sdk::config::parse::<Process>(Path::new("example"), &text, []);
    let (_, process) = parsed.unwrap_or_else(|error| panic!("{error}\n{text}")).split();
    assert_eq!(process.timeouts.answer(), Duration::from_secs(1));
}

#[test]
fn what_only_makes_sense_together_is_checked_together() {
    assert!(refused("{}").contains("nobody to ask"));
    let broker = r#""broker": {"address": "h:9092"}"#;
    assert!(refused(&format!(r#"{{{broker}, "version": "latest"}}"#)).contains("store.version"));
    assert!(refused(&format!(r#"{{{broker}, "lag": {{"source": "metrics"}}}}"#)).contains("metrics_address"));
    let good = read(&format!(
        r#"{{{broker}, "lag": {{"source": "leaders"}}, "version": "4.3.0"}}"#
    ));
    let good = good.validated().unwrap();
    assert_eq!(good.lag, LagFrom::Leaders);
    assert_eq!(good.version.unwrap().number.to_string(), "4.3.0");
}

#[test]
fn a_mistake_is_told_with_its_key_and_line() {
    let text = "state_directory: /s\nstore:\n  broker:\n    address: kafka-1\n";
    let error = agent_sdk::config::parse::<Process>(Path::new("f"), text, []);
    let error = error.unwrap_err().to_string();
    assert!(error.contains("store.broker.address") && error.contains('4'), "{error}");
    let wrong = serde_json::from_str::<Process>(r#"{"broker": {"address": "h:1", "sasl": {"mechanism": "GSSAPI"}}}"#);
    assert!(wrong.unwrap_err().to_string().contains("SCRAM-SHA-256"));
}

#[test]
fn certificates_are_read_before_the_agent_starts() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("ca.pem");
    let tls = |more: &str| {
        let file = file.display();
        refused(&format!(
            r#"{{"controller": {{"address": "h:1", "tls": {{"ca_file": "{file}"{more}}}}}}}"#
        ))
    };
    assert!(tls("").contains("store.controller.tls: ") && tls("").contains("cannot be read"));
    std::fs::write(&file, "no certificate").unwrap();
    assert!(tls("").contains("no certificate in PEM"), "{}", tls(""));
    let half = tls(r#", "key_file": "/k""#);
    assert!(half.contains("set together"), "{half}");
}

#[test]
fn a_password_goes_to_no_stranger_who_could_keep_it() {
    let way = |mechanism: &str| {
        let sasl = format!(r#"{{"mechanism": "{mechanism}", "credentials_file": "/c"}}"#);
        let process = read(&format!(r#"{{"broker": {{"address": "h:1", "sasl": {sasl}}}}}"#));
        process.validated().unwrap().broker.unwrap()
    };
    let stranger: Address = "elsewhere:1".parse().unwrap();
    let error = way("PLAIN").to_stranger(stranger.clone()).unwrap_err().to_string();
    assert!(error.contains("elsewhere:1") && error.contains("SCRAM"), "{error}");
    assert_eq!(
        way("SCRAM-SHA-512").to_stranger(stranger.clone()).unwrap().address,
        stranger
    );
    let own: Address = "h:1".parse().unwrap();
    assert_eq!(way("PLAIN").to_stranger(own.clone()).unwrap().address, own);
}
