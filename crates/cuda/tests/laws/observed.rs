//! A device that counts the calls of its functions, and refuses one of them if asked to.

use std::sync::{Arc, Mutex};

use stepwell_optim::{Code, Device, DeviceMemory, DeviceModule, DeviceRead, Error, Result};

/// The numbers of calls since the last reset, by kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Calls {
    pub(crate) allocations: usize,
    pub(crate) uploads: usize,
    pub(crate) downloads: usize,
    /// Numbers that were read without waiting.
    pub(crate) reads: usize,
    /// Questions for such a number before the device had copied it.
    pub(crate) waits: usize,
    pub(crate) copies: usize,
    pub(crate) zeros: usize,
    pub(crate) loads: usize,
    /// The kernels in the order of the launches.
    pub(crate) launches: Vec<&'static str>,
}

#[derive(Default)]
struct Log {
    calls: Mutex<Calls>,
    /// In bytes, all uploads since the last reset.
    uploaded: Mutex<usize>,
    /// The number of calls until one is refused; `None` for no refusal.
    until_refusal: Mutex<Option<usize>>,
}

/// A device that passes calls on to another one.
pub(crate) struct Observed {
    device: Arc<dyn Device>,
    log: Arc<Log>,
}

struct ObservedModule {
    module: Arc<dyn DeviceModule>,
    log: Arc<Log>,
}

impl Log {
    /// Counts a call, or refuses it.
    fn call(&self, count: impl FnOnce(&mut Calls)) -> Result<()> {
        let mut until_refusal = self.until_refusal.lock().unwrap();
        match *until_refusal {
            Some(0) => {
                *until_refusal = None;
                return Err(Error::new(Code::Memory, "refused"));
            }
            Some(rest) => *until_refusal = Some(rest - 1),
            None => {}
        }
        count(&mut self.calls.lock().unwrap());
        Ok(())
    }
}

impl Observed {
    pub(crate) fn new(device: &Arc<dyn Device>) -> Arc<Self> {
        Arc::new(Self { device: Arc::clone(device), log: Arc::default() })
    }

    /// The device as a step takes it.
    pub(crate) fn shared(self: &Arc<Self>) -> Arc<dyn Device> {
        Arc::clone(self) as Arc<dyn Device>
    }

    /// The calls since the last time.
    pub(crate) fn take_calls(&self) -> Calls {
        std::mem::take(&mut self.log.calls.lock().unwrap())
    }

    /// The bytes of the uploads since the last time.
    pub(crate) fn take_uploaded_bytes(&self) -> usize {
        std::mem::take(&mut self.log.uploaded.lock().unwrap())
    }

    /// Refuses the call after this number of calls.
    pub(crate) fn refuse_after(&self, calls: usize) {
        *self.log.until_refusal.lock().unwrap() = Some(calls);
    }

    /// Ends the refusal. Returns false if a call was refused.
    pub(crate) fn allow(&self) -> bool {
        self.log.until_refusal.lock().unwrap().take().is_some()
    }
}

impl Device for Observed {
    fn name(&self) -> String {
        self.device.name()
    }

    fn allocate(&self, bytes: usize) -> Result<Box<dyn DeviceMemory>> {
        self.log.call(|calls| calls.allocations += 1)?;
        self.device.allocate(bytes)
    }

    fn upload(&self, to: u64, bytes: &[u8]) -> Result<()> {
        self.log.call(|calls| calls.uploads += 1)?;
        *self.log.uploaded.lock().unwrap() += bytes.len();
        self.device.upload(to, bytes)
    }

    fn download(&self, from: u64, bytes: &mut [u8]) -> Result<()> {
        self.log.call(|calls| calls.downloads += 1)?;
        self.device.download(from, bytes)
    }

    fn read(&self, from: u64) -> Result<Box<dyn DeviceRead>> {
        self.log.call(|calls| calls.reads += 1)?;
        Ok(Box::new(ObservedRead { read: self.device.read(from)?, log: Arc::clone(&self.log) }))
    }

    fn copy(&self, from: u64, to: u64, bytes: usize) -> Result<()> {
        self.log.call(|calls| calls.copies += 1)?;
        self.device.copy(from, to, bytes)
    }

    fn zero(&self, to: u64, bytes: usize) -> Result<()> {
        self.log.call(|calls| calls.zeros += 1)?;
        self.device.zero(to, bytes)
    }

    fn load(&self, source: &str) -> Result<Arc<dyn DeviceModule>> {
        self.log.call(|calls| calls.loads += 1)?;
        Ok(Arc::new(ObservedModule { module: self.device.load(source)?, log: Arc::clone(&self.log) }))
    }
}

struct ObservedRead {
    read: Box<dyn DeviceRead>,
    log: Arc<Log>,
}

impl DeviceRead for ObservedRead {
    fn is_over(&self) -> Result<bool> {
        self.read.is_over()
    }

    fn number(&self) -> Result<u64> {
        if !self.is_over()? {
            self.log.calls.lock().unwrap().waits += 1;
        }
        self.read.number()
    }
}

impl DeviceModule for ObservedModule {
    fn launch(&self, kernel: &'static str, blocks: u32, threads: u32, arguments: &[u64]) -> Result<()> {
        self.log.call(|calls| calls.launches.push(kernel))?;
        self.module.launch(kernel, blocks, threads, arguments)
    }
}
