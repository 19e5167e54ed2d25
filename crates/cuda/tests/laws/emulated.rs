//! The emulator of these tests.

use std::sync::Arc;

use stepwell_cuda::Emulator;
use stepwell_optim::Device;

thread_local! {
    static EMULATOR: Arc<Emulator> = Arc::new(Emulator::checked());
    static DEVICE: &'static Arc<dyn Device> = Box::leak(Box::new(EMULATOR.with(|emulator| emulator.clone() as Arc<dyn Device>)));
}

/// The emulator of this thread, which refuses accesses outside of arrays.
pub(crate) fn emulator() -> &'static Arc<dyn Device> {
    DEVICE.with(|device| *device)
}

/// Makes the host learn the outcome of a step after so many launches, unless it waits.
pub(crate) fn set_read_delay(launches: usize) {
    EMULATOR.with(|emulator| emulator.set_read_delay(launches));
}
