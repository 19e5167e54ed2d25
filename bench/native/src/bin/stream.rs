//! The memory stream: `p[i] += c` in place, over the requested count of numbers. They are on huge pages if the system has
//! some, as tensors of Stepwell are.

use std::process::ExitCode;
use std::thread;

use stepwell_bench::{Candidate, Numbers, Request, Result, moved, pattern, serve, wanted_threads};

/// Small enough to keep the numbers finite, large enough not to be rounded away.
const C: f32 = 1e-6;

fn main() -> ExitCode {
    serve::<Stream>()
}

struct Stream {
    numbers: Numbers,
    threads: usize,
}

impl Candidate for Stream {
    fn make(request: &Request) -> Result<Self> {
        let elements = request.shapes.iter().flatten().product::<i64>();
        Ok(Self { numbers: Numbers::new(pattern(&[elements]).0.into_iter(), 64), threads: wanted_threads() })
    }

    /// Each thread sweeps its share that many times.
    fn step(&mut self, steps: u64) -> Result<()> {
        let share = self.numbers.len().div_ceil(self.threads);
        thread::scope(|scope| {
            for numbers in self.numbers.chunks_mut(share) {
                scope.spawn(move || (0..steps).for_each(|_| add(numbers)));
            }
        });
        Ok(())
    }

    fn moved(&mut self) -> Result<f64> {
        Ok(moved(&self.numbers))
    }
}

fn add(numbers: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: the processor has it.
            return unsafe { add_avx512(numbers) };
        }
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has it.
            return unsafe { add_avx2(numbers) };
        }
    }
    add_each(numbers);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn add_avx512(numbers: &mut [f32]) {
    add_each(numbers);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn add_avx2(numbers: &mut [f32]) {
    add_each(numbers);
}

#[inline(always)]
fn add_each(numbers: &mut [f32]) {
    numbers.iter_mut().for_each(|number| *number += C);
}
