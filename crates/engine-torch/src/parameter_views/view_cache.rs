//! Views of the memory of parameters and gradients for a step, and a cache of the checks that they need.
//!
//! A step over a thousand small tensors spends its time on checks, not on arithmetic: each tensor costs several cache misses.
//! The cache makes the checks of an unchanged list of parameters cheap, in three levels:
//!
//! 1. No metadata of the process changed (see [`shim::metadata_generation`]) and all fingerprints match: the stored descriptors
//!    are valid.
//! 2. The descriptors, computed again, are equal to the stored ones and were zero-copy: no check is needed.
//! 3. Otherwise everything is checked, and gradients that are not contiguous or share memory are copied.

use std::mem;

use stepwell_optim::fallible::{collected, copied, push, reserve};
use stepwell_optim::{DeviceView, Outcome, Result, View};
use stepwell_session::BusyGuard;

use crate::descriptors::{self, CONTIGUOUS, Fingerprint, ON_CPU, ParameterDescriptor};
use crate::error::{check_not_busy, from_tch};
use crate::parameter_views::check::check;
use crate::parameter_views::overlap::{check_overlap, shares_storage};
use crate::parameter_views::staged_views::with_staged_views;
use crate::parameter_views::staging::Staging;
use crate::parameter_views::view::{device_view, view};
use crate::shim::{self, TensorRef};
use crate::tensor::Tensor;

/// Cache of the checks and the scratch memory of one list of parameters, from step to step.
#[derive(Default)]
pub struct ViewCache {
    /// Parameters and gradients as they were when last described.
    descriptors: Vec<ParameterDescriptor>,
    /// True if the views of `descriptors` need no copy of a gradient.
    zero_copy: bool,
    /// Indices of frozen parameters (`requires_grad` is false) that have a gradient. A step does not update them, but zeroes
    /// their gradients.
    frozen: Vec<usize>,
    /// One for each parameter. Valid only if `fingerprint_generation` is set.
    fingerprints: Vec<Fingerprint>,
    /// The metadata generation at which the fingerprints were taken; `None` if they are not valid.
    fingerprint_generation: Option<u64>,
    /// The parameters of `descriptors`: handles that keep them alive, since a fingerprint holds their addresses.
    parameters: Vec<Tensor>,
    /// The devices for which the checks passed, as in a descriptor.
    checked_devices: Vec<u8>,
    /// Buffers of [`with_staged_views`]; `None` before its first call.
    staging: Option<Staging>,
    /// Scratch memory of the views.
    views: Vec<Option<View<'static>>>,
    /// Scratch memory of the views on a device.
    device_views: Vec<Option<DeviceView>>,
    /// The devices of all parameters at a metadata generation.
    devices: Option<(u64, Vec<u8>)>,
    /// Scratch memory of the arguments of the shim.
    tensor_refs: Vec<TensorRef<'static>>,
}

/// Empties a vector and changes its type, which has the same size. `collect` reuses the allocation.
fn reuse<A, B>(mut used: Vec<A>) -> Vec<B> {
    used.clear();
    used.into_iter().filter_map(|_| None).collect()
}

