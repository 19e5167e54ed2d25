//! The emulated device, which counts what it is asked to do.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use atomic_refcell::AtomicRefCell;
use libloading::Library;
use stepwell_optim::{Code, Device, DeviceMemory, DeviceModule, DeviceRead, Error, Result};

use crate::emulator::compiler::compile;
use crate::emulator::memory::{EmulatorMemory, Range, Ranges};

/// The number of calls since the device was made or [`Emulator::reset_counts`] was called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Allocations.
    pub allocations: usize,
    /// Uploads, none of which waits.
    pub uploads: usize,
    /// In bytes.
    pub uploaded_bytes: usize,
    /// Downloads. Each waits for the device.
    pub downloads: usize,
    /// In bytes.
    pub downloaded_bytes: usize,
    /// Numbers that were read without waiting.
    pub reads: usize,
    /// Questions for such a number before the device had copied it.
    pub waits: usize,
    /// Copies on the device.
    pub copies: usize,
    /// Ranges that were set to zero.
    pub zeros: usize,
    /// Modules that were asked for.
    pub loads: usize,
    /// Launches of kernels.
    pub launches: usize,
}

/// A device whose addresses are host addresses. Calls run at once, in order.
pub struct Emulator {
    shared: Arc<Shared>,
    ranges: Ranges,
    checks: bool,
    memory_limit: AtomicUsize,
    read_delay: AtomicUsize,
    modules: AtomicRefCell<HashMap<String, Arc<EmulatorModule>>>,
}

/// The record of calls, which modules add launches to.
#[derive(Default)]
struct Shared {
    counts: AtomicRefCell<Counts>,
    launched: AtomicRefCell<Vec<&'static str>>,
    /// The number of launches since the device was made.
    all_launches: AtomicUsize,
}

impl Shared {
    fn count(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.counts.borrow_mut());
    }
}

impl Default for Emulator {
    fn default() -> Self {
        Self::new()
    }
}

impl Emulator {
    /// A device without checks of the kernels' accesses.
    pub fn new() -> Self {
        Self {
            shared: Arc::default(),
            ranges: Ranges::default(),
            checks: false,
            memory_limit: AtomicUsize::new(usize::MAX),
            read_delay: AtomicUsize::new(0),
            modules: AtomicRefCell::default(),
        }
    }

    /// A device whose launches fail if a kernel accesses an array outside of allocations and allowed ranges. Undefined
    /// behavior in a kernel ends the process.
    pub fn checked() -> Self {
        Self { checks: true, ..Self::new() }
    }

    /// Allows access to host memory that the device did not allocate, such as a parameter's.
    pub fn allow(&self, address: u64, bytes: usize) {
        self.ranges.add(address, bytes as u64);
    }

    /// Forbids access to a range that was allowed.
    pub fn forbid(&self, address: u64) {
        self.ranges.remove(address);
    }

    /// Makes allocations of more than `bytes` at once fail, as on a device whose memory is full.
    pub fn set_memory_limit(&self, bytes: usize) {
        self.memory_limit.store(bytes, Ordering::Relaxed);
    }

    /// Delays the end of each read by so many launches.
    pub fn set_read_delay(&self, launches: usize) {
        self.read_delay.store(launches, Ordering::Relaxed);
    }

    /// The number of calls.
    pub fn counts(&self) -> Counts {
        *self.shared.counts.borrow()
    }

    /// Sets all numbers of calls to 0, and forgets the launches.
    pub fn reset_counts(&self) {
        *self.shared.counts.borrow_mut() = Counts::default();
        self.shared.launched.borrow_mut().clear();
    }

    /// Names of the launched kernels, in order.
    pub fn launched(&self) -> Vec<&'static str> {
        self.shared.launched.borrow().clone()
    }
}

impl Device for Emulator {
    fn name(&self) -> String {
        "emulator".to_owned()
    }

    fn allocate(&self, bytes: usize) -> Result<Box<dyn DeviceMemory>> {
        self.shared.count(|counts| counts.allocations += 1);
        let limit = self.memory_limit.load(Ordering::Relaxed);
        if bytes > limit {
            let message = format!("emulator: expected at most {limit} bytes, given {bytes}");
            return Err(Error::new(Code::Memory, message));
        }
        Ok(Box::new(EmulatorMemory::new(bytes, self.ranges.clone())))
    }

    fn upload(&self, to: u64, bytes: &[u8]) -> Result<()> {
        self.shared.count(|counts| {
            counts.uploads += 1;
            counts.uploaded_bytes += bytes.len();
        });
        self.ranges.check(to, bytes.len())?;
        // SAFETY: the range is allocated or allowed, and no kernel runs.
        unsafe { pointer(to).copy_from(bytes.as_ptr(), bytes.len()) };
        Ok(())
    }

    fn download(&self, from: u64, bytes: &mut [u8]) -> Result<()> {
        self.shared.count(|counts| {
            counts.downloads += 1;
            counts.downloaded_bytes += bytes.len();
        });
        self.ranges.check(from, bytes.len())?;
        // SAFETY: as above.
        unsafe { pointer(from).copy_to(bytes.as_mut_ptr(), bytes.len()) };
        Ok(())
    }

