//! A way to one listener that lasts: a connection that is kept, and made anew when it is lost.

use std::time::Duration;

use super::call::Call;
use super::connection::Connection;
use super::deadline::Deadline;
use super::endpoint::Endpoint;
use super::error::{ClientError, Fault};
use super::versions::Versions;

/// A way to one listener. It connects when something is asked, not before.
pub struct Link {
    endpoint: Endpoint,
    kept: Option<Connection>,
    opened: u64,
}

impl Link {
    /// A way to this listener.
    pub const fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            kept: None,
            opened: 0,
        }
    }

    /// Whom it leads to.
    pub const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// How many connections it has made. While that number stays, it is the same process that answers.
    pub const fn opened(&self) -> u64 {
        self.opened
    }

    /// Asks, and returns within the time given, whatever has to be done for it.
    ///
    /// **Guarantees**: a request that changes something is sent at most once, over a connection that was made for it:
    /// one that has idled may be closed already, and to find out with such a request would leave it undecided for
    /// nothing. One that only reads is sent again, once, where the kept connection turns out to be closed. A call that
    /// is dropped leaves nothing behind but its connection, which is closed.
    ///
    /// **Errors**: see [`error`](super::error).
    pub async fn call<C: Call>(&mut self, request: &C, within: Duration) -> Result<C::Answer, ClientError> {
        let answer = self.attempt(request, Deadline::after(within)).await;
        answer.map_err(|fault| fault.at(self.endpoint.address.clone()))
    }

    /// What the listener knows, as it said when the connection was made.
    pub async fn versions(&mut self, within: Duration) -> Result<Versions, ClientError> {
        let connection = match self.quiet().await {
            Some(kept) => Ok(kept),
            None => self.open(Deadline::after(within)).await,
        };
        let connection = connection.map_err(|fault| fault.at(self.endpoint.address.clone()))?;
        Ok(self.kept.insert(connection).versions().clone())
    }

    async fn attempt<C: Call>(&mut self, request: &C, deadline: Deadline) -> Result<C::Answer, Fault> {
        // Taken in any case: a link has one connection at a time.
        if let Some(kept) = self.quiet().await
            && !C::CHANGES
        {
            match self.over(kept, request, deadline).await {
                Err(Fault::Closed { .. } | Fault::Broken { .. }) => {
                    tracing::debug!(address = %self.endpoint.address, "a kept connection was closed");
                }
                answered => return answered,
            }
        }
        let connection = self.open(deadline).await?;
        self.over(connection, request, deadline).await
    }

    async fn open(&mut self, deadline: Deadline) -> Result<Connection, Fault> {
        let connection = Connection::open(&self.endpoint, deadline).await?;
        self.opened += 1;
        Ok(connection)
    }

    async fn over<C: Call>(
        &mut self,
        connection: Connection,
        request: &C,
        deadline: Deadline,
    ) -> Result<C::Answer, Fault> {
        if let Err(unsupported) = connection.versions().choose::<C>() {
            // Nothing was sent: the connection is as good as before.
            self.kept = Some(connection);
            return Err(unsupported.into());
        }
        let (connection, answer) = connection.call(request, deadline).await?;
        self.kept = Some(connection);
        Ok(answer)
    }

    /// The kept connection, if it can be used.
    async fn quiet(&mut self) -> Option<Connection> {
        let mut kept = self.kept.take()?;
        kept.is_quiet().await.then_some(kept)
    }
}

#[cfg(test)]
mod tests;
