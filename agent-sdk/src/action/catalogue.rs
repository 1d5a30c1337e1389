//! What an agent offers: kinds by name, their types erased by one implementation.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use schemars::{Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde_json::value::{RawValue, to_raw_value};
use thiserror::Error;

use super::json::{self, Misfit, Unknown};
use super::{Action, ActionError, Fault, Invocation, Plan, wellknown};
use crate::config::first_out_of_range;
use crate::spec::{KindError, KindName, WellKnown};

/// The kinds of one agent.
pub struct Catalogue {
    entries: BTreeMap<KindName, Entry>,
    absent: BTreeMap<&'static str, Absent>,
}

/// One kind.
pub struct Entry {
    /// Full name.
    pub kind: KindName,
    /// What it does.
    pub summary: &'static str,
    /// JSON Schema of the arguments.
    pub args: Schema,
    /// JSON Schema of the output.
    pub output: Schema,
    /// Running time of one invocation in seconds, at least 1.
    pub deadline_s: u32,
    /// Whether it can tell what it would do.
    pub plans: bool,
    handler: Arc<dyn Handler>,
}

/// A well-known kind that this store has no use for.
#[derive(Debug, Clone)]
pub struct Absent {
    /// Why not.
    pub reason: String,
    /// What to do instead.
    pub instead: String,
}

/// Why an agent cannot offer what it was built with. Found at start-up.
#[derive(Debug, Error)]
pub enum CatalogueError {
    /// Not a kind's name.
    #[error(transparent)]
    Name(#[from] KindError),
    /// Two kinds of one name.
    #[error("the kind {0} is registered twice")]
    Twice(KindName),
    /// A name that belongs to the specification.
    #[error(
        "the kind {0} is in a scope that belongs to the specification; its own kinds are registered by their constructors"
    )]
    Reserved(KindName),
    /// An action given to the constructor of another kind.
    #[error("the action {given} is registered as {expected}")]
    Mismatch {
        /// The action's own name.
        given: &'static str,
        /// The name that the constructor is for.
        expected: &'static str,
    },
    /// A well-known kind must take what clients send to every store.
    #[error(r#"{kind} must accept {{"node": "…"}}: {error}"#)]
    NodeForm {
        /// The kind.
        kind: &'static str,
        /// What is wrong with its arguments.
        error: ArgsError,
    },
    /// A deadline out of range.
    #[error("the kind {0} has a deadline of less than a second, or of more than 24 days")]
    Deadline(KindName),
}

/// Arguments that do not fit their kind.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct ArgsError {
    /// JSON pointer into the arguments; empty for the whole.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
}

/// The longest deadline: 24 days, so that milliseconds fit 31 bits.
const LONGEST: Duration = Duration::from_secs(24 * 24 * 3600);

impl Catalogue {
    /// A catalogue with the kinds that every agent has.
    pub fn new() -> Result<Self, CatalogueError> {
        let mut catalogue = Self {
            entries: BTreeMap::new(),
            absent: BTreeMap::new(),
        };
        wellknown::register(&mut catalogue)?;
        Ok(catalogue)
    }

    /// Adds a kind of the vendor's own.
    pub fn add<A: Action>(&mut self, action: A) -> Result<(), CatalogueError> {
        let name = KindName::parse(A::KIND)?;
        if name.is_reserved() {
            return Err(CatalogueError::Reserved(name));
        }
        self.register(action)
    }

    /// Adds one of the kinds that the specification names.
    pub fn add_well_known<A: Action>(&mut self, which: WellKnown, action: A) -> Result<(), CatalogueError> {
        if A::KIND != which.kind() {
            return Err(CatalogueError::Mismatch {
                given: A::KIND,
                expected: which.kind(),
            });
        }
        if which != WellKnown::ClusterInit {
            parse::<A::Args>(r#"{"node":"a"}"#).map_err(|error| CatalogueError::NodeForm {
                kind: which.kind(),
                error,
            })?;
        }
        self.register(action)
    }

    /// Says that a well-known kind is not needed on this store, why, and what to use.
    pub fn declare_absent(&mut self, which: WellKnown, reason: impl Into<String>, instead: impl Into<String>) {
        self.absent.insert(
            which.kind(),
            Absent {
                reason: reason.into(),
                instead: instead.into(),
            },
        );
    }

    pub(super) fn register<A: Action>(&mut self, action: A) -> Result<(), CatalogueError> {
        let kind = KindName::parse(A::KIND)?;
        if !(Duration::from_secs(1)..=LONGEST).contains(&A::DEADLINE) {
            return Err(CatalogueError::Deadline(kind));
        }
        let schema = |root: fn(SchemaGenerator) -> Schema| root(SchemaGenerator::default());
        let entry = Entry {
            kind: kind.clone(),
            summary: A::SUMMARY,
            args: schema(SchemaGenerator::into_root_schema_for::<A::Args>),
            output: schema(SchemaGenerator::into_root_schema_for::<A::Output>),
            deadline_s: u32::try_from(A::DEADLINE.as_secs()).unwrap_or(u32::MAX),
            plans: A::PLANS,
            handler: Arc::new(Typed {
                action,
                args: PhantomData,
            }),
        };
        match self.entries.entry(kind.clone()) {
            std::collections::btree_map::Entry::Occupied(_) => Err(CatalogueError::Twice(kind)),
            std::collections::btree_map::Entry::Vacant(place) => {
                place.insert(entry);
                Ok(())
            }
        }
    }

    /// The kind of this name.
    pub fn get(&self, kind: &str) -> Option<&Entry> {
        self.entries.get(&KindName::parse(kind).ok()?)
    }

    /// Every kind, in the names' order.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// Well-known kinds that this store has no use for, by name.
    pub fn absent(&self) -> impl Iterator<Item = (&'static str, &Absent)> {
        self.absent.iter().map(|(kind, absent)| (*kind, absent))
    }
}

