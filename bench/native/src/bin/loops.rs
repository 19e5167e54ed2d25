//! The lower bound: Adam and LAMB written for one machine. Loops in AVX-512 over f32 in one thread, without options, groups,
//! other types or odd lengths. The difference to Stepwell is the price of all that.

use std::process::ExitCode;

use stepwell_bench::serve;

fn main() -> ExitCode {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq") {
        return serve::<by_hand::Loops>();
    }
    serve::<Absent>()
}

/// The candidate of a processor without these instructions.
struct Absent;

impl stepwell_bench::Candidate for Absent {
    fn make(_: &stepwell_bench::Request) -> stepwell_bench::Result<Self> {
        Err("this processor has no AVX-512".into())
    }

    fn step(&mut self, _: u64) -> stepwell_bench::Result<()> {
        Ok(())
    }

    fn moved(&mut self) -> stepwell_bench::Result<f64> {
        Ok(0.0)
    }
}

#[cfg(target_arch = "x86_64")]
mod by_hand {
    use std::arch::x86_64::*;
    use std::iter::repeat_n;

    use stepwell_bench::{Candidate, Numbers, Request, Result, moved, pattern};

    const BETA1: f32 = 0.9;
    const BETA2: f32 = 0.999;
    /// Elements of a vector. Every length is a multiple of it.
    const WIDTH: usize = 16;
    /// Elements after which sums of 32 bits are added to one of 64.
    const BLOCK: usize = 512;
    /// The maximum number of elements whose updates are stored between the stages.
    const MAX_STORED: usize = 1 << 22;

    struct Parameter {
        p: Numbers,
        g: Numbers,
        m: Numbers,
        v: Numbers,
    }

    pub(super) struct Loops {
        /// For LAMB the longest first.
        parameters: Vec<Parameter>,
        updates: Numbers,
        is_lamb: bool,
        steps: i32,
        lr: f32,
        eps: f32,
        decay: f32,
    }

    /// Constants of all elements of a parameter.
    #[derive(Clone, Copy)]
    struct Constants {
        scale: __m512,
        beta1: __m512,
        rest1: __m512,
        beta2: __m512,
        rest2: __m512,
        correction1: __m512,
        correction2: __m512,
        eps: __m512,
        decay: __m512,
    }

    impl Candidate for Loops {
        fn make(request: &Request) -> Result<Self> {
            let is_lamb = match &request.optimizer[..] {
                "adam" => false,
                "lamb" => true,
                other => return Err(format!("no loop of {other}").into()),
            };
            let mut parameters = Vec::new();
            for shape in &request.shapes {
                let (p, g) = pattern(shape);
                if !p.len().is_multiple_of(WIDTH) {
                    return Err(format!("no loop over {} elements", p.len()).into());
                }
                let zeros = |place| Numbers::new(repeat_n(0.0, p.len()), place);
                let (m, v) = (zeros(2048 + 64), zeros(3072 + 64));
                parameters.push(Parameter {
                    p: Numbers::new(p.into_iter(), 64),
                    g: Numbers::new(g.into_iter(), 64),
                    m,
                    v,
                });
            }
            if is_lamb {
                parameters.sort_by_key(|one| std::cmp::Reverse(one.p.len()));
            }
            let kept = parameters.iter().map(|one| one.p.len()).filter(|n| is_lamb && *n <= MAX_STORED).max();
            Ok(Self {
                parameters,
                updates: Numbers::new(repeat_n(0.0, kept.unwrap_or(0)), 1536 + 64),
                is_lamb,
                steps: 0,
                lr: request.number("lr", 1e-3) as f32,
                eps: request.number("eps", 1e-8) as f32,
                decay: request.number("weight_decay", 0.0) as f32,
            })
        }

        fn step(&mut self, steps: u64) -> Result<()> {
            for _ in 0..steps {
                // SAFETY: the processor has the instructions, and all arrays of a parameter are as long as it is.
                unsafe { self.once() };
            }
            Ok(())
        }

        fn moved(&mut self) -> Result<f64> {
            Ok(self.parameters.iter().map(|one| moved(&one.p)).sum())
        }
    }

