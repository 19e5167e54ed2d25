//! Compiled kernels in a context.

use std::ffi::{CString, c_void};
use std::ptr;
use std::sync::{Arc, Mutex};

use stepwell_optim::fallible::push;
use stepwell_optim::{Code, DeviceModule, Error, Result};

use crate::driver::api::Object;
use crate::driver::context::Context;
use crate::driver::lock::lock;

/// In blocks: the limit of CUDA for the first dimension of a grid.
const MAX_BLOCKS: u32 = i32::MAX as u32;
/// More than any kernel has.
const MAX_ARGUMENTS: usize = 16;

/// A module that stays loaded until the context ends.
pub(crate) struct CudaModule {
    context: Arc<Context>,
    module: Object,
    functions: Mutex<Vec<(&'static str, Object)>>,
}

// SAFETY: objects of the driver, which any thread may use in their context. Each call makes the context current.
unsafe impl Send for CudaModule {}
// SAFETY: as above.
unsafe impl Sync for CudaModule {}

impl CudaModule {
    /// Loads machine code (cubin) or PTX, which ends with 0.
    pub(crate) fn new(context: Arc<Context>, code: &[u8]) -> Result<Self> {
        let mut module = ptr::null_mut();
        context.call("cannot load the compiled kernels", |api| {
            // SAFETY: the code says its own length, or ends with 0.
            unsafe { (api.module_load)(&mut module, code.as_ptr().cast()) }
        })?;
        Ok(Self { context, module, functions: Mutex::default() })
    }

    fn function(&self, kernel: &'static str) -> Result<Object> {
        let mut functions = lock(&self.functions);
        if let Some((_, function)) = functions.iter().find(|(name, _)| *name == kernel) {
            return Ok(*function);
        }
        let symbol = CString::new(kernel).map_err(|error| Error::new(Code::Internal, error.to_string()))?;
        let mut function = ptr::null_mut();
        self.context.call(&format!("finds no kernel `{kernel}`"), |api| {
            // SAFETY: a loaded module and a text that ends with 0.
            unsafe { (api.module_function)(&mut function, self.module, symbol.as_ptr()) }
        })?;
        push(&mut functions, (kernel, function))?;
        Ok(function)
    }
}

impl DeviceModule for CudaModule {
    fn launch(&self, kernel: &'static str, blocks: u32, threads: u32, arguments: &[u64]) -> Result<()> {
        if blocks == 0 {
            return Ok(());
        }
        if blocks > MAX_BLOCKS {
            let message = format!("expected at most {MAX_BLOCKS} chunks in a step on a device, given {blocks}");
            return Err(Error::new(Code::Memory, message));
        }
        let function = self.function(kernel)?;
        let mut pointers = [ptr::null_mut::<c_void>(); MAX_ARGUMENTS];
        if arguments.len() > MAX_ARGUMENTS {
            return Err(Error::new(Code::Internal, format!("a kernel with {} arguments", arguments.len())));
        }
        for (pointer, argument) in pointers.iter_mut().zip(arguments) {
            *pointer = ptr::from_ref(argument).cast_mut().cast();
        }
        let (stream, none) = (self.context.stream(), ptr::null_mut());
        self.context.call("cannot launch a kernel", |api| {
            // SAFETY: the driver reads 8 bytes of each argument before it returns. The caller gives a kernel's own arguments.
            unsafe { (api.launch)(function, blocks, 1, 1, threads, 1, 1, 0, stream, pointers.as_mut_ptr(), none) }
        })
    }
}
