//! The tables of a step on a device, kept there while parameters, options and state stay equal.

use std::rc::Rc;

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
use crate::state::param_state::{MASTER, PARAM_AVERAGE};
use crate::state::view::Element;
use crate::sweep::chunk::CHUNK_LEN;
use crate::sweep::erased_rule::ErasedRule;
use crate::sweep::new_state::{Created, bfloat16_buffers};

/// In bytes. Each table starts at a multiple of it.
const TABLE_ALIGNMENT: usize = 16;

/// The inputs of a row of constants: the group, its step before this one, and whether it computes in f64.
type RowKey = (usize, StepInputs, bool);

/// The parameter of a tensor.
#[derive(Clone, Copy)]
struct Owner {
    group: usize,
    /// Index in the group.
    parameter: usize,
    /// Index of the view.
    view: usize,
}

/// The tables, on the host and on the device.
#[derive(Default)]
pub(super) struct Tables {
    tensors: Vec<TensorEntry>,
    chunks: Vec<ChunkEntry>,
    row_keys: Vec<RowKey>,
    /// One entry for each tensor.
    owners: Vec<Owner>,
    /// Settings and rows of a step, as bytes for one upload.
    constants: Vec<u8>,
    /// Variants of this step and of earlier steps, since a compilation takes much longer than a step.
    variants: Vec<Variant>,
    /// The kernels for `variants`.
    module: Option<Rc<dyn DeviceModule>>,
    memory: Option<Box<dyn DeviceMemory>>,
    arguments: KernelArguments,
    /// True if the device has the tensors or chunks of an earlier step.
    stale_tensors: bool,
    stale_chunks: bool,
}

