//! P5 and P6: what it costs to look at the node.

use std::time::Duration;

use anyhow::Context;

use crate::children::{Agent, Bare, CountingAgent, Toy};
use crate::counting::Counted;
use crate::load::{self, Line};
use crate::report::{Figure, Target};
use crate::rounds::Rounds;
use crate::{Plan, progress};

/// Clients of P5, on either side.
const CLIENTS: usize = 64;

/// Clients of P6.
const POLLING: usize = 1000;

/// P5: `info/node` and `info/shards` of an agent beside the toy store, asked by 64 clients, beside a bare route that
/// answers the same bytes to as many.
pub(crate) fn beside_a_bare_route(plan: &Plan) -> anyhow::Result<Vec<Figure>> {
    let directory = plan.directory()?;
    let toy = Toy::start(&plan.store, directory.path())?;
    let agent = Agent::start(&plan.agent, directory.path(), toy.address)?;
    let runtime = load::runtime()?;
    let mut to_agent = runtime.block_on(Line::open_many(agent.address, CLIENTS))?;
    let mut figures = Vec::new();
    for (what, path) in [
        ("info/node, 64 clients", "/api/v1/info/node"),
        ("info/shards, 64 clients", "/api/v1/info/shards"),
    ] {
        progress(&format!("P5: {what}"));
        let request = load::get(path);
        let line = to_agent.first_mut().context("no client")?;
        let body = runtime.block_on(line.expect(200, &request))?.to_vec();
        let bare = Bare::start(directory.path(), &body)?;
        let mut to_bare = runtime.block_on(Line::open_many(bare.address, CLIENTS))?;
        let requests = [request];
        let trial = Duration::from_millis(200);
        load::hammer(&runtime, &mut to_agent, &requests, trial)?;
        load::hammer(&runtime, &mut to_bare, &requests, trial)?;
        let rounds = Rounds::alternate(
            plan.rounds,
            || load::hammer(&runtime, &mut to_agent, &requests, plan.round()),
            || load::hammer(&runtime, &mut to_bare, &requests, plan.round()),
        )?;
        let yardstick = "a bare actix route that answers the same bytes to as many clients";
        figures.push(Figure::beside(
            "P5",
            what,
            "/s",
            yardstick,
            &rounds,
            Target::AtLeast(0.8),
        ));
    }
    Ok(figures)
}

/// P6: a thousand clients poll all three endpoints at once; the store counts.
pub(crate) fn a_thousand_at_once(plan: &Plan) -> anyhow::Result<Figure> {
    progress("P6: 1,000 clients poll at once");
    let directory = plan.directory()?;
    let agent = CountingAgent::start(directory.path())?;
    let runtime = load::runtime()?;
    let mut lines = runtime.block_on(Line::open_many(agent.address, POLLING))?;
    let requests = ["node", "store", "shards"].map(|name| load::get(&format!("/api/v1/info/{name}")));
    let time = Duration::from_secs(plan.seconds.clamp(1, 5));
    let rate = load::hammer(&runtime, &mut lines, &requests, time)?;
    drop(lines);
    let Counted { most, all } = serde_json::from_str(&agent.stop()?)?;
    let most = u32::try_from(most).map_or(f64::NAN, f64::from);
    let figure = Figure::alone(
        "P6",
        "queries in flight per attribute",
        most,
        "at most",
        Target::AtMost(1.0),
    );
    let seconds = time.as_secs();
    Ok(figure.noting(format!(
        "1,000 clients, {rate:.0} answers/s for {seconds} s, from {all} queries of a store that takes 20 ms for each"
    )))
}
