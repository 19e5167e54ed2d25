//! Recording of operations in the graph.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use stepwell_optim::{Result, Results, Shared, SharedCell};
use stepwell_session::Dtype;

use crate::autograd::backward::{ErasedBackward, SavedTensor};
use crate::autograd::storage::Storage;
use crate::autograd::tensor::{Edge, Function, FunctionOutput, Origin, Tensor};
use crate::elements::buffer::Buffer;
use crate::error::internal_error;
use crate::memory::MemoryBudget;

/// The tensors that an operation works on.
pub(crate) type Inputs<'a> = [Option<&'a Tensor>];

#[cfg(not(target_family = "wasm"))]
thread_local! {
    /// Whether operations are recorded. Of a thread, since a session also has calls on a thread of their own.
    static RECORDING: std::cell::Cell<bool> = const { std::cell::Cell::new(true) };
}

/// The state of autograd of one engine.
pub(crate) struct Autograd {
    pub(crate) budget: Shared<MemoryBudget>,
    #[cfg(target_family = "wasm")]
    recording: AtomicBool,
    /// Bytes of states of optimizers that came from other threads.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) moved_bytes: std::sync::atomic::AtomicI64,
    /// The next identity of a tensor, or order of a function.
    id: AtomicU64,
}

impl Autograd {
    pub(crate) fn new(memory_limit: usize) -> Self {
        Self {
            budget: MemoryBudget::new(memory_limit),
            #[cfg(target_family = "wasm")]
            recording: AtomicBool::new(true),
            #[cfg(not(target_family = "wasm"))]
            moved_bytes: Default::default(),
            id: AtomicU64::new(1),
        }
    }

    fn next_id(&self) -> u64 {
        self.id.fetch_add(1, Ordering::Relaxed)
    }

    #[inline(always)]
    fn is_recording(&self) -> bool {
        #[cfg(target_family = "wasm")]
        return self.recording.load(Ordering::Relaxed);
        #[cfg(not(target_family = "wasm"))]
        RECORDING.get()
    }

    /// Sets the flag and returns the one before.
    #[inline(always)]
    fn set_recording(&self, flag: bool) -> bool {
        #[cfg(target_family = "wasm")]
        return self.recording.swap(flag, Ordering::Relaxed);
        #[cfg(not(target_family = "wasm"))]
        RECORDING.replace(flag)
    }

    /// Runs `f` without recording operations. Restores the flag if `f` panics.
    pub(crate) fn without_recording<R>(&self, f: impl FnOnce() -> R) -> R {
        struct Restore<'a>(&'a Autograd, bool);
        impl Drop for Restore<'_> {
            fn drop(&mut self) {
                self.0.set_recording(self.1);
            }
        }
        let _restore = Restore(self, self.set_recording(false));
        f()
    }

    /// A leaf with a storage of its own.
    pub(crate) fn leaf(&self, shape: &[usize], buffer: Buffer) -> Tensor {
        self.leaf_over(shape, buffer.dtype(), Storage::new(buffer))
    }

    /// A leaf over a storage that other tensors may have.
    pub(crate) fn leaf_over(&self, shape: &[usize], dtype: Dtype, storage: Shared<Storage>) -> Tensor {
        Tensor::new(self.next_id(), shape.into(), dtype, storage, None)
    }

    /// True for each input that a backward would compute a gradient of.
    pub(crate) fn needs_grad<const N: usize>(&self, inputs: [Option<&Tensor>; N]) -> [bool; N] {
        inputs.map(|input| self.is_recording() && input.is_some_and(Tensor::requires_grad))
    }

    /// The output tensor of an operation. Records the operation if an input requires a gradient. Its backward reads `saved` with
    /// [`BackwardContext::saved`](crate::autograd::backward::BackwardContext::saved).
    pub(crate) fn record_output(
        &self,
        shape: &[usize],
        storage: Shared<Storage>,
        inputs: &Inputs<'_>,
        operation: impl ErasedBackward + 'static,
        saved: Vec<Option<SavedTensor>>,
    ) -> Result<Tensor> {
        let output = FunctionOutput::of(&storage)?;
        let dtype = output.dtype;
        let function = self.function(output, Box::default(), inputs, Box::new(operation), saved);
        let grad_fn = function.filter(|_| dtype.is_floating()).map(|function| Origin { function, output: 0 });
        Ok(Tensor::new(self.next_id(), shape.into(), dtype, storage, grad_fn))
    }

    /// The output tensors of an operation, of which there is at least one, from their shapes and storages. Outputs that are not
    /// of floating point are leaves.
    pub(crate) fn record_outputs(
        &self,
        outputs: &[(&[usize], Shared<Storage>)],
        inputs: &Inputs<'_>,
        operation: Box<dyn ErasedBackward>,
        saved: Vec<Option<SavedTensor>>,
    ) -> Result<Vec<Tensor>> {
        let dtypes = outputs.iter().map(|(_, storage)| Ok(storage.read()?.dtype())).values()?;
        let mut described = outputs.iter().map(|(_, storage)| FunctionOutput::of(storage));
        let first = described.next().unwrap_or_else(|| Err(internal_error("an operation without outputs")))?;
        let more = described.values()?;
        let function = self.function(first, more.into(), inputs, operation, saved);
        let tensors = outputs.iter().zip(dtypes).enumerate().map(|(output, ((shape, storage), dtype))| {
            let function = function.as_ref().filter(|_| dtype.is_floating());
            let grad_fn = function.map(|function| Origin { function: Shared::clone(function), output });
            Tensor::new(self.next_id(), (*shape).into(), dtype, Shared::clone(storage), grad_fn)
        });
        Ok(tensors.collect())
    }

    /// The function of an operation, if an input requires a gradient.
    fn function(
        &self,
        first_output: FunctionOutput,
        more_outputs: Box<[FunctionOutput]>,
        inputs: &Inputs<'_>,
        operation: Box<dyn ErasedBackward>,
        saved: Vec<Option<SavedTensor>>,
    ) -> Option<Shared<Function>> {
        if !self.is_recording() || !inputs.iter().flatten().any(|input| input.requires_grad()) {
            return None;
        }
        let edge = |input: &Option<&Tensor>| {
            let input = input.filter(|input| input.requires_grad())?;
            Some(match input.grad_fn() {
                Some(origin) => Edge::Function(origin.clone()),
                None => Edge::Leaf(input.clone()),
            })
        };
        Some(Shared::new(Function {
            order: self.next_id(),
            inputs: inputs.iter().map(edge).collect(),
            first_output,
            more_outputs,
            operation,
            saved: SharedCell::new(Some(saved)),
            visited: AtomicBool::new(false),
            next_to_drop: None,
        }))
    }
}
