//! Line search for a point that satisfies the strong Wolfe conditions.
//!
//! Nocedal and Wright 2006, *Numerical Optimization*, algorithms 3.5 and 3.6, with cubic interpolation (3.59) and the
//! constants and safeguards that PyTorch's `LBFGS` uses, so that both take the same path.

use crate::error::Result;

/// Sufficient decrease.
const C1: f64 = 1e-4;
/// Curvature.
const C2: f64 = 0.9;
/// A bracket that moves no parameter more than this is a point.
const MIN_BRACKET: f64 = 1e-9;

/// The objective at distance `t` along the direction.
#[derive(Clone, Copy)]
pub(crate) struct Point {
    pub(crate) t: f64,
    pub(crate) loss: f64,
    /// Derivative of the loss along the direction.
    pub(crate) slope: f64,
    /// Which of three places has the gradient.
    pub(crate) gradient: usize,
}

/// A place that has the gradient of neither point.
fn free_gradient(a: Point, b: Point) -> usize {
    if a.gradient == b.gradient { (a.gradient + 1) % 3 } else { 3 - a.gradient - b.gradient }
}

/// Searches from `start` (t = 0) with first guess `t`, which may be refined `most` times. `largest` is the largest
/// magnitude in the direction. `evaluate` is told where to put the gradient: a place that no point has that is still
/// looked at. Returns the point found and the number of evaluations.
pub(crate) fn search(
    evaluate: &mut dyn FnMut(f64, usize) -> Result<Point>,
    start: Point,
    t: f64,
    largest: f64,
    most: u64,
) -> Result<(Point, u64)> {
    let decreases = |p: &Point| p.loss <= start.loss + C1 * p.t * start.slope;
    let is_flat = |p: &Point| p.slope.abs() <= -C2 * start.slope;

    let mut previous = start;
    let mut point = evaluate(t, free_gradient(start, start))?;
    let mut evaluations = 1;
    // Expand until the minimum lies between two points.
    let (mut a, mut b) = loop {
        let rounds = evaluations - 1;
        if rounds == most {
            break (start, point);
        }
        if !decreases(&point) || (rounds > 1 && point.loss >= previous.loss) {
            break (previous, point);
        }
        if is_flat(&point) {
            return Ok((point, evaluations));
        }
        if point.slope >= 0.0 {
            break (previous, point);
        }
        let bounds = (point.t + 0.01 * (point.t - previous.t), point.t * 10.0);
        let t = cubic_minimum(&previous, &point, bounds);
        previous = point;
        point = evaluate(t, free_gradient(start, previous))?;
        evaluations += 1;
    };

    // Shrink the bracket around the minimum.
    let mut stalled = false;
    while evaluations - 1 < most && (b.t - a.t).abs() * largest >= MIN_BRACKET {
        let (low_end, high_end) = (a.t.min(b.t), a.t.max(b.t));
        let mut t = cubic_minimum(&a, &b, (low_end, high_end));
        // Too close to an end twice, or on it: move inwards, or the bracket would shrink from one side only.
        let margin = 0.1 * (high_end - low_end);
        let is_close = (high_end - t).min(t - low_end) < margin;
        if is_close && (stalled || t >= high_end || t <= low_end) {
            t = if (t - high_end).abs() < (t - low_end).abs() { high_end - margin } else { low_end + margin };
            stalled = false;
        } else {
            stalled = is_close;
        }
        let point = evaluate(t, free_gradient(a, b))?;
        evaluations += 1;
        let (low, high) = if a.loss <= b.loss { (&mut a, &mut b) } else { (&mut b, &mut a) };
        if !decreases(&point) || point.loss >= low.loss {
            *high = point;
            continue;
        }
        let found = is_flat(&point);
        if !found && point.slope * (high.t - low.t) >= 0.0 {
            *high = *low;
        }
        *low = point;
        if found {
            return Ok((*low, evaluations));
        }
    }
    Ok((if a.loss <= b.loss { a } else { b }, evaluations))
}

/// Where the cubic through two points with their slopes is least, within bounds; the middle if it has no minimum.
fn cubic_minimum(a: &Point, b: &Point, (low, high): (f64, f64)) -> f64 {
    let (a, b) = if a.t <= b.t { (a, b) } else { (b, a) };
    let d1 = a.slope + b.slope - 3.0 * (a.loss - b.loss) / (a.t - b.t);
    let square = d1 * d1 - a.slope * b.slope;
    if square < 0.0 || square.is_nan() {
        return (low + high) / 2.0;
    }
    let d2 = square.sqrt();
    let t = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2.0 * d2));
    t.max(low).min(high)
}
