//! The tables of a step on a device, kept there while parameters, options and state stay equal.

use std::mem::offset_of;
use std::sync::Arc;

use crate::device::device::{Device, DeviceMemory, DeviceModule, DeviceView};
use crate::device::layout::{
    BLOCK_THREADS, ChunkEntry, ConstantsRow, Control, FactorEntry, KernelArguments, SquaresEntry, StepSettings,
    TensorEntry, bytes_of, bytes_of_mut,
};
use crate::device::source::{Variant, constants_row, source};
use crate::device::state::DeviceState;
use crate::error::Result;
use crate::fallible::{copied, filled, push, reserve};
use crate::rule::StepInputs;
use crate::state::group::Group;
use crate::state::param_state::PARAM_AVERAGE;
use crate::state::view::Element;
use crate::sweep::chunk::CHUNK_LEN;
use crate::sweep::erased_rule::ErasedRule;
use crate::sweep::new_state::{Created, bfloat16_buffers};

/// In bytes. Each table starts at a multiple of it.
const TABLE_ALIGNMENT: usize = 16;

/// In bytes. The offset of the count of skipped steps, which outlives a step.
const SKIPPED: usize = offset_of!(Control, skipped);

/// The inputs of a row of constants: the group, its step before this one, and whether it computes in f64.
type RowKey = (usize, StepInputs, bool);

/// The parameter of a tensor.
#[derive(Clone, Copy)]
struct Owner {
    group: usize,
    /// Index in the group.
    parameter: usize,
}

/// The tables of the parameters on one device, on the host and there.
pub(super) struct Tables {
    device: Arc<dyn Device>,
    tensors: Vec<TensorEntry>,
    chunks: Vec<ChunkEntry>,
    row_keys: Vec<RowKey>,
    /// One entry for each tensor.
    owners: Vec<Owner>,
    /// Settings and rows of a step, as bytes for one upload.
    constants: Vec<u8>,
    /// The numbers of skipped steps that there is memory for constants of.
    candidates: usize,
    /// Variants of this step and of earlier steps, since a compilation takes much longer than a step.
    variants: Vec<Variant>,
    /// The kernels for `variants`.
    module: Option<Arc<dyn DeviceModule>>,
    memory: Option<Box<dyn DeviceMemory>>,
    arguments: KernelArguments,
    /// True if the device has the tensors or chunks of an earlier step.
    stale_tensors: bool,
    stale_chunks: bool,
}

impl Tables {
    pub(super) fn new(device: Arc<dyn Device>) -> Self {
        Self {
            device,
            tensors: Vec::new(),
            chunks: Vec::new(),
            row_keys: Vec::new(),
            owners: Vec::new(),
            constants: Vec::new(),
            candidates: 0,
            variants: Vec::new(),
            module: None,
            memory: None,
            arguments: KernelArguments::default(),
            stale_tensors: false,
            stale_chunks: false,
        }
    }

    /// The device.
    pub(super) fn device(&self) -> &Arc<dyn Device> {
        &self.device
    }

