//! MongoDB's driver, for callers that wait: a test's thread.
//!
//! The driver wants threads that go on between its calls. There is one set of them for the whole process, made when the
//! first question is asked. Waiting parks the thread that asks, so it may be one of another runtime's, too.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

use ::mongodb::error::Result as Answer;
use ::mongodb::options::{ClientOptions, Credential, ServerAddress};
use tokio::runtime::{Builder, Runtime};

use super::Error;

/// For finding somebody to ask. A dead port costs all of it.
pub(super) const SELECTION: Duration = Duration::from_secs(3);

/// For a whole command. Stepping down waits ten seconds for a successor; nothing waits longer by itself.
pub(super) const DEADLINE: Duration = Duration::from_secs(20);

/// Options for these servers.
pub(super) fn options(servers: &[SocketAddr], selection: Duration, credential: Option<Credential>) -> ClientOptions {
    let tcp = |address: &SocketAddr| ServerAddress::Tcp {
        host: address.ip().to_string(),
        port: Some(address.port()),
    };
    let mut options = ClientOptions::default();
    options.hosts = servers.iter().map(tcp).collect();
    options.app_name = Some("testbed".to_owned());
    options.server_selection_timeout = Some(selection);
    options.connect_timeout = Some(selection);
    options.credential = credential;
    options
}

/// A client. It works on the testbed's threads, wherever its calls are awaited.
pub(super) fn connect(options: ClientOptions) -> Result<Answer<::mongodb::Client>, Error> {
    let _context = runtime()?.enter();
    Ok(::mongodb::Client::with_options(options))
}

/// Runs something that uses the driver on the testbed's threads, and waits for it. For what a test does with
/// [`Cluster::client`](super::Cluster::client).
///
/// # Errors
/// [`Error::Threads`]: they could not be started, or what was run has panicked.
pub fn run<F>(future: F) -> Result<F::Output, Error>
where
    F: Future<Output: Send> + Send + 'static,
{
    let task = runtime()?.spawn(future);
    agent_sdk::client::wait(task).map_err(|error| Error::Threads(error.into()))
}

/// Runs a call within `within`; a refusal and a silence become errors of `whom`, who was asked for `what`.
pub(super) fn ask<T: Send + 'static>(
    whom: &str,
    what: &str,
    within: Duration,
    call: impl Future<Output = Answer<T>> + Send + 'static,
) -> Result<T, Error> {
    match run(async move { tokio::time::timeout(within, call).await })? {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(refused(whom, what, error)),
        Err(_) => Err(Error::Silent {
            whom: whom.to_owned(),
            what: what.to_owned(),
            within,
        }),
    }
}

pub(super) fn refused(whom: &str, what: &str, error: ::mongodb::error::Error) -> Error {
    Error::Command {
        whom: whom.to_owned(),
        what: what.to_owned(),
        source: Box::new(error),
    }
}

fn runtime() -> Result<&'static Runtime, Error> {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime);
    }
    let mut builder = Builder::new_multi_thread();
    let made = builder.worker_threads(1).thread_name("mongodb").enable_all().build();
    let made = made.map_err(Error::Threads)?;
    // Of two threads that come here at once, one's is thrown away unused.
    Ok(RUNTIME.get_or_init(|| made))
}
