//! Commands to one node, and its answers.

use std::time::Duration;

use ::mongodb::bson::{Bson, Document, doc};
use ::mongodb::options::Credential;

use super::client::{self, DEADLINE, SELECTION};
use super::{Error, Node};

impl Node {
    /// Runs a command on this very node, whatever it is. At a secured cluster it comes as the nodes come to each other, who may
    /// do everything, whether there are users or not.
    ///
    /// Every command has a connection of its own: what was learned before the node was killed, paused or added is not known
    /// any more.
    ///
    /// # Errors
    /// [`Error::Command`], also after three seconds without anybody who answers; [`Error::Silent`] when the command is
    /// taken and not answered within twenty.
    pub fn command(&self, database: &str, command: Document) -> Result<Document, Error> {
        let credential = self.common.secured.then(|| self.common.files().internal());
        self.ask(database, command, [SELECTION, DEADLINE], credential.transpose()?)
    }

    /// [`Node::command`] without a login, secured or not.
    ///
    /// # Errors
    /// As [`Node::command`].
    pub fn anonymous_command(&self, database: &str, command: Document) -> Result<Document, Error> {
        self.ask(database, command, [SELECTION, DEADLINE], None)
    }

    /// What it says to everybody: `hello`.
    ///
    /// # Errors
    /// As [`Node::command`], when the time is over.
    pub fn hello(&self, within: Duration) -> Result<Document, Error> {
        self.ask("admin", doc! { "hello": 1 }, [within, within], None)
    }

    /// `replSetGetStatus`.
    ///
    /// # Errors
    /// As [`Node::command`]; without a set, the server's [code](Error::code) says why.
    pub fn status(&self) -> Result<Document, Error> {
        self.command("admin", doc! { "replSetGetStatus": 1 })
    }

    /// Its own state as a member: 1 is primary, 2 secondary.
    ///
    /// # Errors
    /// As [`Node::status`].
    pub fn state(&self) -> Result<i64, Error> {
        let status = self.status()?;
        status.get("myState").and_then(number).ok_or_else(|| Error::Unexpected {
            whom: self.name().to_owned(),
            what: "replSetGetStatus",
            said: status.to_string(),
        })
    }

    /// The configuration of its set: `config` of `replSetGetConfig`.
    ///
    /// # Errors
    /// As [`Node::status`].
    pub fn config(&self) -> Result<Document, Error> {
        let mut answer = self.command("admin", doc! { "replSetGetConfig": 1 })?;
        match answer.remove("config") {
            Some(Bson::Document(config)) => Ok(config),
            _ => Err(Error::Unexpected {
                whom: self.name().to_owned(),
                what: "replSetGetConfig",
                said: answer.to_string(),
            }),
        }
    }

    fn ask(
        &self,
        database: &str,
        command: Document,
        [selection, within]: [Duration; 2],
        credential: Option<Credential>,
    ) -> Result<Document, Error> {
        let what = command.keys().next().cloned().unwrap_or_default();
        let mut options = client::options(&[self.address()], selection, credential);
        options.direct_connection = Some(true);
        let client = client::connect(options)?.map_err(|error| client::refused(self.name(), &what, error))?;
        let database = client.database(database);
        let call = async move {
            let answer = database.run_command(command).await;
            client.shutdown().immediate(true).await;
            answer
        };
        client::ask(self.name(), &what, within, call)
    }
}

/// A number, of whichever kind the server has chosen.
pub(super) fn number(value: &Bson) -> Option<i64> {
    match value {
        Bson::Int32(number) => Some((*number).into()),
        Bson::Int64(number) => Some(*number),
        #[allow(clippy::cast_possible_truncation, reason = "servers put whole numbers there")]
        Bson::Double(number) => Some(*number as i64),
        _ => None,
    }
}
