//! Parameters swapped with their moving averages, so that a model can be used with these.

use std::borrow::Cow;

use stepwell_optim::fallible::copied;
use stepwell_optim::{Buffer, Code, Error, MASTER, PARAM_AVERAGE, Result, SwapBuffers};

use crate::engine::Engine;
use crate::training::bound_optimizer::BoundOptimizer;
use crate::values::data::Data;
use crate::values::dtype::Dtype;

/// A parameter in a swap.
struct Swap<'a, T> {
    tensor: &'a T,
    before: Data,
    after: Data,
}

impl<E: Engine> BoundOptimizer<E> {
    /// Swaps parameters and averages; a second call swaps them back. Returns whether the parameters are now the
    /// averages. An error changes nothing.
    pub(crate) fn swap_averages(&mut self, engine: &E) -> Result<bool> {
        #[cfg(not(target_family = "wasm"))]
        self.fetch_state(engine)?;
        let Self { optimizer, tensors, .. } = self;
        let (mut swaps, mut states) = (Vec::new(), Vec::new());
        for (tensor, averaged) in tensors.iter().zip(optimizer.swap_buffers()) {
            let Some(SwapBuffers { master, average }) = averaged else {
                states.push(None);
                continue;
            };
            let before = engine.data(tensor)?;
            let dtype = before.dtype();
            let weights = if E::HAS_REDUCED { weights(&before, master)? } else { Cow::Borrowed(&before) };
            let average = Data::try_from(average)?;
            // The average of a parameter of 16 bits is of 32, as master weights are.
            let master = if E::HAS_REDUCED && dtype.is_reduced() { Some(average.to_buffer(MASTER)?) } else { None };
            states.push(Some(SwapBuffers { master, average: weights.to_buffer(PARAM_AVERAGE)? }));
            swaps.push(Swap { tensor, before, after: average.cast(dtype)? });
        }
        if swaps.is_empty() {
            let message = "no averages yet: they begin at the first step with the option average, as in \
                           opt(\"adam\", m, {average: 0.999})";
            return Err(Error::new(Code::Argument, message));
        }
        for (i, Swap { tensor, after, .. }) in swaps.iter().enumerate() {
            if let Err(error) = engine.assign(tensor, after) {
                for Swap { tensor, before, .. } in &swaps[..i] {
                    engine.assign(tensor, before)?;
                }
                return Err(error);
            }
        }
        optimizer.set_swapped_buffers(states);
        Ok(optimizer.is_swapped())
    }
}

/// The weights in full precision: master weights, except where the 16-bit parameter was changed since the last step.
fn weights<'a>(parameter: &'a Data, master: Option<&Buffer>) -> Result<Cow<'a, Data>> {
    if !parameter.dtype().is_reduced() {
        return Ok(Cow::Borrowed(parameter));
    }
    let mut wide = Data::cast_shared(Cow::Borrowed(parameter), Dtype::Float)?;
    let (Data::Float(wide_elements), Some(Buffer::Float(master))) = (wide.to_mut(), master) else { return Ok(wide) };
    if let Data::Float(rounded) = Data::Float(copied(master)?).cast(parameter.dtype())?.cast(Dtype::Float)? {
        for ((wide, rounded), master) in wide_elements.iter_mut().zip(rounded).zip(&**master) {
            if *wide == rounded {
                *wide = *master;
            }
        }
    }
    Ok(wide)
}
