//! Gradients of scaled losses, which lie in memory multiplied by the scale of their optimizer until a step divides by it.
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
    /// What the gradients of each of these tensors are multiplied by: the scale of the optimizer that scales losses for it, or
    /// 1; NaN where two optimizers have different ones.
    fn scales(&self, tensors: &[E::Tensor]) -> Result<Vec<f64>> {
        // 0 where none is known yet, which is no scale.
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
            for (known, place) in scales.iter_mut().zip(&first_positions(&identities)?[own.len()..]) {
                if *place < own.len() {
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

    /// What the gradients of all of these tensors that have one are multiplied by.
    ///
    /// # Errors
    /// [`Code::Gradient`] where that is not one number.
    pub(crate) fn scale_of_gradients(&self, tensors: &[E::Tensor]) -> Result<f64> {
        let mut scale = None;
        if self.scales_losses {
            for (tensor, own) in tensors.iter().zip(self.scales(tensors)?) {
                if tensors.len() > 1 && self.engine.grad(tensor).is_none() {
                    continue;
                }
                // A NaN is no scale, nor its own.
                if *scale.get_or_insert(own) != own {
                    let message = if own.is_nan() {
                        "a parameter is of two optimizers with different loss scales: give them one, or clip by clipnorm or \
                         clipvalue of a step"
                    } else {
                        "some of these gradients are of a scaled loss and others are not: clip those of each optimizer \
                         apart, or by clipnorm or clipvalue of its step"
                    };
                    return Err(Error::new(Code::Gradient, message));
                }
            }
        }
        Ok(scale.unwrap_or(1.0))
    }

    /// Fails if a gradient is there that is not 0 and is not multiplied by this scale, which a step is going to divide by.
    pub(crate) fn check_scaled(&self, tensors: &[E::Tensor], scale: f64) -> Result<()> {
        for (tensor, found) in tensors.iter().zip(self.scales(tensors)?) {
            if found != scale && first_element(&self.engine, tensor, |element| element != 0.0)?.is_some() {
                let scale = Number(scale);
                let message = format!(
                    "expected no gradients, or those of a loss times {scale}: step with those there are, and then zerograd or \
                     nograd"
                );
                return Err(Error::new(Code::Gradient, message));
            }
        }
        Ok(())
    }
}

/// Each element times a factor and then divided.
pub(crate) fn times(data: Data, factor: f64, divisor: f64) -> Result<Data> {
    let mut data = data.cast(Dtype::Double)?;
    if let Data::Double(elements) = &mut data {
        elements.iter_mut().for_each(|element| *element = *element * factor / divisor);
    }
    Ok(data)
}
