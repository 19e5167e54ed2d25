//! What a pass over samples measures.

use stepwell_optim::{Code, Error, Result};

use crate::{Data, Dynamic, Engine};

/// What a pass can measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Metric {
    /// The mean of the losses of the batches.
    Loss,
    /// The loss of each batch.
    BatchLoss,
    /// Percent of the classes whose output was the largest.
    Accuracy,
    /// The number of those.
    Matches,
}

impl Metric {
    const ALL: [Metric; 4] = [Metric::Loss, Metric::BatchLoss, Metric::Accuracy, Metric::Matches];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Metric::Loss => "loss",
            Metric::BatchLoss => "batchloss",
            Metric::Accuracy => "accuracy",
            Metric::Matches => "matches",
        }
    }

    pub(crate) fn parse(given: &Dynamic) -> Result<Self> {
        let known = Self::ALL.map(Metric::name).join(", ");
        match given {
            Dynamic::Text(word) => Self::ALL.into_iter().find(|metric| metric.name() == word).ok_or_else(|| {
                Error::new(Code::OptionRange, format!("unknown metric \"{word}\", expected some of {known}"))
            }),
            other => Err(Error::new(Code::OptionType, format!("expected some of {known} as metrics, given {other}"))),
        }
    }

    pub(crate) fn needs_classes(self) -> bool {
        matches!(self, Metric::Accuracy | Metric::Matches)
    }
}

/// What a batch has measured.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Measured {
    pub(crate) loss: f64,
    matches: usize,
    classes: usize,
}

impl Measured {
    /// Measures an output `[n, classes, *]`, if the metrics ask for that.
    pub(crate) fn new<E: Engine>(
        engine: &E,
        metrics: &[Metric],
        loss: f64,
        output: &E::Tensor,
        target: &E::Tensor,
    ) -> Result<Self> {
        let mut measured = Measured { loss, matches: 0, classes: 0 };
        let shape = engine.shape(output)?;
        if !metrics.iter().any(|metric| metric.needs_classes()) || shape.len() < 2 {
            return Ok(measured);
        }
        let found = largest(&engine.data(output)?, &shape);
        let wanted = match engine.data(target)? {
            Data::Long(classes) => classes,
            probabilities => largest(&probabilities, &shape),
        };
        // PyTorch's -100 is no class, and counts for nothing.
        let pairs = found.iter().zip(&wanted).filter(|(_, class)| **class >= 0);
        pairs.for_each(|(found, class)| {
            measured.classes += 1;
            measured.matches += usize::from(found == class);
        });
        Ok(measured)
    }
}

/// The class of the largest element, for each place of `[n, classes, *]`; the first of several.
fn largest(data: &Data, shape: &[usize]) -> Vec<i64> {
    fn of<T: Copy + PartialOrd>(data: &[T], classes: usize, inner: usize) -> Vec<i64> {
        let mut found = Vec::new();
        for sample in data.chunks_exact((classes * inner).max(1)) {
            for place in 0..inner {
                let mut best = 0;
                for class in 1..classes {
                    if sample[class * inner + place] > sample[best * inner + place] {
                        best = class;
                    }
                }
                found.push(best as i64);
            }
        }
        found
    }
    let (classes, inner) = (shape[1], shape[2..].iter().product());
    match data {
        Data::Float(data) => of(data, classes, inner),
        Data::Double(data) => of(data, classes, inner),
        Data::Half(data) => of(data, classes, inner),
        Data::BFloat16(data) => of(data, classes, inner),
        Data::Long(data) => of(data, classes, inner),
    }
}

/// The metrics of a pass: one number for the loss alone, else a dictionary.
pub(crate) fn metrics_of(metrics: &[Metric], batches: &[Measured]) -> Dynamic {
    let value = |metric: Metric| {
        let (matches, classes) = batches.iter().fold((0, 0), |(m, c), batch| (m + batch.matches, c + batch.classes));
        match metric {
            Metric::Loss => Dynamic::Number(batches.iter().map(|batch| batch.loss).sum::<f64>() / batches.len() as f64),
            Metric::BatchLoss => Dynamic::List(batches.iter().map(|batch| Dynamic::Number(batch.loss)).collect()),
            Metric::Accuracy => Dynamic::Number(100.0 * matches as f64 / classes as f64),
            Metric::Matches => Dynamic::Number(matches as f64),
        }
    };
    match metrics {
        [Metric::Loss] => value(Metric::Loss),
        _ => Dynamic::dictionary(metrics.iter().map(|metric| (metric.name(), value(*metric)))),
    }
}
