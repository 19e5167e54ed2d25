//! A macro for kernels: the formula of one element becomes a fused loop over slices.

use crate::numeric::scalar::Scalar;

/// Square root, under the name that formulas use.
#[inline(always)]
pub(crate) fn sqrt<T: Scalar>(x: T) -> T {
    x.square_root()
}

/// The larger number. Returns `b` if either is NaN, so that a NaN in a new `b` is kept.
#[inline(always)]
pub(crate) fn larger<T: Scalar>(a: T, b: T) -> T {
    if a > b { a } else { b }
}

/// `sum + factor * x`, or `sum` if the factor is 0: a term that is turned off must not add 0 times infinity.
#[inline(always)]
pub(crate) fn with_term<T: Scalar>(sum: T, factor: T, x: T) -> T {
    let all = sum + factor * x;
    if factor == T::default() { sum } else { all }
}

/// `g + factor * b`, or `b` if the factor is 0.
#[inline(always)]
pub(crate) fn nesterov_update<T: Scalar>(b: T, g: T, factor: T) -> T {
    let update = g + factor * b;
    if factor == T::default() { b } else { update }
}

/// The exact factor of the gradient: -1 to maximize, 1 to minimize.
pub(crate) fn sign(maximize: bool) -> f64 {
    if maximize { -1.0 } else { 1.0 }
}

/// The maximal number of constants of a kernel.
#[cfg(not(target_family = "wasm"))]
pub const MAX_CONSTANTS: usize = 16;

/// A kernel as text, from which the CUDA C++ for devices is made.
#[cfg(not(target_family = "wasm"))]
#[derive(Clone, Copy, Debug)]
pub(crate) struct KernelSource {
    /// The path of the kernel's module, which ends with the optimizer and the kernel.
    pub(crate) path: &'static str,
    /// The name of the parameter's element.
    pub(crate) parameter: &'static str,
    /// The name of the gradient's element.
    pub(crate) gradient: &'static str,
    /// Names of the elements of state, in the order of `run`.
    pub(crate) states: &'static [&'static str],
    /// Names of the constants and then of the terms, in the order of [`MAX_CONSTANTS`] values.
    pub(crate) constants: &'static [&'static str],
    /// The name of the value that the kernel writes in place of the parameter.
    pub(crate) output: Option<&'static str>,
    /// The tokens of the body.
    pub(crate) body: &'static str,
}

/// Declares a kernel: a module with `Constants` and `run(parameter, gradient, state.., constants)`.
///
/// The body is a few assignments over the scalars named in the head. It has no literals, since their type would not be
/// generic; constants replace them. A name after `->` is a value that the kernel writes to a slice, the last argument
/// but one. The parameter is then unchanged. Constants after `terms` are factors of [`with_term`] and
/// [`nesterov_update`]. There is one loop with the term and one without. A selection for each element would take up to
/// a quarter of the time of a kernel in the L1 cache.
///
/// No operation in a body may be contracted or reordered, and Rust does neither, so all instruction sets give the same
/// bits. `run` is inlined into its callers, and so compiled for each instruction set.
///
/// `SOURCE` has the tokens of the body as text. `crate::device::source` makes CUDA C++ of them, which gives equal bits.
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

            /// The values that all elements share.
            #[derive(Clone, Copy)]
            pub(crate) struct Constants<T> { $(pub(crate) $c: T,)* $($(pub(crate) $term: T,)*)? }

            /// The kernel as text.
            #[cfg(not(target_family = "wasm"))]
            pub(super) const SOURCE: $crate::numeric::kernel::KernelSource = $crate::numeric::kernel::KernelSource {
                path: module_path!(),
                parameter: stringify!($p),
                gradient: stringify!($g),
                states: &[$(stringify!($s)),*],
                constants: &[$(stringify!($c),)* $($(stringify!($term),)*)?],
                output: $crate::numeric::kernel::kernel!(@output $($out)?),
                body: stringify!($($body)*),
            };

            #[cfg(not(target_family = "wasm"))]
            impl<T: Scalar> Constants<T> {
                /// The constants as f64, exact, in the order of `SOURCE`.
                #[allow(dead_code, reason = "constants of a second stage follow from constants of the first")]
                pub(super) fn values(&self) -> [f64; $crate::numeric::kernel::MAX_CONSTANTS] {
                    let Self { $($c,)* $($($term),*)? } = *self;
                    let mut values = [0.0; $crate::numeric::kernel::MAX_CONSTANTS];
                    for (value, constant) in values.iter_mut().zip([$($c,)* $($($term,)*)?]) {
                        *value = constant.to_f64();
                    }
                    values
                }
            }

            /// Runs over all elements of the parameter; the other slices are at least as long.
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
                    // LLVM vectorizes an indexed loop best.
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
            // WebAssembly has one loop with a selection, since a second one would add to the download.
            $crate::numeric::kernel::kernel!(@loops $type [] $loop)
        } else if $term == $type::default() {
            let $term = $type::default();
            $crate::numeric::kernel::kernel!(@loops $type [$($rest)*] $loop)
        } else {
            $crate::numeric::kernel::kernel!(@loops $type [$($rest)*] $loop)
        }
    };
    (@output) => { None };
    (@output $out:ident) => { Some(stringify!($out)) };
    (@slice $type:ident) => { &mut [$type] };
    (@slice $type:ident $out:ident) => { &[$type] };
    (@written $i:ident $parameter:ident $p:ident) => { $parameter[$i] };
    (@written $i:ident $parameter:ident $p:ident $out:ident) => { $out[$i] };
    (@value $p:ident) => { $p };
    (@value $p:ident $out:ident) => { $out };
}
pub(crate) use kernel;
