//! What a node's exporter shows.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};

use testbed::kafka::{Cluster, Release};
use testbed::poll;

use super::UP;

/// All metrics, as Prometheus would read them.
fn scrape(at: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect(at)?;
    stream.set_read_timeout(Some(UP))?;
    stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text).map(|_| text)
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test"]
fn a_follower_says_how_far_it_is_behind() {
    for release in Release::ALL {
        let cluster = Cluster::builder(2).release(release).metrics().start(UP).unwrap();
        cluster.tools().create_topic("t", &[&[1, 2]]).unwrap();
        let follower = cluster.node(2).unwrap().metrics_address();
        let lag = |line: &&str| line.contains("FetcherLagMetrics") && line.contains(r#"topic="t""#);
        let seen = poll::until(UP, |_| {
            let text = scrape(follower)?;
            Ok::<_, io::Error>(text.lines().find(lag).map(str::to_owned))
        });
        let line = seen.unwrap().unwrap();
        assert!(
            line.contains(r#"name="ConsumerLag""#) && line.contains(r#"partition="0""#),
            "{line}"
        );
        assert!(line.ends_with(" 0.0"), "{line}");
    }
}
