//! Layer normalization, Ba, Kiros and Hinton 2016, <https://arxiv.org/abs/1607.06450>: `input` normalized over its last
//! dimensions.

use stepwell_optim::Result;

use crate::autograd::backward::{Backward, BackwardContext, InputGradients, SavedTensor};
use crate::autograd::graph::Autograd;
use crate::autograd::storage::Storage;
use crate::autograd::tensor::Tensor;
use crate::elements::element::{Element, Real, with_real};
use crate::error::engine_error;
use crate::memory::{CountedVec, element_count};
use crate::operations::normalization::{BIAS, Normalized, Saved, WEIGHT};
use crate::operations::sums::{centered_dot, centered_square_sum, sum};

struct LayerNorm {
    rows: usize,
    columns: usize,
}

pub(crate) fn layer_norm(
    autograd: &Autograd,
    input: &Tensor,
    shape: &[usize],
    weight: Option<&Tensor>,
    bias: Option<&Tensor>,
    eps: f64,
) -> Result<Tensor> {
    let input_shape = input.shape();
    let Some(leading) = input_shape.strip_suffix(shape).filter(|_| !shape.is_empty()) else {
        return Err(engine_error(format!("layer_norm: expected input to end with {shape:?}, given {input_shape:?}")));
    };
    let fits = |tensor: &Tensor| *tensor.shape() == *shape && tensor.dtype() == input.dtype();
    if ![weight, bias].into_iter().flatten().all(fits) {
        return Err(engine_error(format!(
            "layer_norm: expected weight and bias of shape {shape:?} and the input's dtype"
        )));
    }
    let operation = LayerNorm { rows: element_count(leading)?, columns: element_count(shape)? };
    let (buffer, statistics) = with_real!(input.dtype(), T => {
        let results = operation.forward::<T>(autograd, input, weight, bias, eps);
        results.map(|(out, statistics)| (T::into_buffer(out), f64::into_buffer(statistics)))
    })?;
    let saved = vec![
        Some(input.saved()),
        weight.map(Tensor::saved),
        Some(SavedTensor::new(&Storage::new(statistics))),
        // Not read. As in PyTorch, a graph whose bias was changed is outdated.
        bias.map(Tensor::saved),
    ];
    autograd.record_output(&input_shape, Storage::new(buffer), &[Some(input), weight, bias], operation, saved)
}

impl LayerNorm {
    fn forward<T: Real>(
        &self,
        autograd: &Autograd,
        input: &Tensor,
        weight: Option<&Tensor>,
        bias: Option<&Tensor>,
        eps: f64,
    ) -> Result<(CountedVec<T>, CountedVec<f64>)> {
        let (input, weight, bias) = (input.storage(), weight.map(Tensor::storage), bias.map(Tensor::storage));
        let input = input.read()?;
        let weight = weight.as_ref().map(|weight| weight.read()).transpose()?;
        let bias = bias.as_ref().map(|bias| bias.read()).transpose()?;
        let weight = weight.as_ref().map(|weight| T::slice(weight)).transpose()?;
        let bias = bias.as_ref().map(|bias| T::slice(bias)).transpose()?;
        let x = T::slice(&input)?;
        let mut statistics = autograd.budget.zeros(self.rows.saturating_mul(2))?;
        let mut out = autograd.budget.any::<T>(x.len())?;
        if self.columns == 0 {
            return Ok((out, statistics));
        }
        let rows = out.chunks_exact_mut(self.columns).zip(x.chunks_exact(self.columns));
        for ((out, x), statistics) in rows.zip(statistics.chunks_exact_mut(2)) {
            let mean = sum(x) / self.columns as f64;
            let variance = centered_square_sum(mean, x) / self.columns as f64;
            let inverse = 1.0 / (variance + eps).sqrt();
            statistics.copy_from_slice(&[mean, inverse]);
            let normalized = Normalized::new(mean, inverse, 0.0);
            out.iter_mut().zip(x).for_each(|(out, x)| *out = normalized.of(*x));
            if let Some(weight) = weight {
                out.iter_mut().zip(weight).for_each(|(out, weight)| *out = *out * *weight);
            }
            if let Some(bias) = bias {
                out.iter_mut().zip(bias).for_each(|(out, bias)| *out = *out + *bias);
            }
        }
        Ok((out, statistics))
    }
}

impl Backward for LayerNorm {
    fn backward<T: Real>(
        &self,
        context: &BackwardContext<'_>,
        mut gradient: CountedVec<T>,
    ) -> Result<InputGradients<T>> {
        let Saved { x, weight, statistics } = Saved::<T>::of(context)?;
        let (mut dw, mut db) = (context.budget.zeros::<T>(self.columns)?, context.budget.zeros::<T>(self.columns)?);
        if self.columns > 0 {
            let count = self.columns as f64;
            let rows = gradient.chunks_exact_mut(self.columns).zip(x.chunks_exact(self.columns));
            for ((g, x), statistics) in rows.zip(statistics.chunks_exact(2)) {
                let (mean, inverse) = (statistics[0], statistics[1]);
                let normalized = Normalized::new(mean, inverse, 0.0);
                if context.needs_input_grad(WEIGHT) {
                    let triples = dw.iter_mut().zip(&*g).zip(x);
                    triples.for_each(|((sum, g), x)| *sum = *sum + *g * normalized.of(*x));
                }
                if context.needs_input_grad(BIAS) {
                    db.iter_mut().zip(&*g).for_each(|(sum, g)| *sum = *sum + *g);
                }
                if let Some(weight) = weight {
                    g.iter_mut().zip(weight).for_each(|(g, weight)| *g = *g * *weight);
                }
                // g = (g - mean(g) - (x - mean) * projection) * scale
                let total = sum(g);
                let dot = centered_dot(mean, g, x);
                let slope = -dot / count * inverse * inverse * inverse;
                let (scale, projected) = (T::from_f64(inverse), Normalized::new(mean, slope, -total / count * inverse));
                g.iter_mut().zip(x).for_each(|(g, x)| *g = *g * scale + projected.of(*x));
            }
        }
        Ok(context.needed([gradient, dw, db]))
    }
}
