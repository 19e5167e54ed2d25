//! Metrics of an epoch.

use stepwell_optim::fallible::{collected, with_capacity};
use stepwell_optim::{Code, Error, Result, joined};

use crate::engine::Engine;
use crate::nn::loss::LossFunction;
use crate::values::data::Data;
use crate::values::value::{Entries, Value};

/// A metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Metric {
    /// The mean of the losses of the batches, weighted by the divisors of their means.
    Loss,
    /// The loss of each batch.
    BatchLoss,
    /// Percent of the counted classes whose output was the largest. A row with NaN counts as wrong.
    Accuracy,
    /// The number of counted classes whose output was the largest.
    Matches,
}

impl Metric {
    pub(crate) const ALL: [Metric; 4] = [Metric::Loss, Metric::BatchLoss, Metric::Accuracy, Metric::Matches];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Metric::Loss => "loss",
            Metric::BatchLoss => "batchloss",
            Metric::Accuracy => "accuracy",
            Metric::Matches => "matches",
        }
    }

    pub(crate) fn parse(given: &Value) -> Result<Self> {
        let known = joined(&Self::ALL.map(Metric::name), ", ");
        match given {
            Value::String(word) => Self::ALL.into_iter().find(|metric| metric.name() == word).ok_or_else(|| {
                Error::new(Code::OptionRange, format_args!("unknown metric \"{word}\", expected some of {known}"))
            }),
            other => {
                Err(Error::new(Code::OptionType, format_args!("expected some of {known} as metrics, given {other}")))
            }
        }
    }

    pub(crate) fn needs_classes(self) -> bool {
        matches!(self, Metric::Accuracy | Metric::Matches)
    }
}

/// The measurements of a batch.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct BatchMetrics {
    pub(crate) loss: f64,
    weight: f64,
    matches: usize,
    classes: usize,
}

impl BatchMetrics {
    /// As numbers: loss, weight, matches, classes.
    pub(crate) fn numbers(&self) -> [f64; 4] {
        [self.loss, self.weight, self.matches as f64, self.classes as f64]
    }

    /// Of [`BatchMetrics::numbers`].
    pub(crate) fn from_numbers([loss, weight, matches, classes]: [f64; 4]) -> Self {
        Self { loss, weight, matches: matches as usize, classes: classes as usize }
    }

    /// Measures an output `[n, classes, *]`, if the metrics ask for that.
    pub(crate) fn new<E: Engine>(
        engine: &E,
        metrics: &[Metric],
        (function, loss, counted): (&LossFunction, f64, f64),
        output: &E::Tensor,
        target: &E::Tensor,
    ) -> Result<Self> {
        let mut measured = BatchMetrics { loss, weight: function.weight(counted), matches: 0, classes: 0 };
        let shape = engine.shape(output)?;
        if !metrics.iter().any(|metric| metric.needs_classes()) || shape.len() < 2 {
            return Ok(measured);
        }
        let found = largest(&engine.data(output)?, &shape)?;
        let wanted = match engine.data(target)? {
            Data::Long(classes) => collected(classes.into_iter().map(Some))?,
            probabilities => largest(&probabilities, &shape)?,
        };
        let pairs = found.iter().zip(&wanted).filter(|(_, class)| class.is_none() || **class != function.ignored());
        pairs.for_each(|(found, class)| {
            measured.classes += 1;
            measured.matches += usize::from(found == class && found.is_some());
        });
        Ok(measured)
    }
}

/// The result of a call that trains or tests on the next batch.
#[derive(Clone, Copy)]
pub(crate) struct BatchReport {
    /// The loss; of a step of several batches it is their loss as one large batch.
    pub(crate) loss: f64,
    /// True if the batch was trained on, and its step was left out.
    pub(crate) skipped: bool,
    pub(crate) samples: usize,
    /// The number of batches; their measurements are the last ones of the epoch.
    pub(crate) count: usize,
}

impl BatchReport {
    /// The report as a dictionary. `measured` has the batches of the epoch so far, of which there are `batches`.
    pub(crate) fn value(self, metrics: &[Metric], measured: &[BatchMetrics], batches: usize) -> Value {
        let last = &measured[measured.len().saturating_sub(self.count)..];
        let (mut weight, mut matches, mut classes) = (0.0, 0, 0);
        for batch in last {
            weight += batch.weight;
            matches += batch.matches;
            classes += batch.classes;
        }
        let mut entries = Entries::new();
        entries.number("loss", self.loss);
        entries.flag("skipped", self.skipped);
        entries.number("samples", self.samples as f64);
        entries.number("weight", weight);
        entries.number("batch", measured.len() as f64);
        entries.number("batches", batches as f64);
        if metrics.iter().any(|metric| metric.needs_classes()) {
            entries.number("matches", matches as f64);
            entries.number("classes", classes as f64);
        }
        entries.value()
    }
}

/// The class of the largest element, for each place of `[n, classes, *]`; the first of several, and none where one is not a
/// number.
fn largest(data: &Data, shape: &[usize]) -> Result<Vec<Option<i64>>> {
    fn of<T: Copy + PartialOrd>(data: &[T], classes: usize, inner: usize, found: &mut Vec<Option<i64>>) {
        for sample in data.chunks_exact((classes * inner).max(1)) {
            for position in 0..inner {
                let (mut best, mut numbers) = (0, true);
                for class in 0..classes {
                    let (x, largest) = (sample[class * inner + position], sample[best * inner + position]);
                    if x > largest {
                        best = class;
                    }
                    numbers &= x.partial_cmp(&x).is_some();
                }
                found.push(numbers.then_some(best as i64));
            }
        }
    }
    let (classes, inner) = (shape[1], shape[2..].iter().product());
    let mut found = with_capacity(data.len() / classes.max(1))?;
    match data {
        Data::Float(data) => of(data, classes, inner, &mut found),
        Data::Double(data) => of(data, classes, inner, &mut found),
        Data::Half(data) => of(data, classes, inner, &mut found),
        Data::BFloat16(data) => of(data, classes, inner, &mut found),
        Data::Long(data) => of(data, classes, inner, &mut found),
        Data::Bool(data) => of(data, classes, inner, &mut found),
    }
    Ok(found)
}

/// The metrics of a pass: one number for the loss alone, else a dictionary.
pub(crate) fn metrics_of(metrics: &[Metric], batches: &[BatchMetrics]) -> Value {
    let value = |metric: Metric| {
        let (matches, classes) = batches.iter().fold((0, 0), |(m, c), batch| (m + batch.matches, c + batch.classes));
        match metric {
            Metric::Loss => Value::Number(mean_loss(batches)),
            Metric::BatchLoss => Value::Array(batches.iter().map(|batch| Value::Number(batch.loss)).collect()),
            Metric::Accuracy => Value::Number(100.0 * matches as f64 / classes as f64),
            Metric::Matches => Value::Number(matches as f64),
        }
    };
    match metrics {
        [Metric::Loss] => value(Metric::Loss),
        _ => Value::object(metrics.iter().map(|metric| (metric.name(), value(*metric)))),
    }
}

/// Of batches that count for nothing it is 0, as it is of each.
fn mean_loss(batches: &[BatchMetrics]) -> f64 {
    let (mut sum, mut weight) = (0.0, 0.0);
    for batch in batches.iter().filter(|batch| batch.weight > 0.0) {
        sum += batch.loss * batch.weight;
        weight += batch.weight;
    }
    if weight > 0.0 { sum / weight } else { 0.0 }
}
