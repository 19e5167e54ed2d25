//! A step on the emulator, from tables that the test fills.

use std::sync::Arc;

use stepwell_cuda::Emulator;
use stepwell_optim::{
    APPLY, BLOCK_THREADS, CHUNK_LEN, ChunkEntry, Clip, ConstantsRow, Control, Device, DeviceMemory, DeviceModule,
    DeviceRule, Element, FactorEntry, GRADIENT_SQUARES, GradientTransform, KernelArguments, MAX_BUFFERS, MEASURE,
    Plain, SKIPS_NEVER, SKIPS_NON_FINITE, STEP, SquaresEntry, StepSettings, TRANSFORMED_SQUARES, TensorEntry, Variant,
    bytes_of, bytes_of_mut,
};

use crate::arrays::Array;

/// A parameter with its gradient and state.
pub(crate) struct Tensor {
    pub(crate) group: usize,
    pub(crate) element: Element,
    pub(crate) parameter: Array,
    pub(crate) gradient: Array,
    pub(crate) buffers: [Option<Array>; MAX_BUFFERS],
    pub(crate) average_decay: f64,
}

/// Clipping, loss scale and zeroing of a step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) clip: Clip,
    pub(crate) loss_scale: f64,
    pub(crate) zeroes: bool,
    pub(crate) skips_non_finite: bool,
}

/// The kernels of an optimizer on an emulator.
pub(crate) struct DeviceSteps {
    pub(crate) emulator: Emulator,
    pub(crate) rule: DeviceRule,
    variants: Vec<Variant>,
    module: Arc<dyn DeviceModule>,
}

impl DeviceSteps {
    /// The kernels for pairs of group and type, after a change of their text.
    pub(crate) fn new(
        emulator: Emulator,
        rule: DeviceRule,
        pairs: &[(usize, Element)],
        change: fn(String) -> String,
    ) -> Self {
        let mut variants = Vec::new();
        for (group, element) in pairs {
            let variant = rule.variant(*group, *element);
            if !variants.contains(&variant) {
                variants.push(variant);
            }
        }
        let module = emulator.load(&change(rule.source(&variants).unwrap())).unwrap();
        Self { emulator, rule, variants, module }
    }

    /// Makes the step with this number on all tensors. Returns the results of the kernels
    /// of norms, and the sums of each chunk.
    pub(crate) fn step(
        &mut self,
        tensors: &[Tensor],
        step_count: u64,
        settings: Settings,
    ) -> (Control, Vec<SquaresEntry>) {
        let (mut entries, mut chunks, mut rows) = (Vec::new(), Vec::new(), Vec::<ConstantsRow>::new());
        for tensor in tensors {
            for array in [&tensor.parameter, &tensor.gradient].into_iter().chain(tensor.buffers.iter().flatten()) {
                self.emulator.allow(array.address(), array.bytes());
            }
            let row = self.rule.row(tensor.group, step_count, step_count == 1, 0.0, tensor.element);
            let row = rows.iter().position(|other| *other == row).unwrap_or_else(|| {
                rows.push(row);
                rows.len() - 1
            });
            let size = if tensor.element == Element::Double { 8 } else { 4 };
            let size = if matches!(tensor.element, Element::Half | Element::BFloat16) { 2 } else { size };
            let length = tensor.parameter.bytes() / size;
            let first_chunk = chunks.len();
            for start in (0..length).step_by(CHUNK_LEN) {
                let length = CHUNK_LEN.min(length - start) as u32;
                chunks.push(ChunkEntry { tensor: entries.len() as u32, length, start: start as u64 });
            }
            let variant = self.rule.variant(tensor.group, tensor.element);
            entries.push(TensorEntry {
                parameter: tensor.parameter.address(),
                gradient: tensor.gradient.address(),
                buffers: tensor.buffers.each_ref().map(|array| array.as_ref().map_or(0, Array::address)),
                length: length as u64,
                average_decay: tensor.average_decay,
                first_chunk: first_chunk as u32,
                chunks: (chunks.len() - first_chunk) as u32,
                row: row as u32,
                variant: self.variants.iter().position(|other| *other == variant).unwrap() as u32,
                created_average: u32::from(step_count == 1),
                padding: 0,
            });
        }

        let (uses_norm, clips) = (self.rule.uses_gradient_norm(), matches!(settings.clip, Clip::Norm(_)));
        let unscale = 1.0 / settings.loss_scale;
        let transform = match (settings.clip, unscale) {
            (Clip::Value(max), 1.0) => GradientTransform::Clamp(max),
            (Clip::Value(max), unscale) => GradientTransform::ScaleAndClamp(unscale, max),
            (_, 1.0) => GradientTransform::Identity,
            (_, unscale) => GradientTransform::Scale(unscale),
        };
        let plain = StepSettings {
            unscale,
            max_norm: if let Clip::Norm(max) = settings.clip { max } else { 0.0 },
            transform: transform.into(),
            clips_norm: clips.into(),
            uses_norm: uses_norm.into(),
            skips: if settings.skips_non_finite { SKIPS_NON_FINITE } else { SKIPS_NEVER },
            zeroes_gradients: settings.zeroes.into(),
            rows: rows.len() as u32,
            chunks: chunks.len() as u32,
            skipped: 0,
        };
        let (entries, rows) = (self.table(&entries), self.table(&rows));
        let (chunk_table, settings_table) = (self.table(&chunks), self.table(&[plain]));
        let squares = self.emulator.allocate(chunks.len() * size_of::<SquaresEntry>()).unwrap();
        let control = self.table(&[Control::default()]);
        let factors = self.table(&vec![FactorEntry::default(); tensors.len()]);
        let arguments = KernelArguments {
            tensors: entries.address(),
            chunks: chunk_table.address(),
            rows: rows.address(),
            settings: settings_table.address(),
            control: control.address(),
            squares: squares.address(),
            factors: factors.address(),
        };
        let launch = |kernel| {
            self.module.launch(kernel, chunks.len() as u32, BLOCK_THREADS, &arguments.values()).unwrap();
        };
        if uses_norm || clips || settings.skips_non_finite {
            launch(GRADIENT_SQUARES);
        }
        if uses_norm && clips {
            launch(TRANSFORMED_SQUARES);
        }
        if self.rule.has_two_stages() {
            launch(MEASURE);
            launch(APPLY);
        } else {
            launch(STEP);
        }
        let mut results = [Control::default()];
        self.emulator.download(control.address(), bytes_of_mut(&mut results)).unwrap();
        let mut sums = vec![SquaresEntry::default(); chunks.len()];
        self.emulator.download(squares.address(), bytes_of_mut(&mut sums)).unwrap();
        (results[0], sums)
    }

    fn table<T: Plain>(&self, entries: &[T]) -> Box<dyn DeviceMemory> {
        let memory = self.emulator.allocate(size_of_val(entries)).unwrap();
        self.emulator.upload(memory.address(), bytes_of(entries)).unwrap();
        memory
    }
}
