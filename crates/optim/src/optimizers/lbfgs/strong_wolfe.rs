//! Line search for a point that satisfies the strong Wolfe conditions.
//!
//! Nocedal and Wright 2006, *Numerical Optimization*, algorithms 3.5 and 3.6, with cubic interpolation (3.59).
//! Constants and safeguards are those in PyTorch's `LBFGS`, so that both search the same points.

use crate::error::Result;

/// Constant of the sufficient decrease condition, as in PyTorch.
const C1: f64 = 1e-4;
/// Constant of the curvature condition, as in PyTorch.
const C2: f64 = 0.9;
/// The search ends if its bracket moves no parameter by more than this, as in PyTorch.
const MIN_BRACKET: f64 = 1e-9;

/// The objective at distance `t` along the direction.
#[derive(Clone, Copy)]
pub(crate) struct Point {
    pub(crate) t: f64,
    pub(crate) loss: f64,
    /// Derivative of the loss along the direction.
    pub(crate) slope: f64,
    /// Index of the buffer that holds the gradient, of three.
    pub(crate) gradient: usize,
}

/// Index of a buffer that holds the gradient of neither point.
fn free_gradient(a: Point, b: Point) -> usize {
    if a.gradient == b.gradient { (a.gradient + 1) % 3 } else { 3 - a.gradient - b.gradient }
}

/// Searches from `start` (t = 0) with a first guess `t`, which is refined at most `max_refinements` times.
/// `max_abs_direction` is the largest magnitude in the direction. `evaluate` takes the length and the index of the buffer
/// for the gradient; the buffers of points in use are not overwritten. Returns the point found and the number of
/// evaluations.
pub(crate) fn search(
    evaluate: &mut dyn FnMut(f64, usize) -> Result<Point>,
    start: Point,
    t: f64,
    max_abs_direction: f64,
    max_refinements: u64,
) -> Result<(Point, u64)> {
    let decreases = |p: &Point| p.loss <= start.loss + C1 * p.t * start.slope;
    let is_flat = |p: &Point| p.slope.abs() <= -C2 * start.slope;

    let mut previous = start;
    let mut point = evaluate(t, free_gradient(start, start))?;
    let mut evaluations = 1;
    // Expand until two points bracket the minimum.
    let (mut a, mut b) = loop {
        let rounds = evaluations - 1;
        if rounds == max_refinements {
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
    while evaluations - 1 < max_refinements && (b.t - a.t).abs() * max_abs_direction >= MIN_BRACKET {
        let (low_end, high_end) = (a.t.min(b.t), a.t.max(b.t));
        let mut t = cubic_minimum(&a, &b, (low_end, high_end));
        // If t is close to an end twice, or on it, move it inwards. Otherwise the bracket would shrink from one side
        // only.
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

/// The minimum of the cubic through two points with their slopes, within bounds; the middle if it has no minimum.
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
