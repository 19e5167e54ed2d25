//! The state that a step makes on a device: buffers that are new, come from the host or get another type.

use std::mem;
use std::sync::Arc;

use crate::device::buffer::{DeviceBuffer, upload};
use crate::device::device::{Device, DeviceMemory, DeviceView, is_same};
use crate::device::state::DeviceState;
use crate::error::Result;
use crate::fallible::{filled, out_of_memory, push, with_capacity};
use crate::state::buffer::{Buffer, BufferType};
use crate::state::group::Group;
use crate::state::param_state::{MASTER, MAX_BUFFERS, PARAM_AVERAGE};
use crate::sweep::erased_rule::ErasedRule;
use crate::sweep::new_state::{Created, wanted_buffer};

/// In bytes. Buffers start at a multiple of it: the size of a line of a GPU's L2 cache.
const BUFFER_ALIGNMENT: usize = 128;
/// In bytes. The part of a fill that is uploaded; the rest is copied on the device.
const FILL_BYTES: usize = 1 << 16;

/// The content of a new buffer.
enum Content {
    /// The bits of an element, repeated to eight bytes.
    Fill([u8; 8]),
    /// The elements of the host's buffer.
    Host,
    /// The elements of a buffer of another type, or on another device.
    Device(DeviceBuffer),
}

/// A buffer that a step creates.
struct PlannedBuffer {
    group: usize,
    /// Index in the group.
    parameter: usize,
    buffer_index: usize,
    element: BufferType,
    /// In elements.
    length: usize,
    /// Index of the device.
    device: usize,
    /// In bytes. The offset in the allocation on the device.
    start: usize,
    content: Content,
}

/// The buffers that are missing on the device or have another type than the step needs.
pub(super) struct StatePlan {
    planned: Vec<PlannedBuffer>,
    /// Of the allocation on each device.
    bytes: Vec<usize>,
    /// True if master weights are left over from the time before a parameter got 32 bits.
    drops_masters: bool,
    /// One entry for each view.
    pub(super) created: Vec<Created>,
}

impl DeviceState {
    /// Plans the buffers that are missing or have another type than this step needs. Changes nothing.
    pub(super) fn plan(
        &self,
        rule: &dyn ErasedRule,
        groups: &[Group],
        views: &[Option<DeviceView>],
        devices: &[Arc<dyn Device>],
    ) -> Result<StatePlan> {
        let created = filled(views.len(), Created::default())?;
        let mut plan =
            StatePlan { planned: Vec::new(), bytes: filled(devices.len(), 0)?, drops_masters: false, created };
        let states = groups.iter().zip(&self.groups).flat_map(|(group, buffers)| group.states.iter().zip(buffers));
        for ((host, buffers), view) in states.zip(views) {
            let has_master =
                buffers[MASTER].is_some() || host.as_ref().is_some_and(|host| host.buffers[MASTER].is_some());
            plan.drops_masters |= has_master && view.as_ref().is_some_and(|view| !view.element.is_16_bit());
        }
        for buffer_index in 0..MAX_BUFFERS {
            let mut slots = views.iter().enumerate();
            for (group, members) in groups.iter().enumerate() {
                for (parameter, (state, (view_index, view))) in members.states.iter().zip(&mut slots).enumerate() {
                    let Some(view) = view else { continue };
                    let Some((fill, element)) = wanted_buffer(rule, group, view.element, buffer_index)? else {
                        continue;
                    };
                    let own = self.groups[group][parameter][buffer_index].as_ref();
                    let own = own.filter(|buffer| buffer.length == view.length);
                    let is_there = |own: &DeviceBuffer| is_same(&own.device, &devices[view.device]);
                    if own.is_some_and(|own| own.element == element && is_there(own)) {
                        continue;
                    }
                    let host = state.as_ref().and_then(|state| state.buffers[buffer_index].as_ref());
                    let content = match own {
                        Some(own) => Content::Device(own.clone()),
                        None if host.is_some_and(|host| host.len() == view.length) => Content::Host,
                        None => {
                            plan.created[view_index].mark(buffer_index);
                            // A step refreshes master weights that do not round to the parameter, as NaN does not.
                            let fill = if buffer_index == MASTER { f64::NAN } else { fill };
                            Content::Fill(element.pattern(fill))
                        }
                    };
                    let bytes = view.length.checked_mul(element.element_bytes());
                    let end = bytes
                        .and_then(|bytes| bytes.checked_next_multiple_of(BUFFER_ALIGNMENT))
                        .and_then(|bytes| bytes.checked_add(plan.bytes[view.device]))
                        .ok_or_else(|| out_of_memory(usize::MAX))?;
                    let (device, start, length) = (view.device, plan.bytes[view.device], view.length);
                    plan.bytes[device] = end;
                    push(
                        &mut plan.planned,
                        PlannedBuffer { group, parameter, buffer_index, element, length, device, start, content },
                    )?;
                }
            }
        }
        Ok(plan)
    }
}

impl StatePlan {
    /// True if the step changes no buffers but their elements.
    pub(super) fn is_empty(&self) -> bool {
        self.planned.is_empty() && !self.drops_masters
    }

