//! An agent's `/api/v1`, call by call.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::answer::{History, Kinds, NodeInfo, Page, PlanAnswer, Record, Scheduled, ShardsInfo, StoreInfo};
use super::{Answer, ClientError, Http, Method, Problem, Request};
use crate::spec::Preconditions;

/// Beyond what a long poll asks for, so that the agent's answer comes first.
const SLACK: Duration = Duration::from_secs(15);

/// The longest wait that an agent grants.
const LONGEST_POLL: Duration = Duration::from_secs(60);

/// A client of one agent. Clones share the thread that sends.
#[derive(Clone)]
pub struct Client {
    http: Http,
    base: String,
    token: Option<String>,
}

/// What to schedule. Only the kind has to be said.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Schedule {
    /// Which action.
    pub kind: String,
    /// Its arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub args: Option<Box<RawValue>>,
    /// Kept for the client.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// An id of the client's choosing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// Who asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requester: Option<String>,
    /// What must hold before the first attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preconditions: Option<Preconditions>,
    /// Seconds of running time, at most the kind's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline_s: Option<u32>,
}

impl Schedule {
    /// An action of this kind, without arguments.
    pub fn new(kind: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            ..Self::default()
        }
    }

    /// The same with these arguments; those that are no JSON are left out.
    #[must_use]
    pub fn with_args(mut self, args: &impl Serialize) -> Self {
        self.args = serde_json::value::to_raw_value(args).ok();
        self
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base", &self.base)
            .finish_non_exhaustive() // not the token
    }
}

impl Client {
    /// A client of the agent at this address, such as `http://127.0.0.1:8000`, with a thread of its own.
    pub fn new(base: &str) -> Result<Self, ClientError> {
        Self::over(Http::new()?, base)
    }

    /// A client that shares the thread of another.
    pub fn over(http: Http, base: &str) -> Result<Self, ClientError> {
        let refuse = |reason: &str| ClientError::Address {
            url: base.to_owned(),
            reason: reason.to_owned(),
        };
        let base = base.trim_end_matches('/');
        let uri: awc::http::Uri = base
            .parse()
            .map_err(|_| refuse("it is no URL, such as http://127.0.0.1:8000"))?;
        match uri.scheme_str() {
            Some("http") if uri.host().is_some_and(|host| !host.is_empty()) => {}
            Some("https") => return Err(refuse("TLS is not supported yet; use http://")),
            _ => return Err(refuse("it has to begin with http:// and a host")),
        }
        if uri.query().is_some() {
            return Err(refuse("it has a query"));
        }
        Ok(Self {
            http,
            base: base.to_owned(),
            token: None,
        })
    }

