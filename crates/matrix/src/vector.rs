//! Vectors of f32, as wide as an instruction set has them.

/// A vector register of f32.
pub(crate) trait Vector: Copy {
    /// Elements of a vector.
    const LANES: usize;

    /// A vector of one number.
    ///
    /// # Safety
    /// The machine has the instruction set of the vector; so for all functions.
    unsafe fn splat(x: f32) -> Self;
    /// The first elements.
    ///
    /// # Safety
    /// There are [`Vector::LANES`] elements to read.
    unsafe fn load(from: *const f32) -> Self;
    /// Stores the elements.
    ///
    /// # Safety
    /// There are [`Vector::LANES`] elements to write.
    unsafe fn store(self, to: *mut f32);
    /// `self + a b`
    ///
    /// # Safety
    /// As of [`Vector::splat`].
    unsafe fn add_product(self, a: Self, b: Self) -> Self;
}

macro_rules! vector {
    ($type:ty, $lanes:literal, [$splat:path, $load:path, $store:path], |$sum:ident, $a:ident, $b:ident| $product:expr) => {
        impl Vector for $type {
            const LANES: usize = $lanes;

            #[inline(always)]
            unsafe fn splat(x: f32) -> Self {
                // SAFETY: by the contract of the function.
                unsafe { $splat(x) }
            }
            #[inline(always)]
            unsafe fn load(from: *const f32) -> Self {
                // SAFETY: by the contract of the function.
                unsafe { $load(from) }
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut f32) {
                // SAFETY: by the contract of the function.
                unsafe { $store(to, self) }
            }
            #[inline(always)]
            unsafe fn add_product(self, $a: Self, $b: Self) -> Self {
                let $sum = self;
                // SAFETY: by the contract of the function.
                unsafe { $product }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        __m128, __m256, __m512, _mm_add_ps, _mm_loadu_ps, _mm_mul_ps, _mm_set1_ps, _mm_storeu_ps, _mm256_fmadd_ps,
        _mm256_loadu_ps, _mm256_set1_ps, _mm256_storeu_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_set1_ps,
        _mm512_storeu_ps,
    };

    use super::Vector;

    vector!(__m512, 16, [_mm512_set1_ps, _mm512_loadu_ps, _mm512_storeu_ps], |sum, a, b| _mm512_fmadd_ps(a, b, sum));
    vector!(__m256, 8, [_mm256_set1_ps, _mm256_loadu_ps, _mm256_storeu_ps], |sum, a, b| _mm256_fmadd_ps(a, b, sum));
    // SSE2 has no fused multiply-add.
    vector!(__m128, 4, [_mm_set1_ps, _mm_loadu_ps, _mm_storeu_ps], |sum, a, b| _mm_add_ps(sum, _mm_mul_ps(a, b)));
}

#[cfg(target_arch = "aarch64")]
mod arm {
    use std::arch::aarch64::{float32x4_t, vdupq_n_f32, vfmaq_f32, vld1q_f32, vst1q_f32};

    use super::Vector;

    vector!(float32x4_t, 4, [vdupq_n_f32, vld1q_f32, vst1q_f32], |sum, a, b| vfmaq_f32(sum, a, b));
}
