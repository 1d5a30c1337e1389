//! A vendor's whole program: the command line in front of an agent.

use std::marker::PhantomData;
use std::path::Path;
use std::process::ExitCode;

use schemars::{JsonSchema, Schema};
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use super::check::check;
use super::serve::{Outcome, Setup, StartError, serve};
use super::signals::on_signals;
use super::{About, Agent};
use crate::cli::{self, Endpoint, Exit, Failure, Finding, Program};
use crate::config::{self, ConfigError};
use crate::ledger::OpenError;
use crate::telemetry;

/// Runs a vendor's program: command line, configuration, agent.
///
/// `build` makes the agent from the configuration's `store` section, `C`. It is called for `run` and `check` only, and
/// must not wait for the store: an agent starts, and says `UNAVAILABLE`, also when its store is down. An error of it is
/// told as one of the configuration.
///
/// ```no_run
/// use agent_sdk::agent::Agent;
/// use agent_sdk::testing::Scripted;
///
/// /// The `store` section of the configuration.
/// #[derive(serde::Deserialize, schemars::JsonSchema)]
/// struct Config {
///     /// Where the store listens.
///     address: String,
/// }
///
/// fn main() -> std::process::ExitCode {
///     agent_sdk::main(agent_sdk::about!(), |config: Config| {
///         let store = Scripted::new();
///         Ok(Agent::new(store))
///     })
/// }
/// ```
pub fn main<C, F>(about: About, build: F) -> ExitCode
where
    C: DeserializeOwned + JsonSchema,
    F: Fn(C) -> anyhow::Result<Agent>,
{
    cli::main(&Vendor {
        about,
        build,
        config: PhantomData,
    })
}

struct Vendor<C, F> {
    about: About,
    build: F,
    config: PhantomData<fn() -> C>,
}

impl<C, F> Vendor<C, F>
where
    C: DeserializeOwned + JsonSchema,
    F: Fn(C) -> anyhow::Result<Agent>,
{
    fn setup(&self, file: &Path) -> Result<Setup, Failure> {
        let (config, store) = config::load::<C>(file)?.split();
        let agent = (self.build)(store)
            .map_err(|error| Failure::new(Exit::Configuration, format!("{}: store: {error:#}", file.display())))?;
        Ok(Setup {
            about: self.about.clone(),
            agent,
            config,
        })
    }
}

impl<C, F> Program for Vendor<C, F>
where
    C: DeserializeOwned + JsonSchema,
    F: Fn(C) -> anyhow::Result<Agent>,
{
    fn name(&self) -> &'static str {
        self.about.name
    }

    fn version(&self) -> String {
        let version = &self.about.version;
        match (&version.checkout, &version.taint) {
            (None, _) => version.number.to_string(),
            (Some(checkout), None) => format!("{} ({checkout})", version.number),
            (Some(checkout), Some(taint)) => format!("{} ({checkout}, {taint})", version.number),
        }
    }

    fn example(&self) -> String {
        config::example::<C>(self.about.name)
    }

    fn schema(&self) -> Schema {
        config::schema::<C>()
    }

    fn endpoint(&self, file: &Path) -> Result<Endpoint, ConfigError> {
        Ok(Endpoint::of(config::load::<C>(file)?.config()))
    }

    fn run(&self, file: &Path) -> Result<(), Failure> {
        let setup = self.setup(file)?;
        let settings = setup.config.config();
        let version = self.about.version.number.to_string();
        // Kept to the end: what was gathered of traces is sent then.
        let _telemetry = telemetry::install(&settings.logs, &settings.traces, self.about.name, &version)
            .map_err(|error| Failure::new(Exit::Configuration, error.to_string()))?;
        let stop = CancellationToken::new();
        match serve(setup, &stop, Some(on_signals), |_| {}) {
            Ok(Outcome::Stopped | Outcome::Left) => Ok(()),
            Ok(Outcome::LedgerFailed(reason)) => Err(Failure::new(
                Exit::Fault,
                format!("the agent records nothing any more: {reason}"),
            )),
            Ok(Outcome::ServerFailed(reason)) => Err(Failure::new(Exit::Fault, reason)),
            Ok(Outcome::Stuck { id, kind }) => Err(Failure::new(
                Exit::Fault,
                format!(
                    "the action {id} ({kind}) does not yield, past its deadline: the agent ends for it to end, and says \
                     FAILED of it at its next start"
                ),
            )),
            Ok(Outcome::Blocked { id, kind }) => Err(Failure::new(
                Exit::Fault,
                format!(
                    "something that an action has left behind blocks the others, the runner was at {id} ({kind}): the \
                     agent ends for it to end, and goes on at its next start"
                ),
            )),
            Ok(Outcome::RunnerFailed(reason)) => Err(Failure::new(
                Exit::Fault,
                format!("what runs the actions has ended by itself: {reason}"),
            )),
            Err(error) => Err(Failure::new(exit(&error), error.to_string())),
        }
    }

    fn check(&self, file: &Path) -> Vec<Finding> {
        match self.setup(file) {
            Ok(setup) => check(setup, file),
            Err(Failure { exit, message }) => vec![Finding::bad("configuration", exit, message)],
        }
    }
}

/// What a failed start exits with.
fn exit(error: &StartError) -> Exit {
    match error {
        StartError::Catalogue(_) | StartError::Threads(_) => Exit::Fault,
        StartError::State(error) => exit_of_state(error),
        StartError::Token(_) => Exit::StateDirectory,
        StartError::Bind { .. } => Exit::Configuration,
    }
}

/// What a state directory or a database that cannot be used exits with.
pub(super) const fn exit_of_state(error: &OpenError) -> Exit {
    match error {
        OpenError::Directory { .. } | OpenError::Held { .. } => Exit::StateDirectory,
        OpenError::Newer { .. }
        | OpenError::Foreign { .. }
        | OpenError::Damaged { .. }
        | OpenError::Database { .. } => Exit::Database,
    }
}