impl ViewCache {
    /// See [`Engine::with_parameter_views`](stepwell_session::Engine::with_parameter_views). Holds a [`BusyGuard`] while `step` runs.
    ///
    /// Fails unless each parameter and gradient is dense and on the CPU, each gradient fits its parameter, and no memory is in
    /// two views. Frozen parameters are not checked. Versions are bumped before the step, so that autograd knows of the write
    /// however the step ends.
    pub(crate) fn with_parameter_views(
        &mut self,
        parameters: &[Tensor],
        name: &dyn Fn(usize) -> String,
        zero_grad: bool,
        step: &mut dyn FnMut(&mut [Option<View<'_>>]) -> Result<()>,
    ) -> Result<()> {
        check_not_busy()?;
        let mut tensor_refs: Vec<TensorRef<'_>> = reuse(mem::take(&mut self.tensor_refs));
        let mut views: Vec<Option<View<'_>>> = reuse(mem::take(&mut self.views));
        reserve(&mut tensor_refs, parameters.len())?;
        reserve(&mut views, parameters.len())?;
        tensor_refs.extend(parameters.iter().map(Tensor::tensor_ref));

        let copies = self.build_views(parameters, &[ON_CPU], name, &tensor_refs, &mut |descriptors| {
            views.extend(descriptors.iter().map(view));
        })?;
        let guard = BusyGuard::new();
        let result = step(&mut views);
        drop(guard);
        if result.is_ok() && zero_grad {
            self.zero_unviewed(parameters, &copies)?;
        }
        self.tensor_refs = reuse(tensor_refs);
        self.views = reuse(views);
        result
    }

    /// As [`ViewCache::with_parameter_views`], with addresses on devices, which are the ones of descriptors. `index` returns the
    /// index of a parameter's device in the list of the step, by the index of the parameter and its device.
    pub(crate) fn with_device_views(
        &mut self,
        parameters: &[Tensor],
        (devices, index): (&[u8], &dyn Fn(usize, u8) -> usize),
        name: &dyn Fn(usize) -> String,
        zero_grad: bool,
        step: &mut dyn FnMut(&[Option<DeviceView>]) -> Result<()>,
    ) -> Result<()> {
        check_not_busy()?;
        let mut tensor_refs: Vec<TensorRef<'_>> = reuse(mem::take(&mut self.tensor_refs));
        let mut views = mem::take(&mut self.device_views);
        views.clear();
        reserve(&mut tensor_refs, parameters.len())?;
        reserve(&mut views, parameters.len())?;
        tensor_refs.extend(parameters.iter().map(Tensor::tensor_ref));

        let copies = self.build_views(parameters, devices, name, &tensor_refs, &mut |descriptors| {
            let numbered = descriptors.iter().enumerate();
            views.extend(numbered.map(|(i, descriptor)| device_view(descriptor, index(i, descriptor.device))));
        })?;
        let guard = BusyGuard::new();
        let result = step(&views);
        drop(guard);
        if result.is_ok() && zero_grad {
            self.zero_unviewed(parameters, &copies)?;
        }
        self.tensor_refs = reuse(tensor_refs);
        self.device_views = views;
        result
    }

    /// See [`with_staged_views`].
    pub(crate) fn with_staged_views(
        &mut self,
        parameters: &[Tensor],
        name: &dyn Fn(usize) -> String,
        zero_grad: bool,
        step: &mut dyn FnMut(&mut [Option<View<'_>>]) -> Result<Outcome>,
    ) -> Result<()> {
        with_staged_views(&mut self.staging, parameters, name, zero_grad, step)
    }

    /// The devices of all parameters, as in a descriptor.
    pub(crate) fn devices(&mut self, parameters: &[Tensor]) -> Result<&[u8]> {
        let now = shim::metadata_generation();
        if self.devices.as_ref().is_none_or(|(generation, _)| *generation != now) {
            let tensor_refs: Vec<_> = collected(parameters.iter().map(Tensor::tensor_ref))?;
            self.devices = Some((now, descriptors::devices(&tensor_refs)?));
        }
        Ok(self.devices.as_ref().map_or(&[], |(_, devices)| devices))
    }

    /// Zeroes gradients that the step has no view of: gradients whose copies it has, and gradients of frozen parameters.
    fn zero_unviewed(&self, parameters: &[Tensor], copies: &[GradientCopy]) -> Result<()> {
        let frozen = self.frozen.iter().filter_map(|&index| shim::grad(parameters[index].tensor_ref()).transpose());
        for gradient in copies.iter().map(|copy| Ok(copy.gradient.shallow_clone())).chain(frozen) {
            drop(gradient?.f_zero_().map_err(from_tch)?);
        }
        Ok(())
    }

    /// Gives the descriptors to `use_descriptors`, once they have passed the checks, and bumps the versions. Returns the gradients
    /// whose views are of copies.
    fn build_views(
        &mut self,
        parameters: &[Tensor],
        devices: &[u8],
        name: &dyn Fn(usize) -> String,
        tensor_refs: &[TensorRef<'_>],
        use_descriptors: &mut dyn FnMut(&[ParameterDescriptor]),
    ) -> Result<Vec<GradientCopy>> {
        // Invalid until all checks have passed: a failure below leaves the cache without valid content.
        let (zero_copy, fingerprint_generation) = (mem::take(&mut self.zero_copy), self.fingerprint_generation.take());
        // A check for other devices says nothing.
        let is_for_devices = self.checked_devices == devices;
        if !is_for_devices {
            self.checked_devices = copied(devices)?;
        }
        let now = shim::metadata_generation();
        let is_current = is_for_devices && fingerprint_generation == Some(now);
        // SAFETY: `parameters` keeps the tensors of the fingerprints alive, and the generation is the one of the fingerprints.
        if is_current && unsafe { descriptors::bump_if_unchanged(tensor_refs, &self.fingerprints) } {
            use_descriptors(&self.descriptors);
            (self.zero_copy, self.fingerprint_generation) = (true, fingerprint_generation);
            return Ok(Vec::new());
        }
        // A failure leaves some descriptors of parameters that `parameters` does not hold.
        let unchanged = descriptors::describe_parameters(tensor_refs, &mut self.descriptors)
            .inspect_err(|_| self.descriptors.clear())?;
        if !unchanged {
            self.parameters = collected(parameters.iter().cloned())?;
            self.frozen.clear();
            for (index, _) in
                self.descriptors.iter().enumerate().filter(|(_, descriptor)| descriptor.frozen_with_grad != 0)
            {
                push(&mut self.frozen, index)?;
            }
        }
        let mut copies = Vec::new();
        if unchanged && zero_copy && is_for_devices {
            use_descriptors(&self.descriptors);
        } else {
            let mut descriptors = collected(self.descriptors.iter().cloned())?;
            copies = check_and_copy(tensor_refs, devices, name, &mut descriptors)?;
            use_descriptors(&descriptors);
        }
        descriptors::bump(tensor_refs, Some(&self.descriptors))?;
        self.zero_copy = copies.is_empty();
        if self.zero_copy
            && let Some(fingerprints) = descriptors::take_fingerprints(tensor_refs, mem::take(&mut self.fingerprints))
        {
            (self.fingerprints, self.fingerprint_generation) = (fingerprints, Some(now));
        }
        Ok(copies)
    }
}

/// A gradient whose view is of a copy.
pub(crate) struct GradientCopy {
    gradient: tch::Tensor,
    /// Keeps the memory of the view alive.
    #[allow(dead_code, reason = "held for its memory")]
    copy: tch::Tensor,
}

/// Fails unless every parameter can be updated. Copies gradients that are not contiguous, or share memory with another gradient,
/// and stores the addresses of the copies in the descriptors.
fn check_and_copy(
    tensor_refs: &[TensorRef<'_>],
    devices: &[u8],
    name: &dyn Fn(usize) -> String,
    descriptors: &mut [ParameterDescriptor],
) -> Result<Vec<GradientCopy>> {
    let mut copies = Vec::new();
    for (index, descriptor) in descriptors.iter_mut().enumerate().filter(|(_, descriptor)| descriptor.has_grad != 0) {
        check(descriptor, devices, || name(index))?;
        if descriptor.grad_layout & CONTIGUOUS == 0 {
            copies.extend(copy(tensor_refs[index], descriptor)?);
        }
    }
    if shares_storage(descriptors) {
        for index in check_overlap(descriptors, name)? {
            copies.extend(copy(tensor_refs[index], &mut descriptors[index])?);
        }
    }
    Ok(copies)
}

fn copy(tensor: TensorRef<'_>, descriptor: &mut ParameterDescriptor) -> Result<Option<GradientCopy>> {
    let Some(gradient) = shim::grad(tensor)? else { return Ok(None) };
    let mut copy = gradient.f_contiguous().map_err(from_tch)?;
    if shim::identity(TensorRef::from(&copy)) == shim::identity(TensorRef::from(&gradient)) {
        copy = gradient.f_detach_copy().map_err(from_tch)?;
    }
    descriptor.grad_data = shim::data(TensorRef::from(&copy))?;
    descriptor.grad_storage = descriptor.grad_data;
    Ok(Some(GradientCopy { gradient, copy }))
}
