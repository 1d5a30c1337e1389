//! The story and what its steps share: looking at a node until it is as it should be, and running an action to its end.
//!
//! Every step says what it does, does it, and waits for what has to come of it, within a deadline. A cluster grows
//! ([`super::growth`]), is written to ([`super::writes`]), and survives losses ([`super::losses`]).

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use agent_sdk::client::{Http, PlanAnswer, Record};
use agent_sdk::spec::{NodeState, Role, State};
use futures_util::future::try_join_all;
use serde_json::Value;

use super::Failure;
use super::play::{NODES, Play};
use super::screen::{Look, Screen};
use super::seat::{Seat, Sight};
use super::stage::Stage;

/// For a change to be seen.
pub(super) const SOON: Duration = Duration::from_secs(20);
/// For an action on the cluster: its own deadline.
const ACTION: Duration = Duration::from_secs(60);

/// Everything that the steps share.
pub(super) struct Story<'a, P> {
    pub(super) screen: &'a Screen,
    pub(super) stage: Rc<Stage>,
    pub(super) play: P,
    pub(super) seats: Vec<Seat>,
    /// Who takes the writes, by place, as it was last seen.
    pub(super) primary: Cell<usize>,
    /// Whose process was killed.
    pub(super) lost: Cell<Option<usize>>,
    /// Whose logs explain a failure of the present step.
    involved: RefCell<Vec<usize>>,
}

impl<'a, P: Play> Story<'a, P> {
    pub(super) fn new(screen: &'a Screen, stage: Rc<Stage>, play: P) -> Result<Self, Failure> {
        let http = Http::new()?;
        let seats: Result<_, _> = (0..NODES)
            .map(|place| Seat::prepare(&stage, http.clone(), &play, place))
            .collect();
        Ok(Self {
            screen,
            stage,
            play,
            seats: seats?,
            primary: Cell::new(0),
            lost: Cell::new(None),
            involved: RefCell::new(Vec::new()),
        })
    }

    /// From three lone nodes to the removal of a dead one.
    pub(super) async fn tell(&self) -> Result<(), Failure> {
        self.start().await?;
        self.init().await?;
        self.join().await?;
        self.add(2).await?;
        self.write().await?;
        self.lose_primary().await?;
        self.lose_agent().await?;
        self.remove("the dead node is removed from the new primary's side, and then once more")
            .await
    }

    /// Waits until an agent shows its node so.
    pub(super) async fn shows(
        &self,
        place: usize,
        status: NodeState,
        role: Option<Role>,
        within: Duration,
    ) -> Result<Sight, Failure> {
        let seat = &self.seats[place];
        let role_name = role.map_or(String::new(), |role| format!(" and {}", role.name()));
        let what = format!("{} is {}{role_name}", seat.node, status.name());
        let wanted = |sight: &Sight| sight.status == status && (role.is_none() || sight.role == role);
        self.screen.wait(&what, within, async || seat.look(wanted).await).await
    }

    /// Runs an action on the cluster to its end, which has to be `DONE`.
    pub(super) async fn change(&self, place: usize, kind: &str, args: Option<Value>) -> Result<Record, Failure> {
        let seat = &self.seats[place];
        let name = kind.rsplit('/').next().unwrap_or_default();
        let words = args
            .as_ref()
            .map_or(String::new(), |args| format!(" {}", short(&args.to_string(), 56)));
        self.screen.act(&format!("agent of {}: {name}{words}", seat.node));
        let id = seat.schedule(kind, args.as_ref()).await?;
        let done = async || seat.look_at(id, |record| record.state == State::Done).await;
        let record = self.screen.wait(&format!("{name} is DONE"), ACTION, done).await?;
        let changed = self
            .play
            .changed(&record)
            .map_or(String::new(), |(changed, now)| format!(": changed {changed}, {now}"));
        self.screen.seen(&format!("DONE{changed}"));
        Ok(record)
    }

    /// Asks what an action would do, and shows it.
    pub(super) async fn plan(&self, place: usize, kind: &str, args: &Value) -> Result<(), Failure> {
        let seat = &self.seats[place];
        let name = kind.rsplit('/').next().unwrap_or_default();
        self.screen
            .act(&format!("agent of {}: what would {name} do?", seat.node));
        let PlanAnswer {
            steps, refused, done, ..
        } = seat.plan(kind, args).await?;
        if let Some(error) = refused {
            return Err(Failure::unexpected(format!("{name} has a plan"), error.message));
        }
        if done || steps.is_empty() {
            return Err(Failure::unexpected(
                format!("{name} has something to do"),
                "its plan is empty",
            ));
        }
        for step in steps {
            self.screen.seen(&short(&format!("it would {}", step.summary), 84));
        }
        Ok(())
    }

    /// Waits until all that were not killed are well and exactly one of them leads, and says which.
    pub(super) async fn one_leads(&self) -> Result<usize, Failure> {
        let alive: Vec<usize> = (0..NODES).filter(|place| self.lost.get() != Some(*place)).collect();
        let look = async || {
            let seen = match try_join_all(alive.iter().map(|place| self.seats[*place].see())).await {
                Ok(seen) => seen,
                Err(blind) => return blind.look(),
            };
            let well = seen.iter().all(|sight| sight.status == NodeState::Healthy);
            let leads = |(place, sight): (&usize, &Sight)| (sight.role == Some(Role::Primary)).then_some(*place);
            let leaders: Vec<usize> = alive.iter().zip(&seen).filter_map(leads).collect();
            match leaders[..] {
                [place] if well => Look::Yes(place),
                _ => Look::NotYet(seen.iter().map(Sight::in_words).collect::<Vec<_>>().join(" · ")),
            }
        };
        let place = self.screen.wait("one of them leads", SOON, look).await?;
        self.primary.set(place);
        Ok(place)
    }

    /// The address by which other nodes know this one, as its agent tells it.
    pub(super) async fn member(&self, place: usize) -> Result<String, Failure> {
        let what = "the agent tells its node's member address";
        let sight = self.seats[place]
            .see()
            .await
            .map_err(|blind| Failure::unexpected(what, blind.reason))?;
        sight.member.ok_or_else(|| Failure::unexpected(what, "it does not"))
    }

    /// Begins a step, and says whose logs explain its failure.
    pub(super) fn step(&self, involved: &[usize], title: &str, about: &str) {
        *self.involved.borrow_mut() = involved.to_vec();
        self.screen.step(title, about);
    }

    pub(super) fn involved(&self) -> Vec<usize> {
        self.involved.borrow().clone()
    }
}

/// Text of at most so many characters.
pub(super) fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{kept}…")
}
