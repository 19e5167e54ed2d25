//! Vector operations of L-BFGS, each in one pass over memory.
//!
//! Elements are computed in their own type, without contraction. Products are summed in f64 over a fixed number of
//! lanes, so that results depend only on the length.

use crate::instruction_set::{InstructionSet, SimdKernel};
use crate::numeric::norm::{BLOCK_LEN, LANES, add_products, total};
use crate::numeric::scalar::Scalar;

#[cfg_attr(target_family = "wasm", inline(never))]
fn dispatch<K: SimdKernel>(kernel: K) -> K::Output {
    InstructionSet::best().run(kernel)
}

/// a · b
pub(super) fn dot<T: Scalar>(a: &[T], b: &[T]) -> f64 {
    struct Dot<'a, T>(&'a [T], &'a [T]);
    impl<T: Scalar> SimdKernel for Dot<'_, T> {
        type Output = f64;
        #[inline(always)]
        fn run(self) -> f64 {
            let mut lanes = [0.0; LANES];
            add_products(&mut lanes, self.0, self.1);
            total(&lanes)
        }
    }
    dispatch(Dot(a, b))
}

/// x = (x + c a) h; returns x · b.
pub(super) fn axpy_scale_dot<T: Scalar>(x: &mut [T], c: f64, a: &[T], h: T, b: &[T]) -> f64 {
    struct AxpyScaleDot<'a, T> {
        x: &'a mut [T],
        c: T,
        a: &'a [T],
        h: T,
        b: &'a [T],
    }
    impl<T: Scalar> SimdKernel for AxpyScaleDot<'_, T> {
        type Output = f64;
        #[inline(always)]
        fn run(self) -> f64 {
            let Self { x, c, a, h, b } = self;
            let mut lanes = [0.0; LANES];
            // A block stays in the L1 cache between the two loops, each of which vectorizes.
            for ((x, a), b) in x.chunks_mut(BLOCK_LEN).zip(a.chunks(BLOCK_LEN)).zip(b.chunks(BLOCK_LEN)) {
                x.iter_mut().zip(a).for_each(|(x, a)| *x = (*x + c * *a) * h);
                add_products(&mut lanes, x, b);
            }
            total(&lanes)
        }
    }
    dispatch(AxpyScaleDot { x, c: T::from_f64(c), a, h, b })
}

/// y = gradient - before, s = t d; then before = gradient, d = -gradient. Returns y · s, y · y and s · d.
pub(super) fn form_pair<T: Scalar>(
    gradient: &[T],
    t: T,
    before: &mut [T],
    d: &mut [T],
    y: &mut [T],
    s: &mut [T],
) -> (f64, f64, f64) {
    struct FormPair<'a, T> {
        gradient: &'a [T],
        t: T,
        before: &'a mut [T],
        d: &'a mut [T],
        y: &'a mut [T],
        s: &'a mut [T],
    }
    impl<T: Scalar> SimdKernel for FormPair<'_, T> {
        type Output = (f64, f64, f64);
        #[inline(always)]
        fn run(self) -> (f64, f64, f64) {
            let mut lanes = [[0.0; LANES]; 3];
            let old = self.before.chunks_mut(BLOCK_LEN).zip(self.d.chunks_mut(BLOCK_LEN));
            let new = self.y.chunks_mut(BLOCK_LEN).zip(self.s.chunks_mut(BLOCK_LEN));
            for ((g, (before, d)), (y, s)) in self.gradient.chunks(BLOCK_LEN).zip(old).zip(new) {
                let elements = y.iter_mut().zip(s.iter_mut()).zip(before.iter_mut()).zip(d.iter_mut()).zip(g);
                for ((((y, s), before), d), g) in elements {
                    *y = *g - *before;
                    *s = *d * self.t;
                    *before = *g;
                    *d = -*g;
                }
                add_products(&mut lanes[0], y, s);
                add_products(&mut lanes[1], y, y);
                add_products(&mut lanes[2], s, d);
            }
            let [ys, yy, sd] = lanes.each_ref().map(total);
            (ys, yy, sd)
        }
    }
    dispatch(FormPair { gradient, t, before, d, y, s })
}

/// to = from + c a
pub(super) fn axpy_to<T: Scalar>(to: &mut [T], from: &[T], c: f64, a: &[T]) {
    let c = T::from_f64(c);
    to.iter_mut().zip(from).zip(a).for_each(|((to, from), a)| *to = *from + c * *a);
}

/// x = x + c a
pub(super) fn axpy<T: Scalar>(x: &mut [T], c: f64, a: &[T]) {
    let c = T::from_f64(c);
    x.iter_mut().zip(a).for_each(|(x, a)| *x = *x + c * *a);
}

/// to = -from
pub(super) fn negate<T: Scalar>(to: &mut [T], from: &[T]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to = -*from);
}

/// x = x h
pub(super) fn scale<T: Scalar>(x: &mut [T], h: T) {
    x.iter_mut().for_each(|x| *x = *x * h);
}

/// The largest magnitude; 0 of an empty slice. NaN is ignored.
pub(super) fn max_abs<T: Scalar>(x: &[T]) -> f64 {
    struct MaxAbs<'a, T>(&'a [T]);
    impl<T: Scalar> SimdKernel for MaxAbs<'_, T> {
        type Output = f64;
        #[inline(always)]
        fn run(self) -> f64 {
            let mut lanes = [T::default(); 4 * LANES];
            for chunk in self.0.chunks(4 * LANES) {
                for (lane, x) in lanes.iter_mut().zip(chunk) {
                    let magnitude = if *x < T::default() { -*x } else { *x };
                    *lane = if magnitude > *lane { magnitude } else { *lane };
                }
            }
            lanes.iter().map(|x| x.to_f64()).fold(0.0, f64::max)
        }
    }
    dispatch(MaxAbs(x))
}

/// The sum of the absolute values.
pub(super) fn sum_abs<T: Scalar>(x: &[T]) -> f64 {
    let mut lanes = [0.0; LANES];
    for chunk in x.chunks(LANES) {
        lanes.iter_mut().zip(chunk).for_each(|(lane, x)| *lane += x.to_f64().abs());
    }
    total(&lanes)
}
