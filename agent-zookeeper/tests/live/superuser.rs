//! What tests do to the servers themselves, on sessions of `super`'s.

use testbed::zookeeper::Server;

use crate::rig::PASSWORD;

/// Writes this many nodes through a server.
pub(crate) fn write(server: &Server, count: usize) {
    with_client(server, async |client| {
        let acls = zookeeper_client::Acls::anyone_all();
        let options = zookeeper_client::CreateMode::PersistentSequential.with_acls(acls);
        for _ in 0..count {
            client.create("/test-", b"", &options).await.unwrap();
        }
    });
}

/// Takes from everybody but `super` the right to read the config node.
pub(crate) fn hide_config(server: &Server) {
    with_client(server, async |client| {
        let nobody = zookeeper_client::Acl::new(
            zookeeper_client::Permission::READ,
            zookeeper_client::AuthId::new("digest", "nobody:x"),
        );
        client.set_acl("/zookeeper/config", &[nobody], None).await.unwrap();
    });
}

/// Lets everybody read the config node, and besides `super` this user write it: `USER:BASE64(SHA1(USER:PASSWORD))`.
pub(crate) fn let_change(server: &Server, user: &str) {
    with_client(server, async |client| {
        let everybody = zookeeper_client::Acl::new(
            zookeeper_client::Permission::READ,
            zookeeper_client::AuthId::new("world", "anyone"),
        );
        let user = zookeeper_client::Acl::new(
            zookeeper_client::Permission::READ | zookeeper_client::Permission::WRITE,
            zookeeper_client::AuthId::new("digest", user),
        );
        client
            .set_acl("/zookeeper/config", &[everybody, user], None)
            .await
            .unwrap();
    });
}

/// Does this on a session of `super`'s.
fn with_client(server: &Server, what: impl AsyncFnOnce(&zookeeper_client::Client)) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let auth = format!("super:{PASSWORD}");
        let connector = zookeeper_client::Client::connector().with_auth("digest", auth.as_bytes());
        let client = connector.connect(&server.client_address().to_string()).await.unwrap();
        what(&client).await;
    });
    runtime.shutdown_background();
}