    fn read(&self, from: u64) -> Result<Box<dyn DeviceRead>> {
        self.shared.count(|counts| counts.reads += 1);
        let mut bytes = [0; 8];
        self.ranges.check(from, bytes.len())?;
        // SAFETY: as above.
        unsafe { pointer(from).copy_to(bytes.as_mut_ptr(), bytes.len()) };
        let over = self.shared.all_launches.load(Ordering::Relaxed) + self.read_delay.load(Ordering::Relaxed);
        Ok(Box::new(EmulatorRead { number: u64::from_ne_bytes(bytes), over, shared: self.shared.clone() }))
    }

    fn copy(&self, from: u64, to: u64, bytes: usize) -> Result<()> {
        self.shared.count(|counts| counts.copies += 1);
        self.ranges.check(from, bytes)?;
        self.ranges.check(to, bytes)?;
        // SAFETY: as above.
        unsafe { pointer(from).copy_to(pointer(to), bytes) };
        Ok(())
    }

    fn zero(&self, to: u64, bytes: usize) -> Result<()> {
        self.shared.count(|counts| counts.zeros += 1);
        self.ranges.check(to, bytes)?;
        // SAFETY: as above.
        unsafe { pointer(to).write_bytes(0, bytes) };
        Ok(())
    }

    fn load(&self, source: &str) -> Result<Arc<dyn DeviceModule>> {
        self.shared.count(|counts| counts.loads += 1);
        if let Some(module) = self.modules.borrow().get(source) {
            return Ok(module.clone());
        }
        let path = compile(source, self.checks)?;
        // SAFETY: the library has no initializers.
        let library = unsafe { Library::new(path) }.map_err(symbol_error)?;
        let (shared, ranges) = (self.shared.clone(), self.ranges.clone());
        let module = Arc::new(EmulatorModule { library, shared, ranges, checks: self.checks });
        self.modules.borrow_mut().insert(source.to_owned(), module.clone());
        Ok(module)
    }
}

/// A number that counts as copied after some launches.
struct EmulatorRead {
    number: u64,
    /// The number of launches since the device was made, at which the copy is over.
    over: usize,
    shared: Arc<Shared>,
}

impl DeviceRead for EmulatorRead {
    fn is_over(&self) -> Result<bool> {
        Ok(self.shared.all_launches.load(Ordering::Relaxed) >= self.over)
    }

    fn number(&self) -> Result<u64> {
        if !self.is_over()? {
            self.shared.count(|counts| counts.waits += 1);
        }
        Ok(self.number)
    }
}

/// The pointer of an address.
fn pointer(address: u64) -> *mut u8 {
    std::ptr::with_exposed_provenance_mut(address as usize)
}

fn symbol_error(error: libloading::Error) -> Error {
    Error::new(Code::Internal, format!("emulator: {error}"))
}

/// Kernels as functions of a library.
struct EmulatorModule {
    library: Library,
    shared: Arc<Shared>,
    ranges: Ranges,
    checks: bool,
}

/// A kernel: runs one block.
type Kernel = unsafe extern "C" fn(block: u32, blocks: u32, arguments: *const u64);
/// Sets the ranges of the checked build.
type SetRanges = unsafe extern "C" fn(ranges: *const Range, count: u64) -> u64;

impl DeviceModule for EmulatorModule {
    fn launch(&self, kernel: &'static str, blocks: u32, threads: u32, arguments: &[u64]) -> Result<()> {
        self.shared.count(|counts| counts.launches += 1);
        self.shared.launched.borrow_mut().push(kernel);
        self.shared.all_launches.fetch_add(1, Ordering::Relaxed);
        if threads != stepwell_optim::BLOCK_THREADS || blocks == 0 {
            let message = format!("emulator: {kernel}: given {blocks} blocks of {threads} threads");
            return Err(Error::new(Code::Internal, message));
        }
        // SAFETY: every kernel of the text has this type.
        let function = unsafe { self.library.get::<Kernel>(kernel) }.map_err(symbol_error)?;
        let ranges = self.ranges.list();
        let mut set_ranges = None;
        if self.checks {
            // SAFETY: the checked build has this function.
            set_ranges = Some(unsafe { self.library.get::<SetRanges>("emulator_set_ranges") }.map_err(symbol_error)?);
        }
        if let Some(set_ranges) = &set_ranges {
            // SAFETY: the list outlives the launch.
            unsafe { set_ranges(ranges.as_ptr(), ranges.len() as u64) };
        }
        for block in 0..blocks {
            // SAFETY: the caller's tables hold valid addresses, which the checked build verifies.
            unsafe { function(block, blocks, arguments.as_ptr()) };
        }
        // SAFETY: as above.
        let violation = set_ranges.map_or(0, |set_ranges| unsafe { set_ranges(std::ptr::null(), 0) });
        if violation != 0 {
            let message = format!("emulator: {kernel} accessed memory outside of its arrays, at {violation:#x}");
            return Err(Error::new(Code::Internal, message));
        }
        Ok(())
    }
}
