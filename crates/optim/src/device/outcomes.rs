//! The outcomes of steps that a device decides on, and that the host learns later.

use std::collections::VecDeque;

use crate::device::device::{Device, DeviceRead};
use crate::error::Result;

/// The most steps whose outcomes the host does not know. A step after more of them waits for the oldest. The constants
/// of a step are uploaded once more for each.
pub(crate) const MAX_UNKNOWN: u32 = 32;

/// In steps. The host reads the count of skipped steps once in so many, or sooner if no read is on its way. So a step that
/// waits for the oldest read does not wait for recent steps.
const READ_INTERVAL: u32 = 8;

/// A count of skipped steps that is on its way to the host.
struct CountRead {
    read: Box<dyn DeviceRead>,
    /// The number of unknown steps that the count includes.
    steps: u32,
}

/// The steps that the device may have skipped. All of them have the parameters of the last one.
#[derive(Default)]
pub(super) struct Outcomes {
    /// The count of [`Control::skipped`](crate::Control::skipped) that the host knows.
    skipped: u64,
    /// The number of steps after that count.
    unknown: u32,
    /// In the order of their steps. A later count includes the steps of an earlier one.
    reads: VecDeque<CountRead>,
}

impl Outcomes {
    /// The count of skipped steps that the host knows.
    pub(super) fn skipped(&self) -> u64 {
        self.skipped
    }

    /// The number of steps whose outcomes the host does not know.
    pub(super) fn unknown(&self) -> u32 {
        self.unknown
    }

    /// Adds a step whose kernels were launched. `count` is the address of the count of skipped steps.
    pub(super) fn add(&mut self, device: &dyn Device, count: u64) {
        self.unknown += 1;
        if self.reads.back().is_none_or(|last| last.steps + READ_INTERVAL <= self.unknown) {
            // If the device refuses, a later step or question starts the read.
            let _ = self.start(device, count);
        }
    }

    fn start(&mut self, device: &dyn Device, count: u64) -> Result<()> {
        self.reads.push_back(CountRead { read: device.read(count)?, steps: self.unknown });
        Ok(())
    }

    /// Learns outcomes that the host has; waits if more than `most` are unknown. Returns how many of the steps the
    /// device has skipped; `None` if nothing is learned.
    pub(super) fn learn(&mut self, device: &dyn Device, count: u64, most: u32) -> Result<Option<u64>> {
        let waits = self.unknown > most;
        if waits && self.reads.is_empty() {
            self.start(device, count)?;
        }
        let Some(first) = self.reads.front() else { return Ok(None) };
        if !waits && !first.read.is_over()? {
            return Ok(None);
        }
        let (skipped, steps) = (first.read.number()?, first.steps);
        self.reads.pop_front();
        self.reads.iter_mut().for_each(|later| later.steps -= steps);
        let learned = skipped - self.skipped;
        (self.skipped, self.unknown) = (skipped, self.unknown - steps);
        Ok(Some(learned))
    }
}
