//! Rounds: figure and yardstick by turns, and what is told of them.

use std::time::{Duration, Instant};

use serde::Serialize;

/// What the rounds gave, pair by pair.
#[derive(Debug, Default)]
pub(crate) struct Rounds {
    figures: Vec<f64>,
    yardsticks: Vec<f64>,
}

impl Rounds {
    /// Measures so many pairs. Which of the two goes first changes with each round.
    pub(crate) fn alternate(
        rounds: u32,
        mut figure: impl FnMut() -> anyhow::Result<f64>,
        mut yardstick: impl FnMut() -> anyhow::Result<f64>,
    ) -> anyhow::Result<Self> {
        let mut measured = Self::default();
        for round in 0..rounds {
            if round % 2 == 0 {
                measured.figures.push(figure()?);
                measured.yardsticks.push(yardstick()?);
            } else {
                measured.yardsticks.push(yardstick()?);
                measured.figures.push(figure()?);
            }
        }
        Ok(measured)
    }

    /// Measures pairs, each pushed by `pair`, for this long; at least one.
    pub(crate) fn for_long(
        time: Duration,
        mut pair: impl FnMut(&mut Self) -> anyhow::Result<()>,
    ) -> anyhow::Result<Self> {
        let mut measured = Self::default();
        let begun = Instant::now();
        loop {
            pair(&mut measured)?;
            if begun.elapsed() >= time {
                return Ok(measured);
            }
        }
    }

    /// Adds a pair.
    pub(crate) fn push(&mut self, figure: f64, yardstick: f64) {
        self.figures.push(figure);
        self.yardsticks.push(yardstick);
    }

    /// The median figure.
    pub(crate) fn figure(&self) -> f64 {
        median(self.figures.clone())
    }

    /// The median yardstick.
    pub(crate) fn yardstick(&self) -> f64 {
        median(self.yardsticks.clone())
    }

    /// The ratio of each pair.
    fn ratios(&self) -> Vec<f64> {
        let pairs = self.figures.iter().zip(&self.yardsticks);
        pairs.map(|(figure, yardstick)| figure / yardstick).collect()
    }

    /// How the pairs' ratios are spread.
    pub(crate) fn spread(&self) -> Spread {
        let mut ratios = self.ratios();
        ratios.sort_by(f64::total_cmp);
        let at = |quarter: usize| ratios.get(ratios.len() * quarter / 4).copied().unwrap_or(f64::NAN);
        Spread {
            count: ratios.len(),
            lower_quartile: at(1),
            upper_quartile: at(3),
        }
    }

    /// The median of the pairs' ratios.
    pub(crate) fn ratio(&self) -> f64 {
        median(self.ratios())
    }
}

/// How ratios are spread: what half of all pairs lie between.
#[derive(Debug, Serialize)]
pub(crate) struct Spread {
    count: usize,
    lower_quartile: f64,
    upper_quartile: f64,
}

impl Spread {
    pub(crate) fn text(&self) -> String {
        let Self {
            count,
            lower_quartile,
            upper_quartile,
        } = self;
        format!("{count} pairs, half of their ratios from {lower_quartile:.2} to {upper_quartile:.2}")
    }
}

/// The value in the middle; not a number where there is none.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.get(middle) {
        None => f64::NAN,
        Some(upper) if values.len() % 2 == 1 => *upper,
        Some(upper) => f64::midpoint(values[middle - 1], *upper),
    }
}
