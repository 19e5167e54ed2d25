//! A CUDA device that runs the kernels of a step.

use std::ffi::c_void;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use stepwell_optim::fallible::push;
use stepwell_optim::{Device, DeviceMemory, DeviceModule, DeviceRead, Result};

use crate::driver::compiler::Compiler;
use crate::driver::context::Context;
use crate::driver::lock::lock;
use crate::driver::module::CudaModule;
use crate::driver::number_reads::NumberReads;
use crate::driver::upload_ring::UploadRing;

/// A function that allocates bytes on the device.
pub type Allocate = dyn Fn(usize) -> Result<Box<dyn DeviceMemory>> + Send + Sync;

/// Settings of a [`CudaDevice`].
pub struct CudaSettings {
    /// The number of the device, as the driver counts.
    pub ordinal: usize,
    /// Folders that may have NVRTC.
    pub nvrtc_folders: Vec<PathBuf>,
    /// The folder of compiled kernels; `None` stores none.
    pub cache_folder: Option<PathBuf>,
    /// Allocates memory of the device, for work on the current stream.
    pub allocate: Box<Allocate>,
}

/// A CUDA device, in its primary context.
pub struct CudaDevice {
    context: Arc<Context>,
    uploads: Mutex<UploadRing>,
    reads: NumberReads,
    compiler: Compiler,
    /// Sources with their modules, which stay loaded: unloading one would wait for the device.
    modules: Mutex<Vec<(Box<str>, Arc<CudaModule>)>>,
    allocate: Box<Allocate>,
}

impl CudaDevice {
    /// Loads the driver and retains the device's primary context.
    ///
    /// # Errors
    /// [`Code::Device`](stepwell_optim::Code::Device) without a driver or such a device.
    pub fn new(settings: CudaSettings) -> Result<Self> {
        let CudaSettings { ordinal, nvrtc_folders, cache_folder, allocate } = settings;
        let context = Arc::new(Context::new(ordinal)?);
        Ok(Self {
            uploads: Mutex::new(UploadRing::new(Arc::clone(&context))),
            reads: NumberReads::new(Arc::clone(&context)),
            context,
            compiler: Compiler::new(nvrtc_folders, cache_folder),
            modules: Mutex::default(),
            allocate,
        })
    }

    /// Sets the stream of the work to come, which then follows all earlier work. 0 is the default stream.
    ///
    /// # Errors
    /// [`Code::Device`](stepwell_optim::Code::Device)
    pub fn set_stream(&self, stream: u64) -> Result<()> {
        let stream = stream as usize as *mut c_void;
        if stream != self.context.stream() {
            lock(&self.uploads).close_buffer()?;
            self.context.set_stream(stream)?;
        }
        Ok(())
    }
}

impl Device for CudaDevice {
    fn name(&self) -> String {
        self.context.name.clone()
    }

    fn allocate(&self, bytes: usize) -> Result<Box<dyn DeviceMemory>> {
        (self.allocate)(bytes)
    }

    fn upload(&self, to: u64, bytes: &[u8]) -> Result<()> {
        lock(&self.uploads).upload(to, bytes)
    }

    fn download(&self, from: u64, bytes: &mut [u8]) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let stream = self.context.stream();
        self.context.call("cannot copy to the host", |api| {
            // SAFETY: as many bytes as the slice has; the copy is over before the call returns. The caller gives the address.
            unsafe {
                match (api.copy_to_host)(bytes.as_mut_ptr().cast(), from, bytes.len(), stream) {
                    0 => (api.stream_wait)(stream),
                    status => status,
                }
            }
        })
    }

    fn read(&self, from: u64) -> Result<Box<dyn DeviceRead>> {
        self.reads.start(from)
    }

    fn copy(&self, from: u64, to: u64, bytes: usize) -> Result<()> {
        if bytes == 0 {
            return Ok(());
        }
        let stream = self.context.stream();
        // SAFETY: the caller gives ranges of the device that do not overlap.
        self.context.call("cannot copy", |api| unsafe { (api.copy_on_device)(to, from, bytes, stream) })
    }

    fn zero(&self, to: u64, bytes: usize) -> Result<()> {
        if bytes == 0 {
            return Ok(());
        }
        let stream = self.context.stream();
        // SAFETY: the caller gives a range of the device.
        self.context.call("cannot set memory to zero", |api| unsafe { (api.set_bytes)(to, 0, bytes, stream) })
    }

    fn load(&self, source: &str) -> Result<Arc<dyn DeviceModule>> {
        let mut modules = lock(&self.modules);
        if let Some((_, module)) = modules.iter().find(|(known, _)| **known == *source) {
            return Ok(Arc::clone(module) as Arc<dyn DeviceModule>);
        }
        let capability = self.context.capability()?;
        let context = &self.context;
        let load = |code: &[u8]| Ok(Arc::new(CudaModule::new(Arc::clone(context), code)?));
        let module = self.compiler.compiled(source, capability, load)?;
        push(&mut modules, (source.into(), Arc::clone(&module)))?;
        Ok(module)
    }
}
