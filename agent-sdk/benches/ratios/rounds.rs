//! Rounds: figure and yardstick by turns, and what is told of them.

use std::time::{Duration, Instant};

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
    pub(crate) fn ratios(&self) -> Vec<f64> {
        let pairs = self.figures.iter().zip(&self.yardsticks);
        pairs.map(|(figure, yardstick)| figure / yardstick).collect()
    }

    /// The median of the pairs' ratios.
    pub(crate) fn ratio(&self) -> f64 {
        median(self.ratios())
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
