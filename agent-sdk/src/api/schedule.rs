//! From what a client asks for to what the ledger accepts.
//!
//! A dialect makes a [`Draft`]: the right types, nothing more. An id that was used is told first, before anything else
//! is found wrong, since a client that repeats itself wants to know that it was heard, also by an agent whose kinds or
//! limits have changed since. Then everything is checked, each fault by its place, and only what is right reaches the
//! ledger.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::json;
use super::problem::{Code, Problem};
use super::service::Service;
use crate::action::{ArgsError, Catalogue, Entry};
use crate::ledger::{AcceptError, Submission};
use crate::spec::{NodeState, Preconditions, Record, Requester, Role, Timestamp};

/// What a client asks for.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) kind: String,
    pub(super) args: Option<Box<RawValue>>,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) id: Option<Uuid>,
    pub(super) requester: Option<String>,
    pub(super) preconditions: Option<Expected>,
    pub(super) deadline_s: Option<u32>,
    pub(super) created_ts: Option<Timestamp>,
    pub(super) trace: Option<String>,
}

/// What must hold right before the first attempt; at least one of the two, neither empty.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(rename = "ExpectedPreconditions", extend("minProperties" = 1))]
pub(super) struct Expected {
    /// The node is in one of these states.
    #[schemars(length(min = 1))]
    node_status: Option<Vec<NodeState>>,
    /// By shard: this node is one of these to it. A shard that is not there is unmet.
    #[schemars(extend("minProperties" = 1))]
    shards: Option<BTreeMap<String, Vec<Role>>>,
}

impl Service {
    /// Accepts an action.
    ///
    /// **Guarantees**: with a record returned, the action is on disk; with a problem, nothing is stored, but for
    /// [`Code::NotRecording`], after which nobody can tell.
    pub(super) async fn schedule(&self, draft: Draft) -> Result<Record, Problem> {
        let (id, kind, args) = (draft.id, draft.kind.clone(), draft.args.clone());
        let submission = match submission(draft, self.catalogue()) {
            Ok(submission) => submission,
            // A used id goes before what else is wrong. What is right need not be looked up: the ledger does that itself,
            // and writes in the same breath.
            Err(problem) => match id {
                Some(id) => match self.ledger().used(id).await? {
                    Some(existing) => return Err(used(id, existing.as_ref(), &kind, args.as_deref())),
                    None => return Err(problem),
                },
                None => return Err(problem),
            },
        };
        self.ledger().accept(submission).await.map_err(|error| match error {
            AcceptError::Used { id, existing } => used(id, existing.as_deref(), &kind, args.as_deref()),
            AcceptError::QueueFull { waiting } => Problem::new(
                Code::QueueFull,
                format!("the queue is full: {waiting} wait in it, as many as may"),
            ),
            AcceptError::Write(error) => error.into(),
        })
    }
}

fn used(id: Uuid, existing: Option<&Record>, kind: &str, args: Option<&RawValue>) -> Problem {
    let same = |existing: &Record| {
        existing.kind.as_str() == kind
            && match (existing.args.as_deref(), args) {
                (None, None) => true,
                (Some(one), Some(other)) => json::same(one.get(), other.get()),
                (None, Some(_)) | (Some(_), None) => false,
            }
    };
    Problem::used(id, existing.map(same))
}

fn submission(draft: Draft, catalogue: &Catalogue) -> Result<Submission, Problem> {
    let Draft {
        kind,
        args,
        headers,
        id,
        requester,
        preconditions,
        deadline_s,
        created_ts,
        trace,
    } = draft;
    let entry = catalogue
        .get(&kind)
        .ok_or_else(|| unknown_kind(Code::UnknownKind, &kind, catalogue).at("/kind"))?;
    entry.check(args.as_deref()).map_err(bad_arguments)?;
    Ok(Submission {
        id: id.unwrap_or_else(Uuid::new_v4),
        kind: entry.kind.clone(),
        args,
        headers,
        requester: requester_of(requester)?,
        preconditions: preconditions.map(preconditions_of).transpose()?,
        deadline_s: deadline_of(deadline_s, entry)?,
        trace,
        created_ts,
    })
}

/// Why a kind is not there, in the vendor's own words where it has some.
pub(super) fn unknown_kind(code: Code, kind: &str, catalogue: &Catalogue) -> Problem {
    let absent = catalogue.absent().find(|(absent, _)| *absent == kind);
    let detail = match absent {
        Some((_, absent)) => {
            // Vendors end them as sentences, or not.
            let [reason, instead] = [&absent.reason, &absent.instead].map(|words| words.trim_end_matches('.'));
            format!("this store has no use for {kind}: {reason}; instead: {instead}")
        }
        None => "this agent has no kind of that name; GET /api/v1/kinds lists those it has".to_owned(),
    };
    Problem::new(code, detail)
}

