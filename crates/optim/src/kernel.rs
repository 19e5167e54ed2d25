//! One formula, every machine: the update of one element, written once, becomes a fused loop over slices.

use crate::Scalar;

/// Square root, under the name that it has in every language a formula may be compiled to.
#[inline(always)]
pub(crate) fn sqrt<T: Scalar>(x: T) -> T {
    x.square_root()
}

/// The larger; `b` where one is not a number, so that a NaN in a new `b` is kept.
#[inline(always)]
pub(crate) fn larger<T: Scalar>(a: T, b: T) -> T {
    if a > b { a } else { b }
}

/// What the gradient is multiplied by, which is exact: -1 to climb, 1 to descend.
pub(crate) fn sign(maximize: bool) -> f64 {
    if maximize { -1.0 } else { 1.0 }
}

/// Declares a kernel: a module with `Constants` and `run(parameter, gradient, state.., constants)`.
///
/// The body is a few assignments over the scalars named in the head. It has no literals, since a literal has another
/// type in every language: what it needs comes in as a constant. `-> (a, b)` after the head names values whose squares
/// are summed in f64 and returned, in an order that depends only on the length.
///
/// Nothing in a body may be contracted or reordered, and Rust does neither: all instruction sets give the same bits.
macro_rules! kernel {
    (
        $(#[$meta:meta])*
        $name:ident($p:ident, $g:ident, [$($s:ident),*], [$($c:ident),*]) $(-> ($($sum:ident),*))? { $($body:tt)* }
    ) => {
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports)]
            use crate::kernel::{larger, sqrt};
            use crate::Scalar;
            use crate::clip::{Gradient, Kept, Limited, Prepare, Prepared, Scaled};
            use crate::norm::{BLOCK, LANES, add_squares};

            /// What is the same for every element.
            #[derive(Clone, Copy)]
            pub(super) struct Constants<T> { $(pub(super) $c: T,)* }

            const SUMMED: &[&str] = &[$($(stringify!($sum)),*)?];
            const SUMS: usize = SUMMED.len();

            #[inline(always)]
            #[allow(unused_mut, unused_assignments, clippy::too_many_arguments)]
            fn element<T: Scalar>(
                mut $p: T, $g: T, $(mut $s: T,)* c: &Constants<T>,
            ) -> (T, $($crate::kernel::kernel!(@type T $s),)* [T; SUMS]) {
                let Constants { $($c),* } = *c;
                let _ = $g;
                $($body)*
                ($p, $($s,)* [$($($sum),*)?])
            }

            #[inline(always)]
            #[allow(clippy::too_many_arguments)]
            fn sweep<T: Scalar>(
                p: &mut [T], g: &[T], $($s: &mut [T],)* prepare: impl Prepared<T>, c: &Constants<T>,
            ) -> [f64; SUMS] {
                let n = p.len();
                let g = &g[..n];
                $(let $s = &mut $s[..n];)*
                if SUMS == 0 {
                    // The plain loop is what the compiler turns into vector instructions best.
                    for i in 0..n {
                        (p[i], $($s[i],)* _) = element(p[i], prepare.of(g[i]), $($s[i],)* c);
                    }
                    return [0.0; SUMS];
                }
                let mut lanes = [[0.0; LANES]; SUMS];
                for start in (0..n).step_by(BLOCK) {
                    // The values of a block first, in such a loop, and then their squares.
                    let end = n.min(start + BLOCK);
                    let mut values = [[T::default(); BLOCK]; SUMS];
                    for (offset, i) in (start..end).enumerate() {
                        let summed;
                        (p[i], $($s[i],)* summed) = element(p[i], prepare.of(g[i]), $($s[i],)* c);
                        values.iter_mut().zip(summed).for_each(|(values, value)| values[offset] = value);
                    }
                    for (lanes, values) in lanes.iter_mut().zip(&values) {
                        add_squares(lanes, &values[..end - start]);
                    }
                }
                lanes.map(|lanes| lanes.iter().sum())
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2")]
            #[allow(clippy::too_many_arguments)]
            fn avx2<T: Scalar>(
                p: &mut [T], g: &[T], $($s: &mut [T],)* prepare: impl Prepared<T>, c: &Constants<T>,
            ) -> [f64; SUMS] {
                sweep(p, g, $($s,)* prepare, c)
            }

            /// Runs over all elements. Every slice is at least as long as the parameter.
            pub(super) fn run<T: Scalar>(
                p: &mut [T], g: Gradient<'_, T>, $($s: &mut [T],)* c: Constants<T>,
            ) -> [f64; SUMS] {
                match g.prepare {
                    Prepare::Keep => on(p, g.elements, $($s,)* Kept, c),
                    Prepare::Scale(scale) => on(p, g.elements, $($s,)* Scaled(T::from_f64(scale)), c),
                    Prepare::Limit(max) => on(p, g.elements, $($s,)* Limited(T::from_f64(max)), c),
                }
            }

            #[allow(clippy::too_many_arguments)]
            fn on<T: Scalar>(
                p: &mut [T], g: &[T], $($s: &mut [T],)* prepare: impl Prepared<T>, c: Constants<T>,
            ) -> [f64; SUMS] {
                #[cfg(target_arch = "x86_64")]
                if std::arch::is_x86_feature_detected!("avx2") {
                    // SAFETY: the instruction set is there, as just checked.
                    return unsafe { avx2(p, g, $($s,)* prepare, &c) };
                }
                sweep(p, g, $($s,)* prepare, &c)
            }
        }
    };
    (@type $type:ident $s:ident) => { $type };
}
pub(crate) use kernel;