    /// True if there are no elements.
    pub(super) fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// Makes the tables of the views on the device with this index, and reserves their memory there.
    pub(super) fn build(
        &mut self,
        index_of_device: usize,
        rule: &dyn ErasedRule,
        groups: &[Group],
        views: &[Option<DeviceView>],
        created: &[Created],
        candidates: usize,
    ) -> Result<()> {
        let (mut tensors, mut chunks, mut variants) = (Vec::new(), Vec::new(), copied(&self.variants)?);
        let (mut row_keys, mut owners) = (Vec::new(), Vec::new());
        let mut slots = views.iter().zip(created);
        for (group, members) in groups.iter().enumerate() {
            let (kernel, shared) = (rule.kernel_index(group), rule.shared(group));
            for (parameter, (state, (view, created))) in members.states.iter().zip(&mut slots).enumerate() {
                let Some(view) = view.filter(|view| view.device == index_of_device) else { continue };
                let DeviceView { parameter: address, gradient, length, element, .. } = view;
                let variant = Variant { kernel, element, bfloat16_buffers: bfloat16_buffers(rule, group, None) };
                let variant = position_or_push(&mut variants, variant)?;
                let step_count = state.as_ref().map_or(0, |state| state.step);
                let step = StepInputs { step_count, created: created.rule_buffers, gradient_norm: 0.0 };
                let key = (group, step, element == Element::Double);
                // Most tensors have the constants of the one before.
                if row_keys.last() != Some(&key) {
                    push(&mut row_keys, key)?;
                }
                let first_chunk = chunks.len();
                for start in (0..length).step_by(CHUNK_LEN) {
                    let chunk = ChunkEntry {
                        tensor: tensors.len() as u32,
                        length: CHUNK_LEN.min(length - start) as u32,
                        start: start as u64,
                    };
                    push(&mut chunks, chunk)?;
                }
                push(&mut owners, Owner { group, parameter })?;
                let tensor = TensorEntry {
                    parameter: address,
                    gradient,
                    length: length as u64,
                    average_decay: shared.average.unwrap_or_default(),
                    first_chunk: first_chunk as u32,
                    chunks: (chunks.len() - first_chunk) as u32,
                    row: (row_keys.len() - 1) as u32,
                    variant: variant as u32,
                    created_average: u32::from(created.param_average),
                    ..TensorEntry::default()
                };
                push(&mut tensors, tensor)?;
            }
        }
        self.stale_chunks |= chunks != self.chunks;
        (self.tensors, self.stale_tensors, self.chunks) = (tensors, true, chunks);
        (self.row_keys, self.owners, self.candidates) = (row_keys, owners, candidates);
        if self.is_empty() {
            return Ok(());
        }
        if self.module.is_none() || self.variants != variants {
            self.module = None;
            self.module = Some(self.device.load(&source(rule, &variants)?)?);
            self.variants = variants;
        }
        self.allocate()?;
        // A step that failed may have left counters of finished blocks.
        self.device.zero(self.arguments.control, SKIPPED)?;
        self.device.zero(self.arguments.factors, self.tensors.len() * size_of::<FactorEntry>())
    }

    /// Places the tables in one allocation, and keeps the one that there is if it has the size. The results of norms stand
    /// first, and the count of skipped steps moves to a new allocation.
    fn allocate(&mut self) -> Result<()> {
        let device = &*self.device;
        let [tensors, chunks, rows] = [self.tensors.len(), self.chunks.len(), self.row_keys.len()];
        let constants = size_of::<StepSettings>() + self.candidates * rows * size_of::<ConstantsRow>();
        reserve(&mut self.constants, constants)?;
        let sizes = [
            size_of::<Control>(),
            constants,
            tensors * size_of::<TensorEntry>(),
            chunks * size_of::<ChunkEntry>(),
            chunks * size_of::<SquaresEntry>(),
            tensors * size_of::<FactorEntry>(),
        ];
        let mut bytes = 0;
        let starts = sizes.map(|size: usize| {
            let start = bytes;
            bytes += size.next_multiple_of(TABLE_ALIGNMENT);
            start as u64
        });
        if self.memory.as_ref().is_none_or(|memory| memory.bytes() < bytes) {
            let memory = device.allocate(bytes)?;
            device.zero(memory.address(), size_of::<Control>())?;
            if let Some(before) = &self.memory {
                let [from, to] = [before.address(), memory.address()].map(|control| control + SKIPPED as u64);
                device.copy(from, to, size_of::<u64>())?;
            }
            self.memory = Some(memory);
        }
        let first = self.memory.as_ref().map_or(0, |memory| memory.address());
        let [control, settings, tensors, chunks, squares, factors] = starts.map(|start| first + start);
        let rows = settings + size_of::<StepSettings>() as u64;
        let arguments = KernelArguments { tensors, chunks, rows, settings, control, squares, factors };
        self.stale_chunks |= self.arguments != arguments;
        self.arguments = arguments;
        Ok(())
    }

    /// Sets the addresses of the state buffers.
    pub(super) fn set_buffers(&mut self, rule: &dyn ErasedRule, state: &DeviceState) {
        for (tensor, owner) in self.tensors.iter_mut().zip(&self.owners) {
            let buffers = &state.groups[owner.group][owner.parameter];
            for (address, buffer) in tensor.buffers.iter_mut().zip(buffers) {
                *address = buffer.as_ref().map_or(0, |buffer| buffer.address);
            }
            if rule.shared(owner.group).average.is_none() {
                // An average from the time before the option was turned off stays unchanged.
                tensor.buffers[PARAM_AVERAGE] = 0;
            }
        }
        self.stale_tensors = true;
    }

    /// Removes the marks of created state, once a step has used them.
    pub(super) fn clear_created(&mut self) {
        for (_, step, _) in &mut self.row_keys {
            step.created = false;
        }
        for tensor in &mut self.tensors {
            self.stale_tensors |= tensor.created_average != 0;
            tensor.created_average = 0;
        }
    }

