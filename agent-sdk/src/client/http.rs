//! One HTTP request, one answer: a thread that owns the HTTP stack, and handles to it.

use std::fmt;
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::rt;
use awc::error::{PayloadError, SendRequestError};
use tokio::sync::{mpsc, oneshot};

use super::ClientError;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(3);

/// Requests that may wait for the thread, which takes them at once; beyond that, callers wait.
const WAITING: usize = 256;

/// The methods that agents and collectors know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Read.
    Get,
    /// Send.
    Post,
    /// Take away.
    Delete,
}

/// One request.
#[derive(Clone)]
pub struct Request {
    /// What is wanted.
    pub method: Method,
    /// Of whom: an `http://` address with its path.
    pub url: String,
    /// Headers by name.
    pub headers: Vec<(String, String)>,
    /// The body; empty for none.
    pub body: Vec<u8>,
    /// How long all of it may take, connecting and reading included.
    pub timeout: Duration,
    /// The longest body that is taken for an answer, in bytes.
    pub limit: usize,
}

/// One answer, whatever its status.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers by name, in lower case; those that are no text are left out.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Sends requests. Clones share one thread, which ends with the last of them.
#[derive(Clone)]
pub struct Http {
    jobs: mpsc::Sender<Job>,
}

struct Job {
    request: Request,
    reply: oneshot::Sender<Result<Answer, ClientError>>,
}

impl Request {
    /// A request without headers and body, that may take 30 s and whose answer may have 64 MiB.
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Self {
            method,
            url: url.into(),
            headers: Vec::new(),
            body: Vec::new(),
            timeout: Duration::from_secs(30),
            limit: 64 << 20,
        }
    }
}

// Headers and bodies may hold secrets.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Http")
    }
}

impl Answer {
    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

impl Http {
    /// Starts the thread.
    pub fn new() -> Result<Self, ClientError> {
        Self::start().map(|(http, _)| http)
    }

    pub(super) fn start() -> Result<(Self, JoinHandle<()>), ClientError> {
        let (jobs, work) = mpsc::channel(WAITING);
        let thread = std::thread::Builder::new()
            .name("http-client".to_owned())
            .spawn(move || serve(work))
            .map_err(|error| ClientError::Broken(format!("no thread: {error}")))?;
        Ok((Self { jobs }, thread))
    }

    /// Sends a request and waits for its answer.
    ///
    /// **Guarantees**: it ends within the request's timeout. Dropping the future ends the request.
    pub async fn send(&self, request: Request) -> Result<Answer, ClientError> {
        let (reply, answer) = oneshot::channel();
        let gone = || ClientError::Broken("its thread has ended".to_owned());
        self.jobs.send(Job { request, reply }).await.map_err(|_| gone())?;
        answer.await.unwrap_or_else(|_| Err(gone()))
    }
}

/// The thread: one request is one task of its own.
fn serve(mut work: mpsc::Receiver<Job>) {
    let runtime = match rt::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "the HTTP client cannot start");
            return;
        }
    };
    runtime.block_on(async move {
        // No limit but the request's own, and nobody is followed elsewhere with the token in hand.
        let connector = awc::Connector::new().timeout(CONNECT);
        let client = awc::Client::builder()
            .connector(connector)
            .disable_timeout()
            .disable_redirects()
            .finish();
        while let Some(Job { request, mut reply }) = work.recv().await {
            let client = client.clone();
            rt::spawn(async move {
                let (url, after) = (request.url.clone(), request.timeout);
                tokio::select! {
                    () = reply.closed() => {}
                    answer = tokio::time::timeout(after, exchange(&client, request)) => {
                        let answer = answer.unwrap_or(Err(ClientError::Timeout { url, after }));
                        drop(reply.send(answer)); // nobody waits any more: fine
                    }
                }
            });
        }
    });
}

async fn exchange(client: &awc::Client, request: Request) -> Result<Answer, ClientError> {
    let Request {
        method,
        url,
        headers,
        body,
        timeout: _,
        limit,
    } = request;
    let mut out = match method {
        Method::Get => client.get(&url),
        Method::Post => client.post(&url),
        Method::Delete => client.delete(&url),
    };
    for (name, value) in headers {
        out = out.insert_header((name, value));
    }
    let sent = if body.is_empty() {
        out.send().await
    } else {
        out.send_body(body).await
    };
    let mut answer = sent.map_err(|error| unsent(&url, &error))?;
    let headers: Vec<(String, String)> = answer
        .headers()
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect();
    let status = answer.status().as_u16();
    let broken = |why: &str| ClientError::Unreachable {
        url: url.clone(),
        cause: format!("the answer broke off{why}"),
    };
    let body = answer.body().limit(limit).await.map_err(|error| match error {
        PayloadError::Overflow => ClientError::TooLong {
            url: url.clone(),
            limit,
        },
        other => broken(&format!(": {other}")),
    })?;
    let answer = Answer {
        status,
        headers,
        body: body.to_vec(),
    };
    // A connection that ends early looks to the stack like the end of the body.
    match answer.header("content-length").map(str::parse::<usize>) {
        Some(Ok(length)) if length != answer.body.len() => Err(broken("")),
        _ => Ok(answer),
    }
}

fn unsent(url: &str, error: &SendRequestError) -> ClientError {
    let url = url.to_owned();
    match error {
        SendRequestError::Url(reason) => ClientError::Address {
            url,
            reason: reason.to_string(),
        },
        SendRequestError::Http(reason) => ClientError::Address {
            url,
            reason: reason.to_string(),
        },
        SendRequestError::Response(reason) => ClientError::Garbled {
            url,
            status: 0,
            detail: format!("no HTTP answer: {reason}"),
        },
        SendRequestError::Connect(awc::error::ConnectError::Io(cause)) => ClientError::Unreachable {
            url,
            cause: plain(cause),
        },
        other => ClientError::Unreachable {
            url,
            cause: other.to_string(),
        },
    }
}

/// An I/O error without the number that the system gives it.
fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}
