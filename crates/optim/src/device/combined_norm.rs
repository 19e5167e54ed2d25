//! The norm of the gradients on several devices, which the host adds in the order of a step in host memory.

use half::{bf16, f16};

use crate::device::device::{Device, DeviceView};
use crate::device::layout::{GRADIENT_SQUARES, Plain, SquaresEntry, StepSettings, TRANSFORMED_SQUARES, bytes_of_mut};
use crate::device::tables::Tables;
use crate::error::Result;
use crate::fallible::{filled, with_capacity};
use crate::numeric::clip::GradientTransform;
use crate::state::view::Element;
use crate::sweep::chunk::CHUNK_LEN;
use crate::sweep::erased_rule::ErasedRule;
use crate::sweep::step_options::StepOptions;

// SAFETY: a number of 16 bits has no padding, and every bit pattern is a value.
unsafe impl Plain for f16 {}

/// The sums of the chunks of all devices.
pub(super) struct AllSquares {
    /// One list for each device.
    lists: Vec<Vec<SquaresEntry>>,
}

/// The norm of all gradients and the transform that follows from it.
pub(super) struct CombinedNorm {
    pub(super) transform: GradientTransform,
    /// After the transform; 0 if the rule does not use it.
    pub(super) norm: f64,
    /// True if an element of a gradient is infinite or NaN.
    pub(super) non_finite: bool,
}

impl AllSquares {
    /// Reads the sums from the devices. Waits for them.
    pub(super) fn read(tables: &[Tables]) -> Result<Self> {
        let mut lists = with_capacity(tables.len())?;
        for tables in tables {
            lists.push(if tables.is_empty() { Vec::new() } else { tables.squares()? });
        }
        Ok(Self { lists })
    }

    /// All chunks in the order of tensors and elements: the index of the view, the index of the first element in it, and
    /// the sums.
    fn in_order<'a>(
        &'a self,
        views: &'a [Option<DeviceView>],
    ) -> impl Iterator<Item = (usize, usize, &'a SquaresEntry)> {
        let mut rest: Vec<_> = self.lists.iter().map(|list| list.iter()).collect();
        views.iter().enumerate().filter_map(|(index, view)| Some((index, view.as_ref()?))).flat_map(
            move |(index, view)| {
                let starts = (0..view.length).step_by(CHUNK_LEN);
                let own: Vec<_> = starts.zip(&mut rest[view.device]).collect();
                own.into_iter().map(move |(start, squares)| (index, start, squares))
            },
        )
    }

    /// The L2 norm.
    fn norm(&self, views: &[Option<DeviceView>]) -> f64 {
        self.in_order(views).fold(0.0, |sum, (.., squares)| sum + squares.gradient).sqrt()
    }

    /// The first element of a gradient that is not finite, with the index of its view. Waits.
    pub(super) fn first_non_finite(
        &self,
        tables: &[Tables],
        views: &[Option<DeviceView>],
    ) -> Result<Option<(usize, f64)>> {
        let found = self.in_order(views).find(|(.., squares)| squares.non_finite != 0);
        let Some((index, start, _)) = found else { return Ok(None) };
        let Some(view) = &views[index] else { return Ok(None) };
        let device = &**tables[view.device].device();
        let address = view.gradient + (start * view.element.bytes()) as u64;
        let length = CHUNK_LEN.min(view.length - start);
        let element = match view.element {
            Element::Float => first_non_finite::<f32>(device, address, length)?,
            Element::Double => first_non_finite::<f64>(device, address, length)?,
            Element::Half => first_non_finite::<f16>(device, address, length)?,
            Element::BFloat16 => first_non_finite::<bf16>(device, address, length)?,
        };
        Ok(Some((index, element)))
    }
}

impl CombinedNorm {
    /// Computes the norm of the gradients in memory, as a step in host memory does. If the rule uses the norm, computes it
    /// once more after the transform. Waits for the devices.
    pub(super) fn compute(
        tables: &mut [Tables],
        rule: &mut dyn ErasedRule,
        views: &[Option<DeviceView>],
        options: StepOptions<'_>,
    ) -> Result<Self> {
        let uses_norm = rule.wants_gradient_norm();
        let mut measure = |kernel: &'static str, transform: GradientTransform| {
            let settings = StepSettings { transform: transform.into(), ..StepSettings::default() };
            for tables in tables.iter_mut().filter(|tables| !tables.is_empty()) {
                tables.upload_constants(rule, settings, 0, 0.0)?;
                tables.upload()?;
                tables.launch(kernel)?;
            }
            AllSquares::read(tables)
        };
        let squares = measure(GRADIENT_SQUARES, GradientTransform::Identity)?;
        let non_finite = squares.in_order(views).any(|(.., squares)| squares.non_finite != 0);
        let raw = squares.norm(views);
        let unscale = 1.0 / options.loss_scale;
        let transform = options.clip.transform(raw * unscale).after_scaling(unscale);
        let norm = match uses_norm {
            true if transform != GradientTransform::Identity => measure(TRANSFORMED_SQUARES, transform)?.norm(views),
            true => raw,
            false => 0.0,
        };
        Ok(Self { transform, norm, non_finite })
    }
}

/// The first element that is infinite or NaN.
fn first_non_finite<T: Plain + Default + Into<f64>>(device: &dyn Device, address: u64, length: usize) -> Result<f64> {
    let mut elements = filled(length, T::default())?;
    device.download(address, bytes_of_mut(&mut elements))?;
    Ok(elements.into_iter().map(Into::into).find(|element: &f64| !element.is_finite()).unwrap_or(f64::NAN))
}