    /// Makes the buffers in one allocation on each device, and sets their elements. Changes no other state.
    pub(super) fn make(&self, devices: &[Arc<dyn Device>], groups: &[Group]) -> Result<Vec<DeviceBuffer>> {
        let mut buffers = with_capacity(self.planned.len())?;
        let mut allocations: Vec<Option<Arc<dyn DeviceMemory>>> = with_capacity(devices.len())?;
        for (device, bytes) in devices.iter().zip(&self.bytes) {
            let memory: Option<Arc<dyn DeviceMemory>> = match bytes {
                0 => None,
                bytes => Some(Arc::from(device.allocate(*bytes)?)),
            };
            if let Some(memory) = &memory {
                // Most buffers start at zero.
                device.zero(memory.address(), *bytes)?;
            }
            allocations.push(memory);
        }
        let first = |device: usize| allocations[device].as_ref().map_or(0, |memory| memory.address());
        for run in self.planned.chunk_by(|a, b| a.has_fill_of(b)) {
            if let [PlannedBuffer { content: Content::Fill(pattern), device, start, .. }, ..] = run
                && *pattern != [0; 8]
            {
                let bytes = run.iter().map(PlannedBuffer::padded_bytes).sum();
                fill(&*devices[*device], first(*device) + *start as u64, bytes, *pattern)?;
            }
        }
        for planned in &self.planned {
            let PlannedBuffer { group, parameter, buffer_index, element, length, device, start, content } = planned;
            let address = if *length == 0 { 0 } else { first(*device) + *start as u64 };
            let host = groups[*group].states[*parameter].as_ref().and_then(|s| s.buffers[*buffer_index].as_ref());
            let memory = allocations[*device].clone();
            let device = Arc::clone(&devices[*device]);
            match content {
                _ if *length == 0 => {}
                Content::Fill(_) => {}
                Content::Host => {
                    if let Some(host) = host {
                        upload(&*device, address, *element, host)?;
                    }
                }
                Content::Device(before) => {
                    upload(&*device, address, *element, &before.download(*buffer_index)?)?;
                }
            }
            buffers.push(DeviceBuffer { device, address, element: *element, length: *length, memory });
        }
        Ok(buffers)
    }

    /// Moves the buffers into the state. Returns the places that they took.
    ///
    /// # Errors
    /// [`Code::Memory`](crate::Code::Memory). An error changes nothing.
    pub(super) fn install(
        self,
        buffers: Vec<DeviceBuffer>,
        state: &mut DeviceState,
        groups: &mut [Group],
        views: &[Option<DeviceView>],
    ) -> Result<Vec<ReplacedBuffer>> {
        let masters = if self.drops_masters { views.len() } else { 0 };
        let mut replaced = with_capacity(self.planned.len() + masters)?;
        for (PlannedBuffer { group, parameter, buffer_index, .. }, buffer) in self.planned.into_iter().zip(buffers) {
            replaced.push(ReplacedBuffer::replace(state, groups, [group, parameter, buffer_index], Some(buffer)));
        }
        if self.drops_masters {
            // Master weights from the time before a parameter got 32 bits.
            let mut slots = views.iter();
            for group in 0..groups.len() {
                for (parameter, view) in (0..groups[group].states.len()).zip(&mut slots) {
                    if view.as_ref().is_some_and(|view| !view.element.is_16_bit()) {
                        replaced.push(ReplacedBuffer::replace(state, groups, [group, parameter, MASTER], None));
                    }
                }
            }
        }
        Ok(replaced)
    }
}

/// A buffer as it was before a step replaced it.
pub(super) struct ReplacedBuffer {
    /// Group, index in the group, and index of the buffer.
    pub(super) place: [usize; 3],
    device: Option<DeviceBuffer>,
    host: Option<Buffer>,
}

impl ReplacedBuffer {
    /// Puts a buffer on the device in the place of those on device and host.
    fn replace(state: &mut DeviceState, groups: &mut [Group], place: [usize; 3], buffer: Option<DeviceBuffer>) -> Self {
        let [group, parameter, index] = place;
        let device = mem::replace(&mut state.groups[group][parameter][index], buffer);
        let host = groups[group].states[parameter].as_mut().and_then(|host| host.buffers[index].take());
        Self { place, device, host }
    }

    /// Undoes the replacement.
    pub(super) fn restore(self, state: &mut DeviceState, groups: &mut [Group]) {
        let [group, parameter, index] = self.place;
        state.groups[group][parameter][index] = self.device;
        if let Some(host) = &mut groups[group].states[parameter] {
            host.buffers[index] = self.host;
        }
    }
}

impl PlannedBuffer {
    /// True if both are filled with one pattern. Buffers that follow each other in a plan and have one device are adjacent
    /// in its allocation.
    fn has_fill_of(&self, other: &Self) -> bool {
        let is_equal = matches!((&self.content, &other.content), (Content::Fill(a), Content::Fill(b)) if a == b);
        is_equal && self.device == other.device
    }

    /// In bytes, with the padding after the buffer.
    fn padded_bytes(&self) -> usize {
        (self.length * self.element.element_bytes()).next_multiple_of(BUFFER_ALIGNMENT)
    }
}

impl Created {
    /// Marks a created buffer.
    fn mark(&mut self, buffer_index: usize) {
        match buffer_index {
            MASTER => {}
            PARAM_AVERAGE => self.param_average = true,
            _ => self.rule_buffers = true,
        }
    }
}

/// Fills memory with a pattern. `bytes` is a multiple of 8.
fn fill(device: &dyn Device, to: u64, bytes: usize, pattern: [u8; 8]) -> Result<()> {
    let mut finished = bytes.min(FILL_BYTES);
    let block = filled(finished / pattern.len(), pattern)?;
    if finished > 0 {
        device.upload(to, block.as_flattened())?;
    }
    while finished < bytes {
        let next = finished.min(bytes - finished);
        device.copy(to, to + finished as u64, next)?;
        finished += next;
    }
    Ok(())
}