    impl Loops {
        #[target_feature(enable = "avx512f,avx512dq")]
        unsafe fn once(&mut self) {
            self.steps += 1;
            let mut c = Constants {
                scale: _mm512_set1_ps(1.0),
                beta1: _mm512_set1_ps(BETA1),
                rest1: _mm512_set1_ps(1.0 - BETA1),
                beta2: _mm512_set1_ps(BETA2),
                rest2: _mm512_set1_ps(1.0 - BETA2),
                correction1: _mm512_set1_ps(1.0 / (1.0 - BETA1.powi(self.steps))),
                correction2: _mm512_set1_ps(1.0 / (1.0 - BETA2.powi(self.steps)).sqrt()),
                eps: _mm512_set1_ps(self.eps),
                decay: _mm512_set1_ps(self.decay),
            };
            // SAFETY: as the caller promises.
            unsafe {
                if !self.is_lamb {
                    for parameter in &mut self.parameters {
                        adam(parameter, self.lr, c);
                    }
                    return;
                }
                // In reverse order, so that the parameter that was read last is still in the cache.
                let norm = self.parameters.iter().rev().fold(0.0, |sum, one| sum + squares_backwards(&one.g)).sqrt();
                c.scale = _mm512_set1_ps(1.0 / norm.max(1.0) as f32);
                let mut before: Option<(&mut Parameter, f32)> = None;
                for parameter in &mut self.parameters {
                    let ratio = first_stage(parameter, before.take(), &mut self.updates, c);
                    before = Some((parameter, self.lr * ratio));
                }
                if let Some((parameter, rate)) = before {
                    second_stage(parameter, 0, parameter.p.len(), rate, &self.updates, c);
                }
            }
        }
    }

