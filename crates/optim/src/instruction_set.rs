//! Dispatch of loops that are compiled for several instruction sets; the best available one is chosen at run time.

use std::fmt;

/// An instruction set of this machine that loops are compiled for. Results do not depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstructionSet(Level);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    /// The instruction set of every machine of the target: SSE2 on x86-64, NEON on 64-bit ARM, simd128 in WebAssembly.
    Baseline,
    /// AVX2 with fused multiply-add: 256-bit vectors on x86-64.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// AVX-512 F, VL, BW and DQ: 512-bit vectors on x86-64.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// A loop that is compiled for each instruction set. Every call in `run` must be inlined, or the callee stays at the
/// baseline.
pub trait SimdKernel {
    /// The result of the loop.
    type Output;

    /// Runs the loop.
    fn run(self) -> Self::Output;
}

impl InstructionSet {
    /// The instruction sets of this machine, the best one last.
    pub fn available() -> &'static [InstructionSet] {
        #[cfg(target_arch = "x86_64")]
        {
            const ALL: [InstructionSet; 3] =
                [InstructionSet(Level::Baseline), InstructionSet(Level::Avx2), InstructionSet(Level::Avx512)];
            // The standard library caches the answers.
            let avx512 = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq");
            match is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                true if avx512 => &ALL,
                true => &ALL[..2],
                false => &ALL[..1],
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        &[InstructionSet(Level::Baseline)]
    }

    /// Bits of a vector.
    pub fn vector_bits(self) -> usize {
        match self.0 {
            Level::Baseline => 128,
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => 256,
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => 512,
        }
    }

    /// The best instruction set of this machine.
    pub fn best() -> Self {
        Self::available().last().copied().unwrap_or(Self(Level::Baseline))
    }

    /// Runs the kernel, compiled for this instruction set.
    #[inline]
    pub fn run<K: SimdKernel>(self, kernel: K) -> K::Output {
        #[cfg(target_arch = "x86_64")]
        {
            #[target_feature(enable = "avx2,fma")]
            fn avx2<K: SimdKernel>(kernel: K) -> K::Output {
                kernel.run()
            }
            #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq")]
            fn avx512<K: SimdKernel>(kernel: K) -> K::Output {
                kernel.run()
            }
            match self.0 {
                Level::Baseline => {}
                // SAFETY: `available` returns this level only if the machine has it.
                Level::Avx2 => return unsafe { avx2(kernel) },
                // SAFETY: as above.
                Level::Avx512 => return unsafe { avx512(kernel) },
            }
        }
        kernel.run()
    }
}

impl fmt::Display for InstructionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            #[cfg(target_arch = "x86_64")]
            Level::Baseline => "SSE2",
            #[cfg(target_arch = "aarch64")]
            Level::Baseline => "NEON",
            #[cfg(target_family = "wasm")]
            Level::Baseline => "simd128",
            #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64", target_family = "wasm")))]
            Level::Baseline => "baseline",
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => "AVX2",
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => "AVX-512",
        })
    }
}
