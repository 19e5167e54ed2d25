//! libtorch's own optimizers without a closure, for `fused: false`.

use std::ptr::{self, NonNull};
use std::sync::Arc;

use stepwell_optim::{Buffer, Code, Definition, Error, RULE_BUFFERS, Result, State, positional};
use stepwell_session::{LibraryEach, LibraryGroup, LibraryOptimizer, only_fused};
use torch_sys::C_tensor;

use crate::descriptors::{self, ParameterDescriptor};
use crate::error::check_not_busy;
use crate::library::lbfgs;
use crate::library::options::option_number;
use crate::parameter_views::check::{dtype_fault, gradient_fault};
use crate::shim::{self, DOUBLE, FLOAT, TensorRef};
use crate::tensor::Tensor;

/// Names of the optimizers that need no closure, in the order of `kMakers` in optimizer.cpp. The number is the count of
/// options that optimizer.cpp reads: the positional ones.
const KINDS: [(&str, usize); 5] = [("adagrad", 5), ("adam", 6), ("adamw", 6), ("rmsprop", 6), ("sgd", 5)];

/// libtorch's optimizer of a definition, without state.
pub(crate) fn optimizer(definition: &'static Definition) -> Result<LibraryOptimizer<Tensor>> {
    if definition.name == "lbfgs" {
        return Ok(LibraryOptimizer::Closure(Arc::new(|group, state, closure| {
            check_not_busy()?;
            lbfgs::minimize(group, state, closure)
        })));
    }
    let kind = KINDS.iter().position(|kind| *kind == (definition.name, positional(definition.options).len()));
    let kind = kind.ok_or_else(|| only_fused(definition, "since libtorch has no such optimizer in C++"))?;
    let mut pointer = ptr::null_mut();
    // SAFETY: an index of `kMakers`, and the address of a pointer.
    shim::check(unsafe { stepwell_library_new(kind, &mut pointer) })?;
    let pointer = NonNull::new(pointer).ok_or_else(|| Error::new(Code::Internal, "libtorch made no optimizer"))?;
    Ok(LibraryOptimizer::Each(Box::new(Library { definition, pointer })))
}

#[repr(C)]
struct Opaque {
    _private: [u8; 0],
}

#[repr(C)]
struct Group {
    options: *const f64,
    parameters: *const *const C_tensor,
    count: usize,
}

#[repr(C)]
struct Buffers {
    step: i64,
    tensors: [*mut C_tensor; RULE_BUFFERS],
}

// The sizes in optimizer.cpp.
const _: () = assert!(size_of::<Group>() == 24 && size_of::<Buffers>() == 32);

unsafe extern "C" {
    fn stepwell_library_new(kind: usize, out: *mut *mut Opaque) -> i32;
    fn stepwell_library_free(library: *mut Opaque);
    fn stepwell_library_step(library: *mut Opaque, groups: *const Group, count: usize) -> i32;
    fn stepwell_library_read(
        library: *mut Opaque,
        parameter: *const C_tensor,
        out: *mut Buffers,
        found: *mut i32,
    ) -> i32;
    fn stepwell_library_write(library: *mut Opaque, parameter: *const C_tensor, buffers: *const Buffers) -> i32;
}

/// An optimizer of libtorch. It makes no callbacks, and its optimizer of the session is borrowed by one call at a time.
struct Library {
    definition: &'static Definition,
    pointer: NonNull<Opaque>,
}

// SAFETY: an object without threads of its own, which is freed on any thread.
unsafe impl Send for Library {}
// SAFETY: the session calls it through a borrow of its optimizer, which one thread has.
unsafe impl Sync for Library {}

impl Drop for Library {
    fn drop(&mut self) {
        // SAFETY: made by `stepwell_library_new` and freed once.
        unsafe { stepwell_library_free(self.pointer.as_ptr()) };
    }
}

