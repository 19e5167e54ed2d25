//! `input [*, in]` times `weight [out, in]` transposed, plus `bias [out]`.

use stepwell_optim::Result;

use crate::autograd::backward::{Backward, BackwardContext, InputGradients};
use crate::autograd::graph::Autograd;
use crate::autograd::storage::Storage;
use crate::autograd::tensor::Tensor;
use crate::elements::element::{Element, Real, with_real};
use crate::error::engine_error;
use crate::matrix::{Matrix, Output, multiply};
use crate::memory::{CountedVec, element_count};
use crate::operations::sums::accumulate_rows;

struct Linear {
    rows: usize,
    inputs: usize,
    outputs: usize,
}

const INPUT: usize = 0;
const WEIGHT: usize = 1;
const BIAS: usize = 2;

pub(crate) fn linear(autograd: &Autograd, input: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let (shape, weight_shape) = (input.shape(), weight.shape());
    let (Some((&inputs, leading)), &[outputs, weight_inputs]) = (shape.split_last(), &*weight_shape) else {
        return Err(engine_error(format!(
            "linear: expected weight [out, in] and input [*, in], given {weight_shape:?} and {shape:?}"
        )));
    };
    let bias_fits = bias.is_none_or(|bias| *bias.shape() == [outputs]);
    if inputs != weight_inputs || !bias_fits {
        return Err(engine_error(format!("linear: input {shape:?} and bias do not fit weight {weight_shape:?}")));
    }
    let rows = element_count(leading)?;
    let shape = [leading, &[outputs]].concat();
    element_count(&shape)?;
    let operation = Linear { rows, inputs, outputs };
    let buffer = with_real!(input.dtype(), T => operation.forward::<T>(autograd, input, weight, bias).map(Element::into_buffer))?;

    let operands = [Some(input), Some(weight), bias];
    let needs_input_grad = autograd.needs_grad(operands);
    // The input is saved for the gradient of the weight only, and the weight for the gradient of the input.
    let saved = vec![needs_input_grad[WEIGHT].then(|| input.saved()), needs_input_grad[INPUT].then(|| weight.saved())];
    autograd.record_output(&shape, Storage::new(buffer), &operands, operation, saved)
}

impl Linear {
    fn forward<T: Real>(
        &self,
        autograd: &Autograd,
        x: &Tensor,
        w: &Tensor,
        b: Option<&Tensor>,
    ) -> Result<CountedVec<T>> {
        let (x, w) = (x.storage(), w.storage());
        let (x, w) = (x.read()?, w.read()?);
        let mut out = autograd.budget.any(self.rows.saturating_mul(self.outputs))?;
        let mut output = Output::Overwrite;
        if let Some(b) = b.map(Tensor::storage) {
            let b = b.read()?;
            repeat_row(&mut out, T::slice(&b)?);
            output = Output::Accumulate;
        }
        let (x, w) =
            (Matrix::new(T::slice(&x)?, self.rows, self.inputs), Matrix::new(T::slice(&w)?, self.outputs, self.inputs));
        multiply(&mut out, output, x, w.transposed())?;
        Ok(out)
    }
}

/// Makes every row a copy of `row`.
fn repeat_row<T: Copy>(out: &mut [T], row: &[T]) {
    if !row.is_empty() {
        out.chunks_exact_mut(row.len()).for_each(|out| out.copy_from_slice(row));
    }
}

impl Backward for Linear {
    fn backward<T: Real>(&self, context: &BackwardContext<'_>, gradient: CountedVec<T>) -> Result<InputGradients<T>> {
        let Self { rows, inputs, outputs } = *self;
        let g = Matrix::new(&gradient, rows, outputs);
        let mut gradients = vec![None, None, None];
        if context.needs_input_grad(INPUT) {
            let mut out = context.budget.any(rows * inputs)?;
            multiply(&mut out, Output::Overwrite, g, Matrix::new(context.saved(WEIGHT)?, outputs, inputs))?;
            gradients[INPUT] = Some(out);
        }
        if context.needs_input_grad(WEIGHT) {
            let mut out = context.budget.any(outputs * inputs)?;
            multiply(&mut out, Output::Overwrite, g.transposed(), Matrix::new(context.saved(INPUT)?, rows, inputs))?;
            gradients[WEIGHT] = Some(out);
        }
        if context.needs_input_grad(BIAS) {
            let mut out = context.budget.zeros(outputs)?;
            accumulate_rows(&mut out, &gradient);
            gradients[BIAS] = Some(out);
        }
        Ok(gradients)
    }
}
