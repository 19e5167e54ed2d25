//! Initial values of parameters, as `torch.nn.init` has them. Weights are `[outputs, inputs, *]`.

use std::f64::consts::SQRT_2;

use stepwell_optim::fallible::collected;
use stepwell_optim::{Code, Error, Result};

use crate::random::Random;

/// The distribution of a scale: a normal one, or a uniform one of the same variance.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Spread {
    Normal,
    Uniform,
}

/// A way to draw the values of a parameter.
#[derive(Clone, Copy)]
pub(crate) enum Initializer {
    /// Variance gain² / fan. He et al. 2015, <https://arxiv.org/abs/1502.01852>.
    Kaiming { spread: Spread, gain: f64, by_outputs: bool },
    /// Variance 2 gain² / (inputs + outputs). Glorot and Bengio 2010.
    Xavier { spread: Spread, gain: f64 },
    /// Normal numbers, with the share `sparsity` of each column set to 0. Martens 2010.
    Sparse { sparsity: f64, std: f64 },
    /// Rows or columns of length `gain` at right angles to each other. Saxe et al. 2013, <https://arxiv.org/abs/1312.6120>.
    Orthogonal { gain: f64 },
    /// A convolution that gives its input, as far as it has channels.
    Dirac { groups: usize },
    /// Normal numbers between two bounds.
    TruncatedNormal { mean: f64, std: f64, min: f64, max: f64 },
}

/// The factor of the standard deviation before a nonlinearity, as `torch.nn.init.calculate_gain`. `None` for an unknown one.
pub(crate) fn gain(nonlinearity: &str, slope: f64) -> Option<f64> {
    Some(match nonlinearity {
        "linear" | "sigmoid" | "conv1d" | "conv2d" | "conv3d" | "convtranspose1d" | "convtranspose2d"
        | "convtranspose3d" => 1.0,
        "tanh" => 5.0 / 3.0,
        "relu" => SQRT_2,
        "leakyrelu" => (2.0 / (1.0 + slope * slope)).sqrt(),
        "selu" => 0.75,
        _ => return None,
    })
}

impl Initializer {
    /// The elements of a parameter of this shape.
    ///
    /// # Errors
    /// [`Code::Shape`] for a shape that has no such values, and [`Code::Memory`].
    pub(crate) fn elements(self, shape: &[usize], random: &mut Random) -> Result<Vec<f64>> {
        let count = shape.iter().product();
        match self {
            Initializer::Kaiming { spread, gain, by_outputs } => {
                let (inputs, outputs) = fans(shape)?;
                let fan = if by_outputs { outputs } else { inputs };
                spread.elements(gain / fan.sqrt(), count, random)
            }
            Initializer::Xavier { spread, gain } => {
                let (inputs, outputs) = fans(shape)?;
                spread.elements(gain * (2.0 / (inputs + outputs)).sqrt(), count, random)
            }
            Initializer::Sparse { sparsity, std } => sparse(shape, sparsity, std, random),
            Initializer::Orthogonal { gain } => orthogonal(shape, gain, random),
            Initializer::Dirac { groups } => dirac(shape, groups),
            Initializer::TruncatedNormal { mean, std, min, max } => {
                let [low, high] = [min, max].map(|bound| ((bound - mean) / std).clamp(f64::MIN, f64::MAX));
                collected((0..count).map(|_| (mean + std * between(low, high, random)).clamp(min, max)))
            }
        }
    }
}

impl Spread {
    fn elements(self, std: f64, count: usize, random: &mut Random) -> Result<Vec<f64>> {
        collected((0..count).map(|_| match self {
            Spread::Normal => std * random.normal(),
            Spread::Uniform => random.uniform(3.0_f64.sqrt() * std),
        }))
    }
}

/// Elements of the input that an element of the output depends on, and the other way round.
fn fans(shape: &[usize]) -> Result<(f64, f64)> {
    let [outputs, inputs, window @ ..] = shape else {
        return Err(misfit("two dimensions or more", shape));
    };
    let window = window.iter().product::<usize>() as f64;
    Ok((*inputs as f64 * window, *outputs as f64 * window))
}

fn sparse(shape: &[usize], sparsity: f64, std: f64, random: &mut Random) -> Result<Vec<f64>> {
    let [rows, columns] = *shape else { return Err(misfit("two dimensions", shape)) };
    let mut elements = Spread::Normal.elements(std, rows * columns, random)?;
    let zeros = (sparsity * rows as f64).ceil() as usize;
    for column in 0..columns {
        for row in random.permutation(rows)?.into_iter().take(zeros) {
            elements[row as usize * columns + column] = 0.0;
        }
    }
    Ok(elements)
}

