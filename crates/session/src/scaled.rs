//! Gradients of scaled losses, which lie in memory multiplied by the scale of their optimizer until a step divides by it.
//! Verbs show and take them without it.

use stepwell_optim::fallible::{collected, filled};
use stepwell_optim::{Code, Error, LossScale, Number, Result};

use crate::identity::first_places;
use crate::session::{Object, Session};
use crate::{Data, Dtype, Engine};

impl<E: Engine> Session<E> {
    /// What the gradients of each of these tensors are multiplied by: the scale of the optimizer that scales losses for it, or
    /// 1; NaN where two optimizers have different ones.
    fn scales(&self, tensors: &[E::Tensor]) -> Result<Vec<f64>> {
        let count = tensors.len();
        let identity = |tensor: &E::Tensor| self.engine.identity(tensor);
        let mut identities: Vec<_> = tensors.iter().map(identity).collect();
        let firsts = first_places(&identities)?;
        let mut found = filled(count, None)?;
        for (_, held) in self.store.iter() {
            let trainer = match &held.object {
                Object::Optimizer(trainer) => trainer.borrow(),
                Object::Model(model) => model.optimizer.borrow(),
                _ => continue,
            };
            let Some(scale) = trainer.optimizer.loss_scale.as_ref().map(LossScale::scale) else { continue };
            identities.truncate(count);
            identities.extend(trainer.tensors().iter().map(identity));
            for place in &first_places(&identities)?[count..] {
                if let Some(known) = found.get_mut(*place) {
                    *known = Some(if known.unwrap_or(scale) == scale { scale } else { f64::NAN });
                }
            }
        }
        collected(firsts.into_iter().map(|first| found[first].unwrap_or(1.0)))
    }

    /// What the gradients of all of these tensors that have one are multiplied by.
    ///
    /// # Errors
    /// [`Code::Gradient`] where that is not one number.
    pub(crate) fn scale_of_gradients(&self, tensors: &[E::Tensor]) -> Result<f64> {
        if !self.scales_losses {
            return Ok(1.0);
        }
        let mut scales = self.scales(tensors)?;
        if tensors.len() > 1 {
            let mut tensors = tensors.iter();
            scales.retain(|_| tensors.next().is_some_and(|tensor| self.engine.grad(tensor).is_some()));
        }
        let scale = scales.first().copied().unwrap_or(1.0);
        if scales.iter().any(|other| *other != scale) {
            let message = if scales.iter().any(|scale| scale.is_nan()) {
                "a parameter is of two optimizers with different loss scales: give them one, or clip by clipnorm or clipvalue \
                 of a step"
            } else {
                "some of these gradients are of a scaled loss and others are not: clip those of each optimizer apart, \
                 or by clipnorm or clipvalue of its step"
            };
            return Err(Error::new(Code::Gradient, message));
        }
        Ok(scale)
    }

    /// Fails if a gradient is there that is not 0 and is not multiplied by this scale, which a step is going to divide by.
    pub(crate) fn check_scaled(&self, tensors: &[E::Tensor], scale: f64) -> Result<()> {
        for (tensor, found) in tensors.iter().zip(self.scales(tensors)?) {
            if found == scale {
                continue;
            }
            let Some(gradient) = self.engine.grad(tensor) else { continue };
            if let Data::Double(elements) = self.engine.data(&gradient)?.cast(Dtype::Double)?
                && elements.iter().any(|element| *element != 0.0)
            {
                let scale = Number(scale);
                let message = format!(
                    "expected no gradients, or those of a loss times {scale}, where the loss scale becomes {scale}: step with \
                     those there are, and then zerograd or nograd"
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
