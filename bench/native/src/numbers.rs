//! The numbers that every contender starts from, and the checksum that compares their steps. As in bench/numbers.ts.

/// Sizes of the dimensions of a parameter.
pub type Shape = Vec<i64>;

/// Enough elements of each tensor to see that it was updated.
const LOOKED_AT: usize = 100_000;
const PERIOD: usize = 1000;

/// Parameters.
const PARAMETER: usize = 7919;
/// Gradients.
const GRADIENT: usize = 104_729;

fn period(factor: usize) -> Vec<f32> {
    (0..PERIOD).map(|i| ((i * factor % PERIOD) as f64 / PERIOD as f64 - 0.5) as f32).collect()
}

/// The parameters and the gradients of a tensor: numbers between -0.5 and 0.5, in no order.
pub fn pattern(shape: &[i64]) -> (Vec<f32>, Vec<f32>) {
    let elements = shape.iter().product::<i64>() as usize;
    let filled = |factor| period(factor).into_iter().cycle().take(elements).collect();
    (filled(PARAMETER), filled(GRADIENT))
}

/// How far a tensor has moved along its gradient.
pub fn moved(now: &[f32]) -> f64 {
    let (start, gradient) = (period(PARAMETER), period(GRADIENT));
    let start = start.iter().zip(&gradient).cycle();
    now.iter().take(LOOKED_AT).zip(start).map(|(p, (p0, g))| (f64::from(*p) - f64::from(*p0)) * f64::from(*g)).sum()
}
