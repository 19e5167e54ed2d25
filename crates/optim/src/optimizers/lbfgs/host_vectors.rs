//! Vectors in host memory.

use std::marker::PhantomData;

use crate::error::Result;
use crate::fallible::{copied, reserve};
use crate::numeric::scalar::Scalar;
use crate::optimizers::lbfgs::objective::Objective;
use crate::optimizers::lbfgs::vector_memory::{RecursionPass, VectorMemory};
use crate::optimizers::lbfgs::vectors;

/// Slices of host memory.
pub(super) struct HostVectors<T>(PhantomData<T>);

impl<T> HostVectors<T> {
    pub(super) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T> Clone for HostVectors<T> {
    fn clone(&self) -> Self {
        Self::new()
    }
}

impl<T: Scalar> VectorMemory for HostVectors<T> {
    type Element = T;
    type Vector = Vec<T>;
    type Ref<'a> = &'a [T];
    type Mut<'a> = &'a mut [T];
    type Product = f64;
    type Objective<'a> = dyn Objective<T> + 'a;

    fn reserve(&self, vector: &mut Vec<T>, length: usize) -> Result<()> {
        reserve(vector, length)
    }

    fn resize(vector: &mut Vec<T>, length: usize) {
        vector.resize(length, T::default());
    }

    fn len(vector: &Vec<T>) -> usize {
        vector.len()
    }

    fn length(elements: &[T]) -> usize {
        elements.len()
    }

    fn part(vector: &Vec<T>, start: usize, length: usize) -> &[T] {
        &vector[start..start + length]
    }

    fn all_mut(vector: &mut Vec<T>) -> &mut [T] {
        vector
    }

    fn pair_mut(vector: &mut Vec<T>, start: usize, width: usize) -> (&mut [T], &mut [T]) {
        vector[start..start + 2 * width].split_at_mut(width)
    }

    fn stride(width: usize) -> usize {
        width
    }

    fn reserve_coefficients(&self, _: usize) -> Result<()> {
        Ok(())
    }

    fn copy(&self, to: &mut [T], from: &[T]) -> Result<()> {
        to.copy_from_slice(from);
        Ok(())
    }

    fn upload(&self, to: &mut [T], from: &[T]) -> Result<()> {
        self.copy(to, from)
    }

    fn download(&self, from: &[T]) -> Result<Vec<T>> {
        copied(from)
    }

    fn negate(&self, to: &mut [T], from: &[T]) -> Result<()> {
        vectors::negate(to, from);
        Ok(())
    }

    fn negate_in_place(&self, x: &mut [T]) -> Result<()> {
        x.iter_mut().for_each(|x| *x = -*x);
        Ok(())
    }

    fn scale(&self, x: &mut [T], h: f64) -> Result<()> {
        vectors::scale(x, T::from_f64(h));
        Ok(())
    }

    fn axpy(&self, x: &mut [T], c: f64, a: &[T]) -> Result<()> {
        vectors::axpy(x, c, a);
        Ok(())
    }

    fn axpy_to(&self, to: &mut [T], from: &[T], c: f64, a: &[T]) -> Result<()> {
        vectors::axpy_to(to, from, c, a);
        Ok(())
    }

    fn dot(&self, a: &[T], b: &[T]) -> Result<f64> {
        Ok(vectors::dot(a, b))
    }

    fn max_abs(&self, x: &[T]) -> Result<f64> {
        Ok(vectors::max_abs(x))
    }

    fn sum_abs(&self, x: &[T]) -> Result<f64> {
        Ok(vectors::sum_abs(x))
    }

    fn form_pair(
        &self,
        gradient: &[T],
        t: f64,
        before: &mut [T],
        d: &mut [T],
        y: &mut [T],
        s: &mut [T],
    ) -> Result<(f64, f64, f64)> {
        Ok(vectors::form_pair(gradient, T::from_f64(t), before, d, y, s))
    }

    fn recur(&self, pass: RecursionPass<'_>, d: &mut [T], row: &[T], next: &[T], product: &mut f64) -> Result<()> {
        let projection = *product * pass.ro;
        let c = if pass.is_first {
            *pass.coefficient = projection;
            -projection
        } else {
            *pass.coefficient - projection
        };
        *product = vectors::axpy_scale_dot(d, c, row, T::from_f64(pass.h), next);
        Ok(())
    }

    fn value(&self, product: f64) -> Result<f64> {
        Ok(product)
    }

    fn set_parameters(objective: &mut Self::Objective<'_>, parameters: &[T]) -> Result<()> {
        objective.set_parameters(parameters)
    }

    fn evaluate(objective: &mut Self::Objective<'_>, gradient: &mut [T]) -> Result<f64> {
        objective.evaluate(gradient)
    }
}
