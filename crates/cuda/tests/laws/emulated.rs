//! The emulator of these tests.

use stepwell_cuda::Emulator;
use stepwell_optim::Device;

/// The emulator of this thread, which refuses accesses outside of arrays.
pub(crate) fn emulator() -> &'static dyn Device {
    thread_local! {
        static EMULATOR: &'static Emulator = Box::leak(Box::new(Emulator::checked()));
    }
    EMULATOR.with(|emulator| *emulator as &dyn Device)
}
