//! Which paths there are, and what each is asked for.

use super::answer::{Problem, Tree};
use super::draft::uuid;
use super::fault::Fault;
use super::lists::{List, Page};
use super::options::Faults;

/// A path that is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    Node,
    Store,
    Shards,
    Listed(List),
    Schedule,
    Record(String),
    History(String),
    Kinds,
    Plan(String),
    Openapi,
}

/// Finds a path.
pub fn find(path: &str, faults: &Faults) -> Option<(Tree, Route)> {
    let path = if faults.has(Fault::TrailingSlashServed) {
        path.trim_end_matches('/')
    } else {
        path
    };
    let (tree, rest) = match path.strip_prefix("/api/v1/") {
        Some(rest) => (Tree::V1, rest),
        None => (Tree::Unstable, path.strip_prefix("/api/unstable/")?),
    };
    let parts: Vec<&str> = rest.split('/').collect();
    let route = match (tree, parts.as_slice()) {
        (_, ["info", "node"]) => Route::Node,
        (_, ["info", "store"]) => Route::Store,
        (_, ["info", "shards"]) => Route::Shards,
        (_, ["actions", "queue"]) => Route::Listed(List::Queue),
        (_, ["actions", "finished"]) => Route::Listed(List::Finished),
        (Tree::V1, ["actions"]) | (Tree::Unstable, ["action"]) => Route::Schedule,
        (Tree::V1, ["actions", id]) | (Tree::Unstable, ["action", id]) if !id.is_empty() => {
            Route::Record((*id).to_owned())
        }
        (Tree::V1, ["actions", id, "history"]) if !id.is_empty() && !faults.has(Fault::HistoryMissing) => {
            Route::History((*id).to_owned())
        }
        (Tree::V1, ["kinds"]) => Route::Kinds,
        (Tree::V1, ["kinds", scope, name, "plan"]) => Route::Plan(format!("{scope}/{name}")),
        (Tree::V1, ["openapi.json"]) if !faults.has(Fault::OpenapiMissing) => Route::Openapi,
        _ => return None,
    };
    Some((tree, route))
}

impl Route {
    /// What `Allow` says.
    pub const fn methods(&self, tree: Tree) -> &'static [&'static str] {
        match (self, tree) {
            (Self::Schedule | Self::Plan(_), _) => &["POST"],
            (Self::Record(_), Tree::V1) => &["GET", "HEAD", "DELETE"],
            _ => &["GET", "HEAD"],
        }
    }

    const fn parameters(&self) -> &'static [&'static str] {
        match self {
            Self::Listed(_) | Self::History(_) => &["limit", "cursor"],
            Self::Record(_) => &["wait", "after"],
            _ => &[],
        }
    }
}

/// The parameters of a request; in `unstable` there are none.
#[derive(Debug, Default)]
pub struct Query {
    pub page: Page,
    /// Seconds, and the version that is known.
    pub wait: Option<(u64, u64)>,
}

impl Query {
    pub fn read(tree: Tree, route: &Route, method: &str, query: &str, faults: &Faults) -> Result<Self, Problem> {
        let mut read = Self::default();
        if tree == Tree::Unstable {
            return Ok(read);
        }
        let bad = |name: &str, why: String| {
            let at = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
            Problem::new("bad_parameter", why).at(at)
        };
        let number = |name: &str, text: &str, least: u64, most: u64| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let value = text
                .parse()
                .ok()
                .filter(|value| digits && (least..=most).contains(value));
            value.ok_or_else(|| bad(name, format!("{name} is a number from {least} to {most}")))
        };
        let known = if method == "DELETE" { &[] } else { route.parameters() };
        let (mut wait, mut after) = (None, None);
        let mut seen: Vec<&str> = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if !known.contains(&name) {
                if faults.has(Fault::UnknownParameterAccepted) {
                    continue;
                }
                return Err(bad(name, format!("{name:?} is no parameter of this route")));
            }
            if seen.contains(&name) {
                return Err(bad(name, format!("{name} is given twice")));
            }
            seen.push(name);
            match name {
                "limit" => read.page.limit = usize::try_from(number(name, value, 1, 1000)?).ok(),
                "cursor" => read.page.cursor = Some(value.to_owned()),
                "wait" => wait = Some(number(name, value, 0, 60)?),
                _ => after = Some(number(name, value, 0, i64::MAX.unsigned_abs())?),
            }
        }
        if let Some(wait) = wait {
            let after = after.ok_or_else(|| bad("after", "wait needs after".to_owned()))?;
            read.wait = Some((wait, after));
        }
        Ok(read)
    }
}

/// The id in a path.
pub fn id(text: &str, faults: &Faults) -> Result<String, Problem> {
    match uuid(text) {
        Some(id) => Ok(id),
        None if faults.has(Fault::BadIdAccepted) => Ok(text.to_owned()),
        None if faults.has(Fault::BadIdUnknown) => Err(Problem::new("unknown_action", "no action has this id")),
        None if faults.has(Fault::BadIdFails) => Err(Problem::new("internal", "no UUID")),
        None => Err(Problem::new("bad_id", "an id is a UUID").at("/id")),
    }
}