impl Entry {
    /// Whether these arguments fit; `None` is read as `{}`.
    pub fn check(&self, args: Option<&RawValue>) -> Result<(), ArgsError> {
        let text = text(args);
        self.handler.check(text)?;
        // serde knows types only; the ranges that the schema tells clients are held here.
        let value = serde_json::from_str(text).unwrap_or_default();
        match first_out_of_range(&self.args, &value) {
            None => Ok(()),
            Some((path, message)) => Err(ArgsError {
                pointer: format!("/{}", path.replace('.', "/")),
                message,
            }),
        }
    }

    /// The action without its types, to be run apart from the catalogue.
    pub(crate) fn handler(&self) -> Arc<dyn Handler> {
        self.handler.clone()
    }

    /// What the action would do. The future is its own, so that it can be run elsewhere.
    pub(crate) fn plan(
        &self,
        args: Option<Box<RawValue>>,
    ) -> impl Future<Output = Result<Plan, ActionError>> + Send + 'static {
        let handler = self.handler.clone();
        async move { handler.plan(text(args.as_deref())).await }
    }
}

fn text(args: Option<&RawValue>) -> &str {
    match args.map(RawValue::get) {
        None | Some("null") => "{}",
        Some(text) => text,
    }
}

/// Reads arguments, naming the place of what does not fit; keys that the type does not know are refused.
fn parse<T: DeserializeOwned>(text: &str) -> Result<T, ArgsError> {
    // serde would read a list as the fields in their order.
    if !text.trim_start().starts_with('{') {
        return Err(ArgsError {
            pointer: String::new(),
            message: "arguments are a JSON object".to_owned(),
        });
    }
    json::read(text, Unknown::Refused).map_err(|misfit| match misfit {
        Misfit::Value(pointer, message) => ArgsError { pointer, message },
        Misfit::Key(pointer) => ArgsError {
            message: format!("{pointer} is not known to this kind"),
            pointer,
        },
    })
}

/// [`Action`] without its types.
pub(crate) trait Handler: Send + Sync {
    fn check(&self, args: &str) -> Result<(), ArgsError>;
    fn run<'a>(&'a self, args: &'a str, invocation: Invocation) -> BoxFuture<'a, Result<Box<RawValue>, ActionError>>;
    fn plan<'a>(&'a self, args: &'a str) -> BoxFuture<'a, Result<Plan, ActionError>>;
}

struct Typed<A: Action> {
    action: A,
    args: PhantomData<fn() -> A::Args>,
}

impl<A: Action> Typed<A> {
    fn args(text: &str) -> Result<A::Args, ActionError> {
        // Checked when it was scheduled, but perhaps by an older version of the agent.
        parse(text).map_err(|error| ActionError::Final(Fault::new("bad_arguments", error.to_string())))
    }
}

impl<A: Action> Handler for Typed<A> {
    fn check(&self, args: &str) -> Result<(), ArgsError> {
        parse::<A::Args>(args).map(drop)
    }

    fn run<'a>(
        &'a self,
        args: &'a str,
        mut invocation: Invocation,
    ) -> BoxFuture<'a, Result<Box<RawValue>, ActionError>> {
        Box::pin(async move {
            let args = Self::args(args)?;
            let output = self.action.run(&args, &mut invocation).await?;
            to_raw_value(&output).map_err(|error| {
                ActionError::Final(Fault::new("output_unwritable", "the action's output is no JSON").caused_by(error))
            })
        })
    }

    fn plan<'a>(&'a self, args: &'a str) -> BoxFuture<'a, Result<Plan, ActionError>> {
        Box::pin(async move { self.action.plan(&Self::args(args)?).await })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_that_do_not_fit_are_named_by_their_place() {
        let catalogue = Catalogue::new().unwrap();
        let entry = catalogue.get("agent.replicante.io/test.loop").unwrap();
        let check = |text: &str| entry.check(Some(&RawValue::from_string(text.to_owned()).unwrap()));
        assert_eq!(check(r#"{"target": 3}"#), Ok(()));
        assert_eq!(entry.check(None), Ok(()));
        assert_eq!(check("null"), Ok(()));
        assert_eq!(check(r#"{"target": "3"}"#).unwrap_err().pointer, "/target");
        assert_eq!(check(r#"{"target": -3}"#).unwrap_err().pointer, "/target");
        let unknown = check(r#"{"tarqet": 3}"#).unwrap_err();
        assert_eq!(unknown.pointer, "/tarqet", "{unknown}");
        assert_eq!(check(r#"{"a/b.c~": 3}"#).unwrap_err().pointer, "/a~1b.c~0");
        assert_eq!(check(r#"{"target": 1000001}"#).unwrap_err().pointer, "/target");
        assert_eq!(check("[]").unwrap_err().pointer, "");
    }

    #[test]
    fn the_reserved_scope_is_defended() {
        struct Stray;
        impl super::super::Kind for Stray {
            const KIND: &'static str = "sub.replicante.io/x";
            const SUMMARY: &'static str = "";
            const DEADLINE: Duration = Duration::from_secs(1);
            type Args = super::super::NoArgs;
            type Output = ();
        }
        impl Action for Stray {
            async fn run(&self, _: &super::super::NoArgs, _: &mut Invocation) -> Result<(), ActionError> {
                Ok(())
            }
        }
        let mut catalogue = Catalogue::new().unwrap();
        assert!(matches!(catalogue.add(Stray), Err(CatalogueError::Reserved(_))));
        assert!(matches!(
            catalogue.add_well_known(WellKnown::ClusterAdd, Stray),
            Err(CatalogueError::Mismatch { .. })
        ));
    }
}