    /// The address of the count of skipped steps.
    pub(super) fn skipped(&self) -> u64 {
        self.arguments.control + SKIPPED as u64
    }

    /// The numbers of skipped steps, from 0 on, that there is memory for constants of.
    pub(super) fn candidates(&self) -> usize {
        self.candidates
    }

    /// Uploads the settings of a step, and the constants of each row for its next step. There are rows for no skipped step
    /// among the `unknown` ones, for one, and so on. `gradient_norm` is 0 if the device computes it.
    pub(super) fn upload_constants(
        &mut self,
        rule: &mut dyn ErasedRule,
        settings: StepSettings,
        unknown: u32,
        gradient_norm: f64,
    ) -> Result<()> {
        let candidates = 0..=u64::from(unknown);
        rule.clear_constants();
        rule.reserve_constants(candidates.clone().count() * self.row_keys.len())?;
        for skipped in candidates.clone() {
            for (group, step, _) in &self.row_keys {
                rule.push_constants(
                    *group,
                    StepInputs { step_count: step.step_count + 1 - skipped, gradient_norm, ..*step },
                );
            }
        }
        let settings = StepSettings { rows: self.row_keys.len() as u32, chunks: self.chunks.len() as u32, ..settings };
        self.constants.clear();
        self.constants.extend_from_slice(bytes_of(&[settings]));
        let rows = candidates.flat_map(|_| &self.row_keys).enumerate();
        for (index, (group, _, is_double)) in rows {
            self.constants.extend_from_slice(bytes_of(&[constants_row(rule, index, *group, *is_double)]));
        }
        self.device.upload(self.arguments.settings, &self.constants)
    }

    /// Uploads the tensors and chunks, if the device has others.
    pub(super) fn upload(&mut self) -> Result<()> {
        let device = &*self.device;
        if self.stale_chunks {
            device.upload(self.arguments.chunks, bytes_of(&self.chunks))?;
            self.stale_chunks = false;
        }
        if self.stale_tensors {
            device.upload(self.arguments.tensors, bytes_of(&self.tensors))?;
            self.stale_tensors = false;
        }
        Ok(())
    }

    /// Runs a kernel, one block a chunk.
    pub(super) fn launch(&self, kernel: &'static str) -> Result<()> {
        let blocks = self.chunks.len() as u32;
        let launch =
            |module: &Arc<dyn DeviceModule>| module.launch(kernel, blocks, BLOCK_THREADS, &self.arguments.values());
        self.module.as_ref().map_or(Ok(()), launch)
    }

    /// Reads the results of the kernels of norms. Waits for them.
    pub(super) fn control(&self) -> Result<Control> {
        let mut control = [Control::default()];
        self.device.download(self.arguments.control, bytes_of_mut(&mut control))?;
        let [control] = control;
        Ok(control)
    }

    /// Reads the sums of the chunks. Waits for them.
    pub(super) fn squares(&self) -> Result<Vec<SquaresEntry>> {
        let mut squares = filled(self.chunks.len(), SquaresEntry::default())?;
        self.device.download(self.arguments.squares, bytes_of_mut(&mut squares))?;
        Ok(squares)
    }

    /// Counts a step of each parameter.
    pub(super) fn count(&mut self, groups: &mut [Group]) {
        for owner in &self.owners {
            groups[owner.group].states[owner.parameter].get_or_insert_default().step += 1;
        }
        for (_, step, _) in &mut self.row_keys {
            step.step_count += 1;
        }
    }

    /// Takes back skipped steps of each parameter that were counted.
    pub(super) fn uncount(&mut self, groups: &mut [Group], steps: u64) {
        for owner in &self.owners {
            if let Some(state) = &mut groups[owner.group].states[owner.parameter] {
                state.step -= steps;
            }
        }
        for (_, step, _) in &mut self.row_keys {
            step.step_count -= steps;
        }
    }

    /// True if each parameter has a state.
    pub(super) fn all_have_states(&self, groups: &[Group]) -> bool {
        self.owners.iter().all(|owner| groups[owner.group].states[owner.parameter].is_some())
    }
}

/// The index of a variant in a list that it is added to if it is not there.
fn position_or_push(variants: &mut Vec<Variant>, variant: Variant) -> Result<usize> {
    match variants.iter().rposition(|other| *other == variant) {
        Some(index) => Ok(index),
        None => push(variants, variant).map(|()| variants.len() - 1),
    }
}