    /// The same client with a bearer token.
    #[must_use]
    pub fn with_token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into().trim().to_owned()).filter(|token| !token.is_empty());
        self
    }

    /// The agent's address.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Who the node is and how it is.
    pub async fn node(&self) -> Result<NodeInfo, ClientError> {
        self.get("/info/node").await
    }

    /// The node's cluster.
    pub async fn store(&self) -> Result<StoreInfo, ClientError> {
        self.get("/info/store").await
    }

    /// The node's shards.
    pub async fn shards(&self) -> Result<ShardsInfo, ClientError> {
        self.get("/info/shards").await
    }

    /// What the agent can do.
    pub async fn kinds(&self) -> Result<Kinds, ClientError> {
        self.get("/kinds").await
    }

    /// A page of the actions that have not ended, oldest first.
    pub async fn queue(&self, limit: usize, cursor: Option<&str>) -> Result<Page, ClientError> {
        self.get(&paged("/actions/queue", limit, cursor)).await
    }

    /// A page of the actions that have ended, newest first.
    pub async fn finished(&self, limit: usize, cursor: Option<&str>) -> Result<Page, ClientError> {
        self.get(&paged("/actions/finished", limit, cursor)).await
    }

    /// The record with this id.
    pub async fn record(&self, id: Uuid) -> Result<Record, ClientError> {
        self.get(&format!("/actions/{id}")).await
    }

    /// The record once its version is another than `after`, or as it is after `patience` (at most 60 s).
    pub async fn changed(&self, id: Uuid, after: u64, patience: Duration) -> Result<Record, ClientError> {
        let patience = patience.min(LONGEST_POLL);
        let path = format!("/actions/{id}?wait={}&after={after}", patience.as_secs());
        self.call(Method::Get, &path, Vec::new(), patience + SLACK).await
    }

    /// The record at the action's end, or as it is after `patience`.
    pub async fn ended(&self, id: Uuid, patience: Duration) -> Result<Record, ClientError> {
        let begun = Instant::now();
        let mut record = self.record(id).await?;
        while !record.state.is_final() {
            let left = patience.saturating_sub(begun.elapsed());
            if left < Duration::from_secs(1) {
                break; // an agent counts whole seconds, and would answer at once
            }
            record = self.changed(id, record.version, left).await?;
        }
        Ok(record)
    }

    /// A page of the record's steps, oldest first.
    pub async fn history(&self, id: Uuid, limit: usize, cursor: Option<&str>) -> Result<History, ClientError> {
        self.get(&paged(&format!("/actions/{id}/history"), limit, cursor)).await
    }

    /// Schedules an action.
    pub async fn schedule(&self, schedule: &Schedule) -> Result<Scheduled, ClientError> {
        self.call(Method::Post, "/actions", body(schedule)?, REQUEST).await
    }

    /// Asks for an action's end.
    pub async fn cancel(&self, id: Uuid) -> Result<Record, ClientError> {
        self.call(Method::Delete, &format!("/actions/{id}"), Vec::new(), REQUEST)
            .await
    }

    /// What an action of this kind would do now.
    pub async fn plan(&self, kind: &str, args: Option<&RawValue>) -> Result<PlanAnswer, ClientError> {
        let path = format!("/kinds/{}/plan", escaped(kind));
        self.call(
            Method::Post,
            &path,
            body(&serde_json::json!({ "args": args }))?,
            REQUEST,
        )
        .await
    }

    /// Any other request to the agent, `path` beginning at its root; its answer as it came, whatever the status.
    pub async fn raw(&self, method: Method, path: &str, body: Vec<u8>) -> Result<Answer, ClientError> {
        self.send(method, format!("{}{path}", self.base), body, REQUEST).await
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.call(Method::Get, path, Vec::new(), REQUEST).await
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
        timeout: Duration,
    ) -> Result<T, ClientError> {
        let url = format!("{}/api/v1{path}", self.base);
        let answer = self.send(method, url.clone(), body, timeout).await?;
        if (200..300).contains(&answer.status) {
            serde_json::from_slice(&answer.body).map_err(|error| ClientError::Garbled {
                url,
                status: answer.status,
                detail: error.to_string(),
            })
        } else {
            Err(refusal(url, &answer))
        }
    }

    async fn send(&self, method: Method, url: String, body: Vec<u8>, timeout: Duration) -> Result<Answer, ClientError> {
        let mut request = Request {
            body,
            timeout,
            ..Request::new(method, url)
        };
        if let Some(token) = &self.token {
            request
                .headers
                .push(("authorization".to_owned(), format!("Bearer {token}")));
        }
        if method == Method::Post {
            request
                .headers
                .push(("content-type".to_owned(), "application/json".to_owned()));
        }
        self.http.send(request).await
    }
}

/// How long any request but a long poll may take.
const REQUEST: Duration = Duration::from_secs(60);

fn body(value: &impl Serialize) -> Result<Vec<u8>, ClientError> {
    serde_json::to_vec(value).map_err(|error| ClientError::Broken(error.to_string()))
}

fn paged(path: &str, limit: usize, cursor: Option<&str>) -> String {
    let cursor = cursor
        .map(|cursor| format!("&cursor={}", escaped(cursor)))
        .unwrap_or_default();
    format!("{path}?limit={limit}{cursor}")
}

/// Text as part of a path or a query; a kind's `/` stays.
fn escaped(text: &str) -> String {
    use std::fmt::Write;
    let mut safe = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/') {
            safe.push(char::from(byte));
        } else {
            let _ = write!(safe, "%{byte:02X}"); // writing to a string cannot fail
        }
    }
    safe
}

fn refusal(url: String, answer: &Answer) -> ClientError {
    let status = answer.status;
    match serde_json::from_slice::<Problem>(&answer.body) {
        Ok(mut problem) if !problem.code.is_empty() => {
            problem.status = status;
            let last = answer
                .header("location")
                .and_then(|location| location.rsplit('/').next());
            problem.id = last.and_then(|id| id.parse().ok());
            ClientError::Refused(Box::new(problem))
        }
        _ => ClientError::Garbled {
            url,
            status,
            detail: format!("status {status} without a problem document"),
        },
    }
}
