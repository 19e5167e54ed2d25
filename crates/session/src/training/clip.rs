//! Clipping of gradients in place.

use stepwell_optim::fallible::collected;
use stepwell_optim::{Clip, GradientTransform, Result, sum_of_squares};

use crate::engine::Engine;
use crate::values::data::Data;
use crate::values::dedupe::first_positions;
use crate::values::dtype::Dtype;

/// Clips defined gradients, which contain a factor and keep it. Returns their norm before, without the factor and all
/// taken as one vector. A tensor that is there twice counts once.
pub(crate) fn clip_gradients<E: Engine>(engine: &E, tensors: &[E::Tensor], clip: Clip, factor: f64) -> Result<f64> {
    let norm = change(engine, tensors, &|norm| clip.transform(norm / factor).for_gradients_scaled_by(factor))?;
    Ok(norm / factor)
}

/// Multiplies all defined gradients.
pub(crate) fn multiply_gradients<E: Engine>(engine: &E, tensors: &[E::Tensor], factor: f64) -> Result<()> {
    change(engine, tensors, &|_| GradientTransform::Scale(factor)).map(drop)
}

/// Applies the transform that `prepare` makes of the norm to each gradient. Returns the norm before.
fn change<E: Engine>(engine: &E, tensors: &[E::Tensor], transform: &dyn Fn(f64) -> GradientTransform) -> Result<f64> {
    let identities = collected(tensors.iter().map(|tensor| engine.identity(tensor)))?;
    let (mut gradients, mut squares) = (Vec::new(), 0.0);
    for (i, first) in first_positions(&identities)?.into_iter().enumerate() {
        let Some(gradient) = (if first == i { engine.grad(&tensors[i]) } else { None }) else { continue };
        let mut data = engine.data(&gradient)?;
        let dtype = data.dtype();
        if E::HAS_REDUCED && dtype.is_reduced() {
            data = data.cast(Dtype::Float)?;
        }
        squares += match &data {
            Data::Float(g) => sum_of_squares(g),
            Data::Double(g) => sum_of_squares(g),
            // 16-bit gradients were widened above; long and bool tensors have no gradient.
            Data::Half(_) | Data::BFloat16(_) | Data::Long(_) | Data::Bool(_) => 0.0,
        };
        gradients.push((gradient, data, dtype));
    }
    let norm = f64::sqrt(squares);
    let transform = transform(norm);
    if transform == GradientTransform::Identity {
        return Ok(norm);
    }
    for (gradient, mut data, dtype) in gradients {
        match &mut data {
            Data::Float(g) => transform.apply(g),
            Data::Double(g) => transform.apply(g),
            Data::Half(_) | Data::BFloat16(_) | Data::Long(_) | Data::Bool(_) => {}
        }
        engine.assign(&gradient, &data.cast(dtype)?)?;
    }
    Ok(norm)
}