    /// The update of a vector of elements, without the learning rate. Writes both averages.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq")]
    unsafe fn update(p: __m512, g: *const f32, m: *mut f32, v: *mut f32, c: &Constants) -> __m512 {
        // SAFETY: as the caller promises.
        unsafe {
            let g = _mm512_mul_ps(_mm512_loadu_ps(g), c.scale);
            let m_new = _mm512_fmadd_ps(c.beta1, _mm512_loadu_ps(m), _mm512_mul_ps(c.rest1, g));
            let v_new = _mm512_fmadd_ps(c.beta2, _mm512_loadu_ps(v), _mm512_mul_ps(c.rest2, _mm512_mul_ps(g, g)));
            _mm512_storeu_ps(m, m_new);
            _mm512_storeu_ps(v, v_new);
            direction(p, m_new, v_new, c)
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq")]
    fn direction(p: __m512, m: __m512, v: __m512, c: &Constants) -> __m512 {
        let below = _mm512_fmadd_ps(_mm512_sqrt_ps(v), c.correction2, c.eps);
        _mm512_fmadd_ps(c.decay, p, _mm512_div_ps(_mm512_mul_ps(m, c.correction1), below))
    }

    #[target_feature(enable = "avx512f,avx512dq")]
    unsafe fn adam(one: &mut Parameter, lr: f32, c: Constants) {
        let (p, g, m, v) = (one.p.as_mut_ptr(), one.g.as_ptr(), one.m.as_mut_ptr(), one.v.as_mut_ptr());
        let lr = _mm512_set1_ps(lr);
        for i in (0..one.p.len()).step_by(WIDTH) {
            // SAFETY: as the caller promises.
            unsafe {
                let now = _mm512_loadu_ps(p.add(i));
                let u = update(now, g.add(i), m.add(i), v.add(i), &c);
                _mm512_storeu_ps(p.add(i), _mm512_fnmadd_ps(lr, u, now));
            }
        }
    }

    /// Runs block by block, together with the second stage of the previous parameter, which frees the buffer of updates for
    /// this one. Returns the trust
    /// ratio.
    #[target_feature(enable = "avx512f,avx512dq")]
    unsafe fn first_stage(
        one: &mut Parameter,
        before: Option<(&mut Parameter, f32)>,
        updates: &mut [f32],
        c: Constants,
    ) -> f32 {
        let n = one.p.len();
        let (p, g, m, v) = (one.p.as_ptr(), one.g.as_ptr(), one.m.as_mut_ptr(), one.v.as_mut_ptr());
        let (mut p_squares, mut u_squares) = (0.0, 0.0);
        let mut before = before;
        for block in (0..n).step_by(BLOCK) {
            if let Some((before, rate)) = &mut before {
                let length = before.p.len();
                // SAFETY: as the caller promises.
                unsafe { second_stage(before, block.min(length), length.min(block + BLOCK), *rate, updates, c) };
            }
            let (mut p_sums, mut u_sums) = ([_mm512_setzero_ps(); 4], [_mm512_setzero_ps(); 4]);
            for row in (block..n.min(block + BLOCK)).step_by(4 * WIDTH) {
                for lane in 0..4 {
                    let i = row + lane * WIDTH;
                    if i >= n {
                        break;
                    }
                    // SAFETY: the caller's promise, and the buffer has at least `n` elements.
                    unsafe {
                        let now = _mm512_loadu_ps(p.add(i));
                        let new = update(now, g.add(i), m.add(i), v.add(i), &c);
                        if n <= MAX_STORED {
                            _mm512_storeu_ps(updates.as_mut_ptr().add(i), new);
                        }
                        p_sums[lane] = _mm512_fmadd_ps(now, now, p_sums[lane]);
                        u_sums[lane] = _mm512_fmadd_ps(new, new, u_sums[lane]);
                    }
                }
            }
            p_squares += total(p_sums);
            u_squares += total(u_sums);
        }
        if let Some((before, rate)) = before {
            let length = before.p.len();
            // SAFETY: as the caller promises.
            unsafe { second_stage(before, n.next_multiple_of(BLOCK).min(length), length, rate, updates, c) };
        }
        if p_squares > 0.0 && u_squares > 0.0 { (p_squares / u_squares).sqrt() as f32 } else { 1.0 }
    }

    /// Of the elements from `start` to `end`.
    #[target_feature(enable = "avx512f,avx512dq")]
    unsafe fn second_stage(one: &mut Parameter, start: usize, end: usize, rate: f32, updates: &[f32], c: Constants) {
        let (p, m, v) = (one.p.as_mut_ptr(), one.m.as_ptr(), one.v.as_ptr());
        let keeps = one.p.len() <= MAX_STORED;
        let rate = _mm512_set1_ps(rate);
        for i in (start..end).step_by(WIDTH) {
            // SAFETY: as the caller promises.
            unsafe {
                let now = _mm512_loadu_ps(p.add(i));
                let u = match keeps {
                    true => _mm512_loadu_ps(updates.as_ptr().add(i)),
                    false => direction(now, _mm512_loadu_ps(m.add(i)), _mm512_loadu_ps(v.add(i)), &c),
                };
                _mm512_storeu_ps(p.add(i), _mm512_fnmadd_ps(rate, u, now));
            }
        }
    }

    #[target_feature(enable = "avx512f,avx512dq")]
    unsafe fn squares_backwards(x: &[f32]) -> f64 {
        let mut sum = 0.0;
        for block in x.chunks(BLOCK).rev() {
            let mut sums = [_mm512_setzero_ps(); 4];
            for row in block.chunks(4 * WIDTH) {
                for (sum, x) in sums.iter_mut().zip(row.chunks_exact(WIDTH)) {
                    // SAFETY: that many elements.
                    let x = unsafe { _mm512_loadu_ps(x.as_ptr()) };
                    *sum = _mm512_fmadd_ps(x, x, *sum);
                }
            }
            sum += total(sums);
        }
        sum
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq")]
    fn total([a, b, c, d]: [__m512; 4]) -> f64 {
        let sum = _mm512_add_ps(_mm512_add_ps(a, b), _mm512_add_ps(c, d));
        let (low, high) = (_mm512_castps512_ps256(sum), _mm512_extractf32x8_ps::<1>(sum));
        _mm512_reduce_add_pd(_mm512_add_pd(_mm512_cvtps_pd(low), _mm512_cvtps_pd(high)))
    }
}
