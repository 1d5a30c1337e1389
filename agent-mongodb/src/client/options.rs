//! How the driver is told to ask one server.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use agent_sdk::config::{Address, Credentials};
use mongodb::error::Error;
use mongodb::event::EventHandler;
use mongodb::event::sdam::SdamEvent;
use mongodb::options::{
    AuthMechanism, ClientOptions, Credential, ServerAddress, ServerMonitoringMode, Tls, TlsOptions,
};

use super::Fault;
use crate::config::{Access, Mechanism, TlsFiles, Way};

/// How often the driver looks at a server that answers: it looks at once when a command fails.
const LOOK: Duration = Duration::from_secs(600);

/// With what the driver's own look at the server failed last; none when it did not.
pub(super) type LastFailure = Arc<Mutex<Option<Error>>>;

/// For one server. `within`: for a connection to be made. `at_once`: how many commands.
pub(super) fn options(
    address: &Address,
    way: &Way,
    within: Duration,
    at_once: u32,
    last: LastFailure,
) -> Result<ClientOptions, Fault> {
    let mut options = ClientOptions::builder()
        .hosts(vec![ServerAddress::Tcp {
            host: address.host().to_owned(),
            port: Some(address.port()),
        }])
        .app_name("agent-mongodb".to_owned())
        .direct_connection(true)
        .connect_timeout(within)
        .server_selection_timeout(within)
        .heartbeat_freq(LOOK)
        .server_monitoring_mode(ServerMonitoringMode::Poll)
        .max_pool_size(at_once)
        .min_pool_size(0)
        .retry_reads(false)
        .retry_writes(false)
        .sdam_event_handler(EventHandler::callback(move |event| note(&last, &event)))
        .build();
    options.tls = way.tls.as_ref().map(tls);
    options.credential = credential(&way.access)?;
    Ok(options)
}

fn note(last: &LastFailure, event: &SdamEvent) {
    let failure = match event {
        SdamEvent::ServerHeartbeatFailed(failed) => Some(failed.failure.clone()),
        SdamEvent::ServerHeartbeatSucceeded(_) => None,
        _ => return,
    };
    *last.lock().unwrap_or_else(PoisonError::into_inner) = failure;
}

fn tls(files: &TlsFiles) -> Tls {
    let mut options = TlsOptions::default();
    options.ca_file_path = Some(files.ca_file.clone());
    options.cert_key_file_path.clone_from(&files.certificate_key_file);
    Tls::Enabled(options)
}

fn credential(access: &Access) -> Result<Option<Credential>, Fault> {
    let mut credential = Credential::default();
    match access {
        Access::Anonymous => return Ok(None),
        Access::Certificate => credential.mechanism = Some(AuthMechanism::MongoDbX509),
        Access::Password {
            mechanism,
            file,
            database,
        } => {
            let known = Credentials::read(file)?;
            credential.username = Some(known.user().to_owned());
            credential.password = Some(known.password().to_owned());
            credential.source = Some(database.clone());
            credential.mechanism = Some(match mechanism {
                Mechanism::ScramSha1 => AuthMechanism::ScramSha1,
                _ => AuthMechanism::ScramSha256,
            });
        }
    }
    Ok(Some(credential))
}