/// A fault of arguments, its place seen from the whole body.
pub(super) fn bad_arguments(error: ArgsError) -> Problem {
    let ArgsError { pointer, message } = error;
    Problem::new(Code::BadArguments, message).at(format!("/args{pointer}"))
}

fn requester_of(given: Option<String>) -> Result<Requester, Problem> {
    given.map_or_else(
        || Ok(Requester::default()),
        |text| {
            Requester::parse(&text).map_err(|error| Problem::new(Code::BadValue, error.to_string()).at("/requester"))
        },
    )
}

fn deadline_of(given: Option<u32>, entry: &Entry) -> Result<u32, Problem> {
    let longest = entry.deadline_s;
    match given {
        None => Ok(longest),
        Some(seconds) if (1..=longest).contains(&seconds) => Ok(seconds),
        Some(_) => {
            let detail = format!("deadline_s is 1 to {longest} for this kind");
            Err(Problem::new(Code::BadValue, detail).at("/deadline_s"))
        }
    }
}

/// Nothing to expect, or an empty list of what is expected, is a client's mistake: it would hold always, or never.
fn preconditions_of(expected: Expected) -> Result<Preconditions, Problem> {
    let Expected { node_status, shards } = expected;
    let empty = |place: String| Problem::new(Code::BadValue, "an empty precondition expects nothing").at(place);
    if node_status.is_none() && shards.is_none() {
        return Err(empty("/preconditions".to_owned()));
    }
    if node_status.as_ref().is_some_and(Vec::is_empty) {
        return Err(empty("/preconditions/node_status".to_owned()));
    }
    if shards.as_ref().is_some_and(BTreeMap::is_empty) {
        return Err(empty("/preconditions/shards".to_owned()));
    }
    if let Some((shard, _)) = shards.iter().flatten().find(|(_, roles)| roles.is_empty()) {
        let mut place = "/preconditions/shards".to_owned();
        json::push_key(&mut place, shard);
        return Err(empty(place));
    }
    Ok(Preconditions {
        node_status: node_status.unwrap_or_default(),
        shards: shards.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOP: &str = "agent.replicante.io/test.loop";

    fn args(text: &str) -> Draft {
        let args = Some(RawValue::from_string(text.to_owned()).unwrap());
        Draft { args, ..draft() }
    }

    fn field(draft: Draft) -> (Code, String) {
        let problem = submission(draft, &Catalogue::new().unwrap()).unwrap_err();
        (problem.code(), problem.field().to_owned())
    }

    fn draft() -> Draft {
        Draft {
            kind: LOOP.to_owned(),
            ..Draft::default()
        }
    }

    #[test]
    fn arguments_keep_the_text_that_came() {
        let text = "{\"target\":  3}";
        let made = submission(args(text), &Catalogue::new().unwrap()).unwrap();
        assert_eq!(made.args.unwrap().get(), text);
        assert_eq!((made.requester.as_str(), made.deadline_s), ("AGENT_API", 24 * 3600));
    }

    #[test]
    fn every_fault_has_its_place() {
        assert_eq!(
            field(Draft {
                kind: "a/b".into(),
                ..draft()
            }),
            (Code::UnknownKind, "/kind".into())
        );
        assert_eq!(
            field(Draft {
                kind: "no kind".into(),
                ..draft()
            }),
            (Code::UnknownKind, "/kind".into())
        );
        assert_eq!(
            field(args(r#"{"target":"x"}"#)),
            (Code::BadArguments, "/args/target".into())
        );
        assert_eq!(field(args("[]")), (Code::BadArguments, "/args".into()));
        for requester in ["", "\u{7}", &"a".repeat(201)] {
            let given = Draft {
                requester: Some(requester.into()),
                ..draft()
            };
            assert_eq!(field(given), (Code::BadValue, "/requester".into()));
        }
        for deadline_s in [0, 24 * 3600 + 1] {
            let given = Draft {
                deadline_s: Some(deadline_s),
                ..draft()
            };
            assert_eq!(field(given), (Code::BadValue, "/deadline_s".into()));
        }
    }

    #[test]
    fn empty_preconditions_are_mistakes() {
        for (given, place) in [
            ("{}", ""),
            (r#"{"node_status":null}"#, ""),
            (r#"{"node_status":[]}"#, "/node_status"),
            (r#"{"node_status":["HEALTHY"],"shards":{}}"#, "/shards"),
            (r#"{"shards":{"a":["PRIMARY"],"b/c":[]}}"#, "/shards/b~1c"),
        ] {
            let preconditions = Some(serde_json::from_str(given).unwrap());
            let fault = field(Draft {
                preconditions,
                ..draft()
            });
            assert_eq!(fault, (Code::BadValue, format!("/preconditions{place}")), "{given}");
        }
    }
}