/// Vectors of normal numbers, made orthogonal by the method of Gram and Schmidt. Each projection is subtracted twice, which
/// leaves errors of rounding alone. The triangular factor has a positive diagonal, so the result is uniform among all
/// orthogonal matrices: Mezzadri 2007, <https://arxiv.org/abs/math-ph/0609050>.
fn orthogonal(shape: &[usize], gain: f64, random: &mut Random) -> Result<Vec<f64>> {
    let [rows, others @ ..] = shape else { return Err(misfit("two dimensions or more", shape)) };
    if others.is_empty() {
        return Err(misfit("two dimensions or more", shape));
    }
    let (rows, columns) = (*rows, others.iter().product::<usize>());
    let (count, length) = (rows.min(columns), rows.max(columns));
    let mut vectors = collected((0..count * length).map(|_| random.normal()))?;
    for index in 0..count {
        let (before, rest) = vectors.split_at_mut(index * length);
        let own = &mut rest[..length];
        for _ in 0..2 {
            for other in before.chunks_exact(length) {
                let share = dot(own, other);
                own.iter_mut().zip(other).for_each(|(x, y)| *x -= share * y);
            }
        }
        let norm = dot(own, own).sqrt();
        own.iter_mut().for_each(|x| *x /= norm);
    }
    collected((0..count * length).map(|index| {
        let (row, column) = (index / columns, index % columns);
        gain * if rows <= columns { vectors[index] } else { vectors[column * length + row] }
    }))
}

/// Four sums, so that additions need not wait for each other.
fn dot(x: &[f64], y: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    let (x_chunks, y_chunks) = (x.chunks_exact(4), y.chunks_exact(4));
    let rest: f64 = x_chunks.remainder().iter().zip(y_chunks.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in x_chunks.zip(y_chunks) {
        for (sum, (x, y)) in sums.iter_mut().zip(x.iter().zip(y)) {
            *sum += x * y;
        }
    }
    sums.iter().sum::<f64>() + rest
}

fn dirac(shape: &[usize], groups: usize) -> Result<Vec<f64>> {
    let [outputs, inputs, window @ ..] = shape else { return Err(misfit("3, 4 or 5 dimensions", shape)) };
    if !(1..=3).contains(&window.len()) {
        return Err(misfit("3, 4 or 5 dimensions", shape));
    }
    if !outputs.is_multiple_of(groups) {
        let message =
            format_args!("expected a number of groups that divides {outputs}, given {groups} for shape {shape:?}");
        return Err(Error::new(Code::Shape, message));
    }
    let size: usize = window.iter().product();
    let center = window.iter().fold(0, |center, size| center * size + size / 2);
    let of_group = outputs / groups;
    let mut elements = collected((0..outputs * inputs * size).map(|_| 0.0))?;
    if size > 0 {
        for output in 0..*outputs {
            let channel = output % of_group;
            if channel < *inputs {
                elements[(output * inputs + channel) * size + center] = 1.0;
            }
        }
    }
    Ok(elements)
}

/// A standard normal number between two bounds, by rejection: of normal numbers if many are within, else of uniform ones.
fn between(low: f64, high: f64, random: &mut Random) -> f64 {
    let below = |x: f64| 0.5 * libm::erfc(-x / SQRT_2);
    if below(high) - below(low) > 0.25 {
        loop {
            let x = random.normal();
            if (low..=high).contains(&x) {
                return x;
            }
        }
    }
    let nearest = 0.0_f64.clamp(low, high);
    let far = nearest.abs();
    if far > FAR {
        // Exponential numbers within the width, and rejection of those: Robert 1995, <https://doi.org/10.1007/BF00143942>.
        let share = libm::expm1(-far * (high - low));
        loop {
            let distance = -libm::log1p(random.unit() * share) / far;
            if random.unit() <= libm::exp(-distance * distance / 2.0) {
                return nearest + distance.copysign(nearest);
            }
        }
    }
    // The density falls with the distance from 0; beyond 40 it is 0.
    let (low, high) = (low.max(nearest - 40.0), high.min(nearest + 40.0));
    loop {
        let x = low + random.unit() * (high - low);
        if random.unit() <= libm::exp((nearest * nearest - x * x) / 2.0) {
            return x;
        }
    }
}

/// In standard deviations. From here on uniform numbers are rejected more than 300 times.
const FAR: f64 = 8.0;

fn misfit(expected: &str, given: &[usize]) -> Error {
    Error::new(Code::Shape, format_args!("expected a parameter of {expected}, given shape {given:?}"))
}
