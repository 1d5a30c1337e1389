//! The story: a cluster grows, is written to, and loses its primary. What follows is told in [`super::survival`].
//!
//! Every step says what it does, does it, and waits for what has to come of it, within a deadline.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use agent_sdk::client::{Http, Record};
use agent_sdk::spec::{NodeState, Role, State, WellKnown};
use serde_json::{Value, json};

use super::Failure;
use super::play::{NODES, Play};
use super::screen::{Look, Screen};
use super::seat::{Seat, Sight};
use super::stage::Stage;

/// For processes to come up.
const START: Duration = Duration::from_secs(30);
/// For a change to be seen.
pub(super) const SOON: Duration = Duration::from_secs(20);
/// For an action on the cluster: its own deadline.
const ACTION: Duration = Duration::from_secs(60);
/// Writes in the step that shows offsets.
const COUNT: u32 = 96;

/// Everything that the steps share.
pub(super) struct Story<'a, P> {
    pub(super) screen: &'a Screen,
    pub(super) stage: Rc<Stage>,
    pub(super) play: P,
    pub(super) seats: Vec<Seat>,
    /// Who takes the writes, by place.
    pub(super) primary: Cell<usize>,
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
            involved: RefCell::new(Vec::new()),
        })
    }

    /// From three lone nodes to the removal of a dead one.
    pub(super) async fn tell(&mut self) -> Result<(), Failure> {
        self.start().await?;
        self.init().await?;
        self.join().await?;
        self.add().await?;
        self.write().await?;
        self.lose_primary().await?;
        self.lose_agent().await?;
        self.remove().await
    }

    async fn start(&self) -> Result<(), Failure> {
        self.step(
            &[0, 1, 2],
            "Start",
            "three nodes that know nothing of each other, and an agent beside each",
        );
        for (place, seat) in self.seats.iter().enumerate() {
            self.play.start(place)?;
            self.stage.start(seat.process())?;
            self.screen.act(&format!(
                "{}: {}, its agent on {}",
                seat.node,
                self.play.about(place),
                seat.url()
            ));
        }
        for (place, seat) in self.seats.iter().enumerate() {
            let wanted = if place == 0 { P::BEFORE } else { NodeState::NotInCluster };
            self.shows(place, wanted, None, START).await?;
            self.screen.seen(&format!("{} is {}", seat.node, wanted.name()));
        }
        Ok(())
    }

    async fn init(&self) -> Result<(), Failure> {
        self.step(&[0], "cluster.init", "the first node becomes a cluster of one");
        self.change(0, WellKnown::ClusterInit, None).await?;
        let sight = self.shows(0, NodeState::Healthy, Some(Role::Primary), SOON).await?;
        self.screen
            .seen(&format!("{} is {}", self.seats[0].node, in_cluster(&sight)));
        Ok(())
    }

    async fn join(&self) -> Result<(), Failure> {
        self.step(
            &[0, 1],
            "cluster.join",
            "the second node takes itself in: its agent is told the first one's address",
        );
        let args = json!({ "node": self.member(0).await? });
        self.change(1, WellKnown::ClusterJoin, Some(args)).await?;
        self.is_secondary(1).await
    }

    async fn add(&self) -> Result<(), Failure> {
        self.step(
            &[0, 2],
            "cluster.add",
            "the third node is taken in from the first one, whose agent first tells its plan",
        );
        let args = json!({ "node": self.member(2).await? });
        self.plan(0, WellKnown::ClusterAdd, &args).await?;
        self.change(0, WellKnown::ClusterAdd, Some(args)).await?;
        self.is_secondary(2).await
    }

    async fn write(&self) -> Result<(), Failure> {
        self.step(
            &[0, 1, 2],
            "Write",
            "to the store itself; the agents show every copy's offset, and how far it is behind",
        );
        let before = self.offsets().await?;
        self.screen
            .act(&format!("{COUNT} {} to {}", P::WRITES, self.seats[0].node));
        let writing = tokio::spawn(self.play.write(0, COUNT));
        let most = Cell::new(0);
        let wanted = i64::from(COUNT) / 4;
        let moving = async || {
            let seen = match self.all().await {
                Ok(seen) => seen,
                Err(reason) => return Look::NotYet(reason),
            };
            let moved = seen
                .iter()
                .zip(&before)
                .all(|(now, before)| now.offset.is_some_and(|now| now > *before));
            most.set(
                seen.iter()
                    .filter_map(|sight| sight.lag)
                    .chain([most.get()])
                    .max()
                    .unwrap_or(0),
            );
            let far = seen[0].offset.is_some_and(|now| now - before[0] >= wanted);
            if moved && far && (most.get() > 0 || !P::LAGS) {
                Look::Yes(())
            } else {
                Look::NotYet(in_a_row(&seen))
            }
        };
        self.screen.wait("offsets move", SOON, moving).await?;
        let lag = if P::LAGS {
            format!(", copies lag by up to {}", most.get())
        } else {
            String::new()
        };
        self.screen.seen(&format!("all offsets move{lag}"));
        let written = writing
            .await
            .map_err(|error| Failure::setup("the writer ended", error))?;
        written.map_err(|reason| Failure::unexpected("the store takes writes", reason))?;
        let goal = before[0] + i64::from(COUNT);
        let agree = async || match self.all().await {
            Err(reason) => Look::NotYet(reason),
            Ok(seen)
                if seen
                    .iter()
                    .all(|now| now.offset >= Some(goal) && now.offset == seen[0].offset) =>
            {
                Look::Yes(seen)
            }
            Ok(seen) => Look::NotYet(in_a_row(&seen)),
        };
        let seen = self.screen.wait("all offsets agree", SOON, agree).await?;
        self.screen.seen(&format!("all copies agree: {}", in_a_row(&seen)));
        Ok(())
    }

    async fn lose_primary(&self) -> Result<(), Failure> {
        let lost = self.primary.get();
        let name = &self.seats[lost].node;
        self.step(
            &[0, 1, 2],
            "The primary dies",
            "SIGKILL to its process; nobody tells the agents",
        );
        self.screen.act(&format!("kill -KILL {name}"));
        self.play.kill(lost)?;
        let sight = self.shows(lost, NodeState::Unavailable, None, SOON).await?;
        self.screen.seen(&format!(
            "{name} is UNAVAILABLE: {}",
            short(sight.reason.as_deref().unwrap_or_default(), 56)
        ));
        let others: Vec<usize> = (0..NODES).filter(|place| *place != lost).collect();
        let elected = async || {
            let mut seen = Vec::new();
            for place in &others {
                match self.seats[*place].see().await {
                    Ok(sight) => seen.push(sight),
                    Err(reason) => return Look::NotYet(reason),
                }
            }
            let well = seen.iter().all(|sight| sight.status == NodeState::Healthy);
            let primaries: Vec<_> = seen
                .iter()
                .zip(&others)
                .filter(|(sight, _)| sight.role == Some(Role::Primary))
                .collect();
            match primaries[..] {
                [(_, place)] if well => Look::Yes(*place),
                _ => Look::NotYet(in_a_row(&seen)),
            }
        };
        let primary = self.screen.wait("another one leads", SOON, elected).await?;
        self.primary.set(primary);
        self.screen
            .seen(&format!("{} is HEALTHY and PRIMARY now", self.seats[primary].node));
        let written = self.play.write(primary, 1).await;
        written.map_err(|reason| Failure::unexpected("the new primary takes writes", reason))?;
        self.screen.seen("it takes writes");
        Ok(())
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

    async fn is_secondary(&self, place: usize) -> Result<(), Failure> {
        let sight = self
            .shows(place, NodeState::Healthy, Some(Role::Secondary), SOON)
            .await?;
        let first = self.seats[0]
            .see()
            .await
            .map_err(|reason| Failure::unexpected("the first agent answers", reason))?;
        let name = &self.seats[place].node;
        if sight.cluster.is_none() || sight.cluster != first.cluster {
            let seen = format!("{:?} and {:?}", first.cluster, sight.cluster);
            return Err(Failure::unexpected("both are in the same cluster", seen));
        }
        self.screen.seen(&format!("{name} is {}", in_cluster(&sight)));
        Ok(())
    }

    /// Runs an action on membership to its end, which has to be `DONE`.
    pub(super) async fn change(&self, place: usize, kind: WellKnown, args: Option<Value>) -> Result<Record, Failure> {
        let seat = &self.seats[place];
        let name = kind.kind().rsplit('/').next().unwrap_or_default();
        let words = args
            .as_ref()
            .map_or(String::new(), |args| format!(" {}", short(&args.to_string(), 56)));
        self.screen.act(&format!("agent of {}: {name}{words}", seat.node));
        let id = seat.schedule(kind.kind(), args.as_ref()).await?;
        let done = async || seat.look_at(id, |record| record.state == State::Done).await;
        let record = self.screen.wait(&format!("{name} is DONE"), ACTION, done).await?;
        let changed = self.play.changed(&record).map_or(String::new(), |(changed, version)| {
            format!(": changed {changed}, configuration version {version}")
        });
        self.screen.seen(&format!("DONE{changed}"));
        Ok(record)
    }

    async fn all(&self) -> Result<Vec<Sight>, String> {
        let mut seen = Vec::new();
        for seat in &self.seats {
            seen.push(seat.see().await?);
        }
        Ok(seen)
    }

    async fn offsets(&self) -> Result<Vec<i64>, Failure> {
        let seen = self
            .all()
            .await
            .map_err(|reason| Failure::unexpected("all agents answer", reason))?;
        let offsets: Option<Vec<i64>> = seen.iter().map(|sight| sight.offset).collect();
        offsets.ok_or_else(|| Failure::unexpected("every agent shows an offset", in_a_row(&seen)))
    }

    /// The address by which other nodes know this one, as its agent tells it.
    pub(super) async fn member(&self, place: usize) -> Result<String, Failure> {
        let what = "the agent tells its node's member address";
        let sight = self.seats[place]
            .see()
            .await
            .map_err(|reason| Failure::unexpected(what, reason))?;
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

fn in_cluster(sight: &Sight) -> String {
    format!(
        "{}, in cluster {}",
        sight.in_words(),
        sight.cluster.as_deref().unwrap_or("none")
    )
}

fn in_a_row(seen: &[Sight]) -> String {
    let offset = |sight: &Sight| {
        let offset = sight.offset.map_or("?".to_owned(), |offset| offset.to_string());
        match sight.lag.filter(|lag| *lag > 0) {
            Some(lag) => format!("{offset} ({lag} behind)"),
            None => offset,
        }
    };
    seen.iter().map(offset).collect::<Vec<_>>().join(" · ")
}

/// Text of at most so many characters.
pub(super) fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{kept}…")
}
