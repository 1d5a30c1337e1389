//! The way to one server.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use agent_sdk::config::Address;
use mongodb::Client;
use mongodb::bson::Document;
use mongodb::error::Error;
use tokio::time::{Instant, timeout_at};

use super::Fault;
use super::options::{self, LastFailure};
use crate::code::Code;
use crate::config::{Access, Way};

/// For how long one that was not let in does not knock again: each try costs the server lines in its log.
const UNTIL_NEXT_TRY: Duration = Duration::from_secs(1);

/// The part of the time for an answer after which a server that takes no connection is none: what is left is for the rest of
/// the look.
const TO_CONNECT: f64 = 0.7;

/// The part of the time for an answer that a command has to have had, to say anything by having none.
const MOST: f64 = 0.9;

/// One server, and who asks it.
#[derive(Debug)]
pub struct Link {
    address: Address,
    way: Way,
    within: Duration,
    at_once: u32,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    client: Option<Live>,
    refused: Option<(Instant, Fault)>,
}

/// A client of the driver.
#[derive(Debug)]
struct Live {
    client: Client,
    last: LastFailure,
    /// Whether it has ever brought an answer. To get that far may take longer than an answer: connections, TLS, a login.
    answered: bool,
    /// How many commands in a row had their whole time and no answer.
    silent: u32,
}

/// After how many commands without an answer a client that never had one is given up.
const PATIENCE: u32 = 4;

impl Link {
    /// To this server, asked in this way. No connection is made yet. `within`: for an answer.
    pub fn new(address: Address, way: Way, within: Duration) -> Self {
        Self {
            address,
            way,
            within,
            at_once: 1,
            state: Mutex::default(),
        }
    }

    /// The same with a connection for each of so many commands at once.
    #[must_use]
    pub const fn at_once(mut self, commands: u32) -> Self {
        self.at_once = commands;
        self
    }

    /// Where it leads.
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// Sends a command to the database `admin`, and brings the answer.
    ///
    /// **Errors**: see [`Fault`]. One that [is undecided](Fault::is_undecided) may have been done.
    pub async fn ask(&self, command: Document) -> Result<Document, Fault> {
        self.ask_within(command, self.within).await
    }

    /// The same, with another time for the answer.
    pub async fn ask_within(&self, command: Document, within: Duration) -> Result<Document, Fault> {
        self.ask_until(command, Instant::now() + within, within).await
    }

    /// The same for a question, which can be asked twice: a server that was started anew has ended the connection that is
    /// kept, and says so only to who asks.
    pub async fn ask_again(&self, command: Document) -> Result<Document, Fault> {
        self.ask_again_by(command, Instant::now() + self.within).await
    }

    /// The same until then.
    pub async fn ask_again_by(&self, command: Document, end: Instant) -> Result<Document, Fault> {
        match self.ask_until(command.clone(), end, self.within).await {
            Err(Fault::Cut { .. }) => self.ask_until(command, end, self.within).await,
            answer => answer,
        }
    }

    async fn ask_until(&self, command: Document, end: Instant, within: Duration) -> Result<Document, Fault> {
        let (client, last) = self.client()?;
        let had_time = end.saturating_duration_since(Instant::now()) >= self.within.mul_f64(MOST);
        let database = client.database("admin");
        let answer = timeout_at(end, async { database.run_command(command).await }).await;
        match answer {
            Ok(Ok(answer)) => {
                self.answered(&last);
                Ok(answer)
            }
            Ok(Err(error)) => {
                let failure = last.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let fault = Fault::of(&error, failure.as_ref(), &self.address.to_string());
                Err(self.failed(fault, &last))
            }
            Err(_) => {
                if had_time {
                    self.unanswered(&last);
                }
                Err(Fault::Silent {
                    address: self.address.to_string(),
                    within,
                })
            }
        }
    }

    /// The driver's client, made when it is first needed. Where it was not let in it is given up, so that the next one reads
    /// the password anew.
    fn client(&self) -> Result<(Client, LastFailure), Fault> {
        let mut state = self.state();
        if let Some(Live { client, last, .. }) = &state.client {
            return Ok((client.clone(), last.clone()));
        }
        if let Some((when, fault)) = &state.refused
            && when.elapsed() < UNTIL_NEXT_TRY
        {
            return Err(fault.clone());
        }
        let last = LastFailure::default();
        let to_connect = self.within.mul_f64(TO_CONNECT);
        let options = options::options(&self.address, &self.way, to_connect, self.at_once, last.clone());
        let failed = |error: Error| Fault::of(&error, None, &self.address.to_string());
        let made = options.and_then(|options| Client::with_options(options).map_err(failed));
        match made {
            Ok(client) => {
                state.client = Some(Live {
                    client: client.clone(),
                    last: last.clone(),
                    answered: false,
                    silent: 0,
                });
                Ok((client, last))
            }
            Err(fault) => {
                state.refused = Some((Instant::now(), fault.clone()));
                Err(fault)
            }
        }
    }

    /// Ends its connections. The next command makes new ones.
    pub fn close(&self) {
        self.state().client = None;
    }

    fn answered(&self, last: &LastFailure) {
        if let Some(live) = self.state().client.as_mut().filter(|live| live.is(last)) {
            live.answered = true;
            live.silent = 0;
        }
    }

    /// Gives up a client whose server has not answered. The driver does not hear of that: it would go on to use what connections
    /// it has, and those that it waits for, and look at the server in ten minutes only. A new one looks first, and makes no
    /// connection as long as nobody answers.
    fn unanswered(&self, last: &LastFailure) {
        self.state().client.take_if(|live| {
            live.silent += 1;
            live.is(last) && (live.answered || live.silent >= PATIENCE)
        });
    }

    fn failed(&self, fault: Fault, last: &LastFailure) -> Fault {
        // A connection that was let in and whose user is gone, or was made anew, is nobody's.
        let fault = match fault {
            Fault::Answered { code, message }
                if code == Code::UNAUTHORIZED
                    && self.way.access != Access::Anonymous
                    && message.contains("requires authentication") =>
            {
                Fault::NotLetIn {
                    address: self.address.to_string(),
                    reason: message,
                }
            }
            other => other,
        };
        if matches!(fault, Fault::NotLetIn { .. } | Fault::Tls { .. }) {
            let mut state = self.state();
            state.client.take_if(|live| live.is(last));
            state.refused = Some((Instant::now(), fault.clone()));
        }
        fault
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Live {
    fn is(&self, last: &LastFailure) -> bool {
        Arc::ptr_eq(&self.last, last)
    }
}