impl LibraryEach<Tensor> for Library {
    fn step(&self, groups: &[LibraryGroup<'_, Tensor>], name: &dyn Fn(usize) -> String) -> Result<()> {
        check_not_busy()?;
        let tensor_refs: Vec<TensorRef<'_>> =
            groups.iter().flat_map(|group| group.parameters).map(Tensor::tensor_ref).collect();
        let mut descriptors = Vec::new();
        descriptors::describe_parameters(&tensor_refs, &mut descriptors)?;
        for (index, descriptor) in descriptors.iter().enumerate().filter(|(_, descriptor)| descriptor.has_grad != 0) {
            check(descriptor, || name(index))?;
        }
        let width = self.definition.options.len();
        let rows: Vec<f64> = groups.iter().flat_map(|group| group.options).map(option_number).collect();
        if groups.iter().any(|group| group.options.len() != width) {
            return Err(Error::new(Code::Internal, "a list of options has another length than its table"));
        }
        let mut rest = &tensor_refs[..];
        let groups: Vec<Group> = groups
            .iter()
            .zip(rows.chunks_exact(width))
            .map(|(group, row)| {
                let (parameters, after) = rest.split_at(group.parameters.len());
                rest = after;
                Group { options: row.as_ptr(), parameters: parameters.as_ptr().cast(), count: parameters.len() }
            })
            .collect();
        // SAFETY: groups of live, defined tensors without views, with at least as many options as are read.
        let result =
            shim::check(unsafe { stepwell_library_step(self.pointer.as_ptr(), groups.as_ptr(), groups.len()) });
        // libtorch writes to some parameters without bumping their versions.
        result.and(descriptors::bump(&tensor_refs, Some(&descriptors)))
    }

    fn states(&self, parameters: &[Tensor]) -> Result<Vec<Option<State>>> {
        parameters.iter().map(|parameter| self.state(parameter)).collect()
    }

    fn set_states(&self, parameters: &[Tensor], states: &[Option<State>]) -> Result<()> {
        check_not_busy()?;
        let tensor = |parameter: &Tensor, buffer: &Option<Buffer>| {
            buffer.as_ref().map(|buffer| parameter.like_with_data(&buffer.try_into()?)).transpose()
        };
        // All tensors are made before the first state is set, so that a failure changes nothing.
        let mut made = Vec::with_capacity(states.len());
        for (parameter, state) in parameters.iter().zip(states) {
            let Some(state) = state else {
                made.push(None);
                continue;
            };
            let step = i64::try_from(state.step).map_err(|_| {
                Error::new(Code::Argument, format!("{} steps are more than libtorch counts", state.step))
            })?;
            let tensors = state.buffers[..RULE_BUFFERS]
                .iter()
                .map(|buffer| tensor(parameter, buffer))
                .collect::<Result<Vec<_>>>()?;
            made.push(Some((step, tensors)));
        }
        for (parameter, state) in parameters.iter().zip(&made) {
            let buffers = state.as_ref().map(|(step, tensors)| {
                let mut buffers = Buffers { step: *step, tensors: [ptr::null_mut(); RULE_BUFFERS] };
                for (pointer, tensor) in buffers.tensors.iter_mut().zip(tensors) {
                    *pointer =
                        tensor.as_ref().map_or(ptr::null_mut(), |tensor| tensor.tensor_ref().pointer().cast_mut());
                }
                buffers
            });
            let buffers = buffers.as_ref().map_or(ptr::null(), ptr::from_ref);
            // SAFETY: live, defined tensors, of which the shim stores new handles.
            shim::check(unsafe {
                stepwell_library_write(self.pointer.as_ptr(), parameter.tensor_ref().pointer(), buffers)
            })?;
        }
        Ok(())
    }
}

impl Library {
    fn state(&self, parameter: &Tensor) -> Result<Option<State>> {
        let mut buffers = Buffers { step: 0, tensors: [ptr::null_mut(); RULE_BUFFERS] };
        let mut found = 0;
        // SAFETY: a live, defined tensor, and a struct with the layout that the shim fills.
        let status = unsafe {
            stepwell_library_read(self.pointer.as_ptr(), parameter.tensor_ref().pointer(), &mut buffers, &mut found)
        };
        // SAFETY: null, or new handles, owned by this call. True after a failure too.
        let tensors = buffers.tensors.map(|tensor| unsafe { shim::owned(tensor) });
        shim::check(status)?;
        if found == 0 {
            return Ok(None);
        }
        let mut state = State { step: u64::try_from(buffers.step).unwrap_or(0), ..State::default() };
        for (index, (buffer, tensor)) in state.buffers.iter_mut().zip(tensors).enumerate() {
            *buffer = tensor.map(|tensor| Tensor::from_tch(Ok(tensor))?.to_data()?.to_buffer(index)).transpose()?;
        }
        Ok(Some(state))
    }
}

/// Fails if libtorch's step would fail at this parameter, after it has updated others.
fn check(descriptor: &ParameterDescriptor, name: impl Fn() -> String) -> Result<()> {
    let (code, what) = if let Some(what) = dtype_fault(descriptor) {
        (Code::Dtype, what)
    } else if descriptor.dtype != FLOAT && descriptor.dtype != DOUBLE {
        (Code::Dtype, "libtorch's own optimizers keep no master weights: use fused true")
    } else if let Some(what) = gradient_fault(descriptor) {
        (Code::Gradient, what)
    } else {
        return Ok(());
    };
    Err(Error::new(code, format!("parameter {} cannot be updated: {what}", name())))
}
