//! Gradients of scaled losses: memory holds them multiplied by the scale of their optimizer until a step divides by it.
//! Commands show and take them without it.

use stepwell_optim::fallible::{filled, with_capacity};
use stepwell_optim::{Code, Error, Number, Result};

use crate::engine::Engine;
use crate::session::{Object, Session};
use crate::training::non_finite::first_element;
use crate::values::data::Data;
use crate::values::dedupe::first_positions;
use crate::values::dtype::Dtype;

impl<E: Engine> Session<E> {
    /// Learns the outcomes of steps that may change a loss scale, which gradients in memory follow.
    pub(crate) fn settle_scales(&self) -> Result<()> {
        if !E::HAS_DEVICES || !self.scales_losses {
            return Ok(());
        }
        for (_, counted) in self.table.iter() {
            let bound = match &counted.object {
                Object::Optimizer(bound) => bound,
                Object::Model(model) => &model.optimizer,
                _ => continue,
            };
            // An optimizer whose closure runs is borrowed. Its step waits for outcomes by itself.
            let Ok(mut bound) = bound.try_borrow_mut() else { continue };
            if bound.optimizer.loss_scale.is_some() {
                bound.settle(&self.engine)?;
            }
        }
        Ok(())
    }

    /// The factor in the gradient of each tensor: the loss scale of its optimizer, or 1. NaN if two optimizers of a
    /// tensor have different scales.
    fn scales(&self, tensors: &[E::Tensor]) -> Result<Vec<f64>> {
        self.settle_scales()?;
        // 0 stands for an unknown scale: a scale is never 0.
        let mut scales = filled(tensors.len(), 0.0)?;
        for (_, counted) in self.table.iter() {
            let bound = match &counted.object {
                Object::Optimizer(bound) => bound,
                Object::Model(model) => &model.optimizer,
                _ => continue,
            };
            let bound = bound.borrow();
            let Some(scale) = &bound.optimizer.loss_scale else { continue };
            let (scale, own) = (scale.scale(), bound.tensors());
            let mut identities = with_capacity(own.len() + tensors.len())?;
            for tensor in own.iter().chain(tensors) {
                identities.push(self.engine.identity(tensor));
            }
            for (known, position) in scales.iter_mut().zip(&first_positions(&identities)?[own.len()..]) {
                if *position < own.len() {
                    *known = if *known == 0.0 || *known == scale { scale } else { f64::NAN };
                }
            }
        }
        for scale in &mut scales {
            if *scale == 0.0 {
                *scale = 1.0;
            }
        }
        Ok(scales)
    }

    /// The factor in the gradients of these tensors, as far as they have one.
    ///
    /// # Errors
    /// [`Code::Gradient`] if the factors differ.
    pub(crate) fn scale_of_gradients(&self, tensors: &[E::Tensor]) -> Result<f64> {
        let mut scale = None;
        if self.scales_losses {
            for (tensor, own) in tensors.iter().zip(self.scales(tensors)?) {
                if tensors.len() > 1 && self.engine.grad(tensor).is_none() {
                    continue;
                }
                // NaN does not equal itself, so it is an error too.
                if *scale.get_or_insert(own) != own {
                    let message = if own.is_nan() {
                        "a parameter is of two optimizers with different loss scales: give them one, or clip by clipnorm or \
                         clipvalue of a step"
                    } else {
                        "some of these gradients are of a scaled loss and others are not: clip the gradients of each \
                         optimizer separately, or by clipnorm or clipvalue of its step"
                    };
                    return Err(Error::new(Code::Gradient, message));
                }
            }
        }
        Ok(scale.unwrap_or(1.0))
    }

    /// Fails if a gradient is not 0 and does not contain this scale, which a step would divide by.
    pub(crate) fn check_scaled(&self, tensors: &[E::Tensor], scale: f64) -> Result<()> {
        for (tensor, found) in tensors.iter().zip(self.scales(tensors)?) {
            if found != scale && first_element(&self.engine, tensor, |element| element != 0.0)?.is_some() {
                let scale = Number(scale);
                let message = format_args!(
                    "expected no gradients, or gradients of a loss times {scale}: step with the present gradients, and then \
                     zerograd or nograd"
                );
                return Err(Error::new(Code::Gradient, message));
            }
        }
        Ok(())
    }
}

/// Each element times a factor and then divided.
pub(crate) fn multiplied(data: Data, factor: f64, divisor: f64) -> Result<Data> {
    let mut data = data.cast(Dtype::Double)?;
    if let Data::Double(elements) = &mut data {
        elements.iter_mut().for_each(|element| *element = *element * factor / divisor);
    }
    Ok(data)
}
