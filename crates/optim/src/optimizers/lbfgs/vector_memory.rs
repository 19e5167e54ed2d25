//! The memory that has the vectors of L-BFGS, and the passes over them there.

use crate::error::Result;
use crate::numeric::scalar::Scalar;

/// Memory of the host or of a device. All arguments of a pass have one length.
pub(super) trait VectorMemory: Clone {
    /// f32 or f64.
    type Element: Scalar;
    /// An array that can grow; empty at first.
    type Vector: Default;
    /// The elements of a vector, or a part of them.
    type Ref<'a>: Copy;
    /// As [`VectorMemory::Ref`], to write to.
    type Mut<'a>;
    /// A dot product that the next pass of the recursion uses.
    type Product;
    /// The function that is minimized.
    type Objective<'a>: ?Sized;

    /// Reserves capacity for `length` elements in all. The elements are then undefined.
    ///
    /// # Errors
    /// [`Code::Memory`](crate::Code::Memory)
    fn reserve(&self, vector: &mut Self::Vector, length: usize) -> Result<()>;
    /// Changes the length within the capacity. New elements are undefined.
    fn resize(vector: &mut Self::Vector, length: usize);
    /// In elements.
    fn len(vector: &Self::Vector) -> usize;
    /// In elements.
    fn length(elements: Self::Ref<'_>) -> usize;
    /// A part of a vector, by its first element and its length.
    fn part(vector: &Self::Vector, start: usize, length: usize) -> Self::Ref<'_>;
    /// The whole vector.
    fn all_mut(vector: &mut Self::Vector) -> Self::Mut<'_>;
    /// Two parts of `width` elements at a distance of [`VectorMemory::stride`].
    fn pair_mut(vector: &mut Self::Vector, start: usize, width: usize) -> (Self::Mut<'_>, Self::Mut<'_>);
    /// The distance of neighbors with `width` elements each, in elements.
    fn stride(width: usize) -> usize;

    /// The whole vector.
    fn all(vector: &Self::Vector) -> Self::Ref<'_> {
        Self::part(vector, 0, Self::len(vector))
    }

    /// A vector whose elements `fill` sets.
    ///
    /// # Errors
    /// [`Code::Memory`](crate::Code::Memory), and errors of `fill`.
    fn vector_of(&self, length: usize, fill: impl FnOnce(Self::Mut<'_>) -> Result<()>) -> Result<Self::Vector> {
        let mut vector = Self::Vector::default();
        self.reserve(&mut vector, length)?;
        Self::resize(&mut vector, length);
        fill(Self::all_mut(&mut vector))?;
        Ok(vector)
    }

    /// Reserves capacity for this many coefficients of the recursion.
    ///
    /// # Errors
    /// [`Code::Memory`](crate::Code::Memory)
    fn reserve_coefficients(&self, count: usize) -> Result<()>;

    /// to = from
    fn copy(&self, to: Self::Mut<'_>, from: Self::Ref<'_>) -> Result<()>;
    /// Copies from host memory.
    fn upload(&self, to: Self::Mut<'_>, from: &[Self::Element]) -> Result<()>;
    /// A copy in host memory.
    fn download(&self, from: Self::Ref<'_>) -> Result<Vec<Self::Element>>;

    /// to = -from
    fn negate(&self, to: Self::Mut<'_>, from: Self::Ref<'_>) -> Result<()>;
    /// x = -x
    fn negate_in_place(&self, x: Self::Mut<'_>) -> Result<()>;
    /// x = x h
    fn scale(&self, x: Self::Mut<'_>, h: f64) -> Result<()>;
    /// x = x + c a
    fn axpy(&self, x: Self::Mut<'_>, c: f64, a: Self::Ref<'_>) -> Result<()>;
    /// to = from + c a
    fn axpy_to(&self, to: Self::Mut<'_>, from: Self::Ref<'_>, c: f64, a: Self::Ref<'_>) -> Result<()>;
    /// a · b
    fn dot(&self, a: Self::Ref<'_>, b: Self::Ref<'_>) -> Result<Self::Product>;
    /// The largest magnitude, without NaN; 0 without elements.
    fn max_abs(&self, x: Self::Ref<'_>) -> Result<f64>;
    /// The sum of the magnitudes.
    fn sum_abs(&self, x: Self::Ref<'_>) -> Result<f64>;
    /// y = gradient - before, s = t d; then before = gradient, d = -gradient. Returns y · s, y · y and s · d.
    fn form_pair(
        &self,
        gradient: Self::Ref<'_>,
        t: f64,
        before: Self::Mut<'_>,
        d: Self::Mut<'_>,
        y: Self::Mut<'_>,
        s: Self::Mut<'_>,
    ) -> Result<(f64, f64, Self::Product)>;
    /// A pass of the recursion, with `product` of the pass before: d = (d + c row) h; then `product` is d · next. The factor c
    /// follows from `product`.
    fn recur(
        &self,
        pass: RecursionPass<'_>,
        d: Self::Mut<'_>,
        row: Self::Ref<'_>,
        next: Self::Ref<'_>,
        product: &mut Self::Product,
    ) -> Result<()>;
    /// The number itself.
    fn value(&self, product: Self::Product) -> Result<f64>;

    /// Sets the parameters of the objective.
    fn set_parameters(objective: &mut Self::Objective<'_>, parameters: Self::Ref<'_>) -> Result<()>;
    /// Evaluates the loss at the parameters that were set last, and overwrites `gradient`.
    fn evaluate(objective: &mut Self::Objective<'_>, gradient: Self::Mut<'_>) -> Result<f64>;
}

/// A pass of the recursion over one pair.
pub(super) struct RecursionPass<'a> {
    /// The first loop subtracts rows y, and the second adds rows s.
    pub(super) is_first: bool,
    /// The position of the pair, oldest first.
    #[cfg_attr(target_family = "wasm", expect(dead_code, reason = "only a device reads it"))]
    pub(super) position: usize,
    /// 1 / (y · s) of the pair.
    pub(super) ro: f64,
    /// The coefficient of the pair that the first loop sets for the second, if host memory has it.
    pub(super) coefficient: &'a mut f64,
    /// The scale of the result.
    pub(super) h: f64,
}
