//! Times a direction of L-BFGS, compared with reading its memory.
//!
//! `cargo bench -p stepwell-optim --bench lbfgs`

#![allow(clippy::unwrap_used, reason = "a benchmark")]

use std::hint::black_box;
use std::time::Instant;

use stepwell_optim::{Objective, Optimizer, OptionValue, Result, definition};

const N: usize = 1_000_000;

/// A quadratic with a Hessian far from the identity. Measures the time from the end of an evaluation to the next
/// parameters: the direction, and one addition of it.
struct Bowl {
    x: Vec<f32>,
    evaluated: Option<Instant>,
    /// Seconds from each evaluation to the next parameters.
    directions: Vec<f64>,
}

impl Objective<f32> for Bowl {
    fn set_parameters(&mut self, parameters: &[f32]) -> Result<()> {
        self.directions.extend(self.evaluated.take().map(|since| since.elapsed().as_secs_f64()));
        self.x.copy_from_slice(parameters);
        Ok(())
    }

    fn evaluate(&mut self, gradient: &mut [f32]) -> Result<f64> {
        let mut loss = 0.0;
        for (i, (g, x)) in gradient.iter_mut().zip(&self.x).enumerate() {
            let stiffness = 0.01 + (i % 97) as f32 / 10.0;
            *g = stiffness * (x - 1.0);
            loss += f64::from(*g * (x - 1.0));
        }
        self.evaluated = Some(Instant::now());
        Ok(loss / 2.0)
    }
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}

/// Bytes per second of `p = p + c a` over rows larger than any cache: two reads and one write.
fn stream() -> f64 {
    const ROWS: usize = 40;
    let mut p = vec![1f32; N * ROWS];
    let a = vec![1f32; N * ROWS];
    let round = |p: &mut [f32], c: f32| p.iter_mut().zip(&a).for_each(|(p, a)| *p += c * *a);
    let seconds = (0..9).map(|i| {
        let since = Instant::now();
        round(black_box(&mut p), black_box(i as f32 * 1e-3));
        since.elapsed().as_secs_f64()
    });
    (N * ROWS * 12) as f64 / median(seconds.collect())
}

fn main() {
    let stream = stream();
    println!("stream p = p + c a: {:.1} GB/s", stream / 1e9);
    for history in [10usize, 100] {
        let options = [("history", history as f64), ("iter", 20.0), ("gradtol", 0.0), ("changetol", 0.0), ("lr", 0.1)];
        let options = options.map(|(name, value)| (name.to_owned(), OptionValue::Float(value)));
        let mut optimizer = Optimizer::new(definition("lbfgs").unwrap(), &[], &options).unwrap();
        let mut bowl = Bowl { x: vec![-1.0; N], evaluated: None, directions: Vec::new() };
        let mut steps = Vec::new();
        // The history is full after `history` directions.
        for _ in 0..history.div_ceil(20) + 2 {
            let from = bowl.x.clone();
            bowl.directions.clear();
            let since = Instant::now();
            let (_, memory) = optimizer.closure_step().minimize_f32(&from, &mut bowl).unwrap();
            optimizer.set_lbfgs_state(memory);
            steps.push(since.elapsed().as_secs_f64());
        }
        let direction = median(bowl.directions);
        // Each of two loops reads both rows of every pair, and reads and writes the direction for every pair.
        let (rows, all) = (4 * history * N * 4, 8 * history * N * 4);
        let rate = |bytes: usize| bytes as f64 / direction;
        println!(
            "history {history}: a direction {:.2} ms, {:.1} GB/s of rows ({:.0} % of the stream), {:.1} GB/s with the direction; a step of 20 {:.0} ms",
            direction * 1e3,
            rate(rows) / 1e9,
            100.0 * rate(rows) / stream,
            rate(all) / 1e9,
            steps.last().unwrap() * 1e3,
        );
    }
}
