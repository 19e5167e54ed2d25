//! The size of an optimizer's state.

use crate::optimizer::Optimizer;

/// The size of a state as the k-api counts it: a scalar is one element of 8 bytes and is not a tensor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StateSize {
    /// The number of tensors.
    pub tensors: usize,
    /// The number of elements of tensors, plus the scalars.
    pub elements: usize,
    /// The bytes of tensors and scalars.
    pub bytes: usize,
}

impl StateSize {
    fn scalars(&mut self, count: usize) {
        self.elements += count;
        self.bytes += 8 * count;
    }

    fn tensor(&mut self, elements: usize, bytes: usize) {
        self.tensors += 1;
        self.elements += elements;
        self.bytes += bytes;
    }
}

impl Optimizer {
    /// The size of the state.
    pub fn state_size(&self) -> StateSize {
        let mut size = StateSize::default();
        for state in self.groups.iter().flat_map(|group| &group.states).flatten() {
            size.scalars(usize::from(self.definition.counts_steps));
            state.buffers.iter().flatten().for_each(|buffer| size.tensor(buffer.len(), buffer.bytes()));
        }
        #[cfg(not(target_family = "wasm"))]
        self.device_buffers().for_each(|buffer| size.tensor(buffer.len(), buffer.bytes()));
        if let Some(state) = &self.lbfgs_state {
            let (width, pairs, bytes) = state.size();
            // func_evals, n_iter, t and prev_loss.
            size.scalars(4);
            // d, prev_flat_grad, old_dirs and old_stps.
            (0..2 + 2 * pairs).for_each(|_| size.tensor(width, width * bytes));
            // H_diag and each of ro are tensors without dimensions.
            (0..=pairs).for_each(|_| size.tensor(1, bytes));
        }
        size
    }
}
