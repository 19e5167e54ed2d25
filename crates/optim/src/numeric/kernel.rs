//! One formula, every machine: the update of one element, written once, becomes a fused loop over slices.

use crate::numeric::scalar::Scalar;

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

/// `sum + factor * x`; the sum as it is where the factor is 0. A term that is off is not there, whatever it would be
/// of: 0 times an infinite number is none.
#[inline(always)]
pub(crate) fn with_term<T: Scalar>(sum: T, factor: T, x: T) -> T {
    let all = sum + factor * x;
    if factor == T::default() { sum } else { all }
}

/// `g + factor * b`; b alone where the factor is 0.
#[inline(always)]
pub(crate) fn nesterov_update<T: Scalar>(b: T, g: T, factor: T) -> T {
    let update = g + factor * b;
    if factor == T::default() { b } else { update }
}

/// What the gradient is multiplied by, which is exact: -1 to climb, 1 to descend.
pub(crate) fn sign(maximize: bool) -> f64 {
    if maximize { -1.0 } else { 1.0 }
}

/// Declares a kernel: a module with `Constants` and `run(parameter, gradient, state.., constants)`.
///
/// The body is a few assignments over the scalars named in the head. It has no literals, since a literal has another
/// type in every language: what it needs comes in as a constant. A name after `->` is a value that is written to a slice
/// of its own, the last argument but one; the parameter then stays as it is. Constants after `terms` are factors of
/// [`with_term`] and [`nesterov_update`]: there is a loop with and one without the term, since a selection for each element
/// takes up to a quarter of the time of a kernel in the nearest cache.
///
/// Nothing in a body may be contracted or reordered, and Rust does neither: all instruction sets give the same bits.
/// `run` is compiled into whatever calls it, for each instruction set once more.
macro_rules! kernel {
    (
        $(#[$meta:meta])*
        $name:ident($p:ident, $g:ident, [$($s:ident),*], [$($c:ident),*] $(, terms [$($term:ident),*])? $(,)?)
        $(-> $out:ident)? { $($body:tt)* }
    ) => {
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports)]
            use crate::numeric::kernel::{nesterov_update, larger, sqrt, with_term};
            use crate::numeric::scalar::Scalar;

            /// What is the same for every element.
            #[derive(Clone, Copy)]
            pub(crate) struct Constants<T> { $(pub(crate) $c: T,)* $($(pub(crate) $term: T,)*)? }

            /// Runs over all elements of the parameter; no other slice is shorter.
            #[inline(always)]
            #[allow(unused_mut, clippy::too_many_arguments)]
            pub(super) fn run<T: Scalar>(
                parameter: $crate::numeric::kernel::kernel!(@slice T $($out)?),
                gradient: &[T],
                $($s: &mut [T],)*
                $($out: &mut [T],)?
                c: &Constants<T>,
            ) {
                let Constants { $($c,)* $($($term),*)? } = *c;
                let n = parameter.len();
                let gradient = &gradient[..n];
                $(let $s = &mut $s[..n];)*
                $(let $out = &mut $out[..n];)?
                $crate::numeric::kernel::kernel!(@loops T [$($($term)*)?] {
                    // The plain loop is what the compiler turns into vector instructions best.
                    for i in 0..n {
                        let mut $p = parameter[i];
                        let $g = gradient[i];
                        ($($s[i],)* $crate::numeric::kernel::kernel!(@written i parameter $p $($out)?)) = {
                            $(let mut $s = $s[i];)*
                            let _ = $g;
                            $($body)*
                            ($($s,)* $crate::numeric::kernel::kernel!(@value $p $($out)?))
                        };
                    }
                });
            }
        }
    };
    (@loops $type:ident [] $loop:block) => { $loop };
    (@loops $type:ident [$term:ident $($rest:ident)*] $loop:block) => {
        if cfg!(target_family = "wasm") {
            // One loop that selects: a second one is more to download.
            $crate::numeric::kernel::kernel!(@loops $type [] $loop)
        } else if $term == $type::default() {
            let $term = $type::default();
            $crate::numeric::kernel::kernel!(@loops $type [$($rest)*] $loop)
        } else {
            $crate::numeric::kernel::kernel!(@loops $type [$($rest)*] $loop)
        }
    };
    (@slice $type:ident) => { &mut [$type] };
    (@slice $type:ident $out:ident) => { &[$type] };
    (@written $i:ident $parameter:ident $p:ident) => { $parameter[$i] };
    (@written $i:ident $parameter:ident $p:ident $out:ident) => { $out[$i] };
    (@value $p:ident) => { $p };
    (@value $p:ident $out:ident) => { $out };
}
pub(crate) use kernel;
