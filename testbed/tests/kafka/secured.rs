//! A secured cluster, as its user meets it.

use std::fs;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;

use testbed::kafka::{Cluster, Release, Resource};
use testbed::poll;

use super::{Place, UP, run};

/// Settings of a client that logs in; its file.
fn client(cluster: &Cluster, mechanism: &str) -> String {
    let credentials = fs::read_to_string(cluster.credentials_file()).unwrap();
    let (user, password) = credentials.trim_end().split_once(':').unwrap();
    let module = if mechanism == "PLAIN" {
        "plain.PlainLoginModule"
    } else {
        "scram.ScramLoginModule"
    };
    let text = format!(
        "security.protocol=SASL_SSL
ssl.truststore.type=PEM
ssl.truststore.location={}
sasl.mechanism={mechanism}
sasl.jaas.config=org.apache.kafka.common.security.{module} required username=\"{user}\" password=\"{password}\";
",
        cluster.authority_file().display()
    );
    let file = cluster.directory().join(format!("{mechanism}.properties"));
    fs::write(&file, text).unwrap();
    file.display().to_string()
}

/// The quorum, as the user asks for it.
fn quorum(cluster: &Cluster, at: (&str, SocketAddr), mechanism: &str) -> Result<String, String> {
    let (settings, at, option) = (client(cluster, mechanism), at.1.to_string(), at.0);
    let arguments = [option, &at, "--command-config", &settings, "describe", "--status"];
    let said = cluster.tools().run("kafka-metadata-quorum.sh", &arguments, "");
    said.map_err(|error| error.to_string())
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test"]
fn its_user_logs_in_and_does_what_it_was_granted() {
    for release in Release::ALL {
        let cluster = Cluster::builder(1)
            .release(release)
            .secured()
            .unformatted([1])
            .start(UP)
            .unwrap();
        let node = cluster.node(1).unwrap();
        // By somebody else: the user is in what is formatted.
        run(&node.format_command(), &["--cluster-id", cluster.id(), "--standalone"]);
        node.start().unwrap();
        node.wait_ready(UP).unwrap();
        let broker = ("--bootstrap-server", node.secure_broker_address());
        let refused = quorum(&cluster, broker, "PLAIN").unwrap_err();
        assert!(refused.contains("ClusterAuthorizationException"), "{refused}");
        cluster.tools().grant("Describe", Resource::Cluster).unwrap();
        let granted = |_| Ok::<_, io::Error>(quorum(&cluster, broker, "SCRAM-SHA-256").ok());
        assert!(poll::until(UP, granted).unwrap().is_some());
        quorum(&cluster, broker, "SCRAM-SHA-512").unwrap();
        // Where the controllers are, a controller tells only who may change the cluster.
        cluster.tools().grant("Alter", Resource::Cluster).unwrap();
        let controller = ("--bootstrap-controller", node.secure_controller_address());
        let seen = quorum(&cluster, controller, "PLAIN").unwrap();
        assert!(
            seen.contains("CONTROLLER_SECURE://"),
            "its listener is announced: {seen}"
        );
    }
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test"]
fn up_says_where_it_is_and_how_to_log_in() {
    let place = Place(tempfile::tempdir().unwrap());
    let up = Command::new(env!("CARGO_BIN_EXE_testbed"))
        .args(["up", "kafka", "--nodes", "1", "--secured", "--metrics", "--dir"])
        .arg(place.0.path())
        .output()
        .unwrap();
    assert!(up.status.success(), "{}", String::from_utf8_lossy(&up.stderr));
    let printed = String::from_utf8(up.stdout).unwrap();
    let row = printed.lines().rfind(|line| line.starts_with("kafka-1")).unwrap();
    let addresses: Vec<&str> = row.split_ascii_whitespace().skip(1).collect();
    assert_eq!(addresses.len(), 4, "{printed}");
    for address in addresses {
        TcpStream::connect(address).unwrap();
    }
    for title in ["authority", "credentials"] {
        let line = printed.lines().find(|line| line.starts_with(title)).unwrap();
        assert!(Path::new(line[title.len()..].trim()).exists(), "{line}");
    }
}