impl Tables {
    /// True if there are no elements.
    pub(super) fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// Makes the tables of these views, and reserves their memory on the device.
    pub(super) fn build(
        &mut self,
        device: &dyn Device,
        rule: &dyn ErasedRule,
        groups: &[Group],
        views: &[Option<DeviceView>],
        created: &[Created],
    ) -> Result<()> {
        let (mut tensors, mut chunks, mut variants) = (Vec::new(), Vec::new(), copied(&self.variants)?);
        self.row_keys.clear();
        self.owners.clear();
        let mut slots = views.iter().zip(created).enumerate();
        for (group, members) in groups.iter().enumerate() {
            let (kernel, shared) = (rule.kernel_index(group), rule.shared(group));
            for (parameter, (state, (index, (view, created)))) in members.states.iter().zip(&mut slots).enumerate() {
                let Some(view) = view else { continue };
                let DeviceView { parameter: address, gradient, length, element } = *view;
                let variant = Variant { kernel, element, bfloat16_buffers: bfloat16_buffers(rule, group, None) };
                let variant = position_or_push(&mut variants, variant)?;
                let step_count = state.as_ref().map_or(0, |state| state.step);
                let step = StepInputs { step_count, created: created.rule_buffers, gradient_norm: 0.0 };
                let key = (group, step, element == Element::Double);
                // Most tensors have the constants of the one before.
                if self.row_keys.last() != Some(&key) {
                    push(&mut self.row_keys, key)?;
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
                push(&mut self.owners, Owner { group, parameter, view: index })?;
                let tensor = TensorEntry {
                    parameter: address,
                    gradient,
                    length: length as u64,
                    average_decay: shared.average.unwrap_or_default(),
                    first_chunk: first_chunk as u32,
                    chunks: (chunks.len() - first_chunk) as u32,
                    row: (self.row_keys.len() - 1) as u32,
                    variant: variant as u32,
                    created_average: u32::from(created.param_average),
                    ..TensorEntry::default()
                };
                push(&mut tensors, tensor)?;
            }
        }
        self.stale_chunks |= chunks != self.chunks;
        (self.tensors, self.stale_tensors, self.chunks) = (tensors, true, chunks);
        if self.is_empty() {
            return Ok(());
        }
        if self.module.is_none() || self.variants != variants {
            self.module = None;
            self.module = Some(device.load(&source(rule, &variants)?)?);
            self.variants = variants;
        }
        self.allocate(device)?;
        // A step that failed may have left counters of finished blocks.
        device.zero(self.arguments.control, size_of::<Control>())?;
        device.zero(self.arguments.factors, self.tensors.len() * size_of::<FactorEntry>())
    }

    /// Places the tables in one allocation, and keeps the one that there is if it has the size.
    fn allocate(&mut self, device: &dyn Device) -> Result<()> {
        let [tensors, chunks, rows] = [self.tensors.len(), self.chunks.len(), self.row_keys.len()];
        let constants = size_of::<StepSettings>() + rows * size_of::<ConstantsRow>();
        reserve(&mut self.constants, constants)?;
        let sizes = [
            constants,
            tensors * size_of::<TensorEntry>(),
            chunks * size_of::<ChunkEntry>(),
            size_of::<Control>(),
            chunks * size_of::<SquaresEntry>(),
            tensors * size_of::<FactorEntry>(),
        ];
        let mut bytes = 0;
        let starts = sizes.map(|size: usize| {
            let start = bytes;
            bytes += size.next_multiple_of(TABLE_ALIGNMENT);
            start as u64
        });
        let memory = match self.memory.take() {
            Some(memory) if memory.bytes() >= bytes => memory,
            _ => device.allocate(bytes)?,
        };
        let [settings, tensors, chunks, control, squares, factors] = starts.map(|start| memory.address() + start);
        let rows = settings + size_of::<StepSettings>() as u64;
        let arguments = KernelArguments { tensors, chunks, rows, settings, control, squares, factors };
        self.stale_chunks |= self.arguments != arguments;
        (self.memory, self.arguments) = (Some(memory), arguments);
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
            if !self.variants.get(tensor.variant as usize).is_some_and(|variant| variant.element.is_16_bit()) {
                tensor.buffers[MASTER] = 0;
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

    /// Uploads the settings of a step, and the constants of each row for its next step.
    pub(super) fn upload_constants(
        &mut self,
        device: &dyn Device,
        rule: &mut dyn ErasedRule,
        settings: StepSettings,
    ) -> Result<()> {
        rule.clear_constants();
        rule.reserve_constants(self.row_keys.len())?;
        for (group, step, _) in &self.row_keys {
            rule.push_constants(*group, StepInputs { step_count: step.step_count + 1, ..*step });
        }
        let settings = StepSettings { rows: self.row_keys.len() as u32, chunks: self.chunks.len() as u32, ..settings };
        self.constants.clear();
        self.constants.extend_from_slice(bytes_of(&[settings]));
        for (index, (group, _, is_double)) in self.row_keys.iter().enumerate() {
            self.constants.extend_from_slice(bytes_of(&[constants_row(rule, index, *group, *is_double)]));
        }
        device.upload(self.arguments.settings, &self.constants)
    }

    /// Uploads the tensors and chunks, if the device has others.
    pub(super) fn upload(&mut self, device: &dyn Device) -> Result<()> {
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
            |module: &Rc<dyn DeviceModule>| module.launch(kernel, blocks, BLOCK_THREADS, &self.arguments.values());
        self.module.as_ref().map_or(Ok(()), launch)
    }

    /// Reads the results of the kernels of norms. Waits for them.
    pub(super) fn control(&self, device: &dyn Device) -> Result<Control> {
        let mut control = [Control::default()];
        device.download(self.arguments.control, bytes_of_mut(&mut control))?;
        let [control] = control;
        Ok(control)
    }

    /// Finds the first chunk whose gradient is not finite. Returns its element type, the address of its gradient, its
    /// length, and the index of its view. Waits.
    pub(super) fn first_non_finite_chunk(
        &self,
        device: &dyn Device,
        views: &[Option<DeviceView>],
    ) -> Result<Option<(Element, u64, usize, usize)>> {
        let mut squares = filled(self.chunks.len(), SquaresEntry::default())?;
        device.download(self.arguments.squares, bytes_of_mut(&mut squares))?;
        let found = squares.iter().zip(&self.chunks).find(|(squares, _)| squares.non_finite != 0);
        Ok(found.and_then(|(_, chunk)| {
            let index = self.owners[chunk.tensor as usize].view;
            let view = views[index].as_ref()?;
            let gradient = view.gradient + chunk.start * view.element.bytes() as u64;
            Some((view.element, gradient, chunk.length as usize, index))
        }))
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
}

/// The index of a variant in a list that it is added to if it is not there.
fn position_or_push(variants: &mut Vec<Variant>, variant: Variant) -> Result<usize> {
    match variants.iter().rposition(|other| *other == variant) {
        Some(index) => Ok(index),
        None => push(variants, variant).map(|()| variants.len() - 1),
    }
}
