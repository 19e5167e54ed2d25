//! The memory of parameters and gradients as slices.

use std::cell::Cell;
use std::mem;

use stepwell_optim::fallible::{collected, push, reserve};
use stepwell_optim::{Result, View};
use stepwell_session::BusyGuard;

use crate::error::{not_busy, torch};
use crate::parameter_views::check::check;
use crate::parameter_views::overlap::{check_overlap, shares_storage};
use crate::parameter_views::view::view;
use crate::shim::{self, CONTIGUOUS, Fingerprint, Handle, ParameterDescriptor};
use crate::tensor::Tensor;

/// What a loan leaves to the next of the same parameters: what was found out about them, and memory to work in.
#[derive(Default)]
pub struct ViewCache {
    /// Parameters and gradients as they were.
    descriptors: Vec<ParameterDescriptor>,
    /// True if they could be lent as they lay.
    zero_copy: bool,
    /// Which of them have a gradient while their flag is off: nothing updates them, but a step zeroes their gradients too.
    frozen: Vec<usize>,
    fingerprints: Vec<Fingerprint>,
    /// How much had been altered when they were fingerprints, if they are.
    fingerprint_generation: Option<u64>,
    /// The parameters that are known, so that they live while they are fingerprints.
    parameters: Vec<Tensor>,
    views: Vec<Option<View<'static>>>,
    handles: Vec<Handle<'static>>,
}

/// The memory of an empty vector, for another type of the same size: the collection works in place.
fn emptied<A, B>(mut used: Vec<A>) -> Vec<B> {
    used.clear();
    used.into_iter().filter_map(|_| None).collect()
}

impl ViewCache {
    /// Lends what can be lent: dense, on the CPU, gradient like parameter, and no memory twice. `busy` is set meanwhile. A
    /// parameter whose flag is off is neither lent nor checked. Autograd is told before, so that it knows however the step
    /// ends.
    pub(crate) fn with_parameter_views(
        &mut self,
        busy: &Cell<bool>,
        parameters: &[Tensor],
        zero_grad: bool,
        step: &mut dyn FnMut(&mut [Option<View<'_>>]) -> Result<()>,
    ) -> Result<()> {
        not_busy(busy)?;
        let mut handles: Vec<Handle<'_>> = emptied(mem::take(&mut self.handles));
        let mut views: Vec<Option<View<'_>>> = emptied(mem::take(&mut self.views));
        reserve(&mut handles, parameters.len())?;
        reserve(&mut views, parameters.len())?;
        handles.extend(parameters.iter().map(Tensor::handle));

        let copies = self.build_views(parameters, &handles, &mut views)?;
        let guard = BusyGuard::new(busy);
        let result = step(&mut views);
        drop(guard);
        if result.is_ok() && zero_grad {
            // The step set the copies to zero, and knows nothing of what is frozen.
            let frozen = self.frozen.iter().filter_map(|&index| shim::grad(parameters[index].handle()).transpose());
            for gradient in copies.iter().map(|copy| Ok(copy.gradient.shallow_clone())).chain(frozen) {
                drop(gradient?.f_zero_().map_err(torch)?);
            }
        }
        self.handles = emptied(handles);
        self.views = emptied(views);
        result
    }

    /// Fills in the views, and tells autograd. Returns the gradients that are lent as copies.
    fn build_views(
        &mut self,
        parameters: &[Tensor],
        handles: &[Handle<'_>],
        views: &mut Vec<Option<View<'_>>>,
    ) -> Result<Vec<GradientCopy>> {
        // Until everything has been checked, nothing may be taken for known.
        let (zero_copy, fingerprint_generation) = (mem::take(&mut self.zero_copy), self.fingerprint_generation.take());
        let now = shim::metadata_generation();
        // SAFETY: the cache keeps the parameters that it watches, and nothing was altered since.
        if fingerprint_generation == Some(now) && unsafe { shim::bump_if_unchanged(handles, &self.fingerprints) } {
            views.extend(self.descriptors.iter().map(view));
            (self.zero_copy, self.fingerprint_generation) = (true, fingerprint_generation);
            return Ok(Vec::new());
        }
        // What a failure leaves half known is of parameters that are not kept.
        let same =
            shim::describe_parameters(handles, &mut self.descriptors).inspect_err(|_| self.descriptors.clear())?;
        if !same {
            self.parameters = collected(parameters.iter().cloned())?;
            self.frozen.clear();
            for (index, _) in self.descriptors.iter().enumerate().filter(|(_, descriptor)| descriptor.frozen != 0) {
                push(&mut self.frozen, index)?;
            }
        }
        let mut copies = Vec::new();
        if same && zero_copy {
            views.extend(self.descriptors.iter().map(view));
        } else {
            let mut descriptors = collected(self.descriptors.iter().cloned())?;
            copies = check_and_copy(handles, &mut descriptors)?;
            views.extend(descriptors.iter().map(view));
        }
        shim::bump(handles, Some(&self.descriptors))?;
        self.zero_copy = copies.is_empty();
        if self.zero_copy
            && let Some(fingerprints) = shim::take_fingerprints(handles, mem::take(&mut self.fingerprints))
        {
            (self.fingerprints, self.fingerprint_generation) = (fingerprints, Some(now));
        }
        Ok(copies)
    }
}

/// A gradient that is lent as a copy.
pub(crate) struct GradientCopy {
    gradient: tch::Tensor,
    /// Lives as long as the loan.
    #[allow(dead_code, reason = "held for its memory")]
    copy: tch::Tensor,
}

/// Fails unless everything can be lent, and copies the gradients that cannot be lent as they lie: those that are not
/// contiguous, and those that share memory with others.
fn check_and_copy(handles: &[Handle<'_>], descriptors: &mut [ParameterDescriptor]) -> Result<Vec<GradientCopy>> {
    let mut copies = Vec::new();
    for (index, descriptor) in descriptors.iter_mut().enumerate().filter(|(_, descriptor)| descriptor.has_grad != 0) {
        check(index, descriptor)?;
        if descriptor.grad_layout & CONTIGUOUS == 0 {
            copies.extend(copy(handles[index], descriptor)?);
        }
    }
    if shares_storage(descriptors) {
        for index in check_overlap(descriptors)? {
            copies.extend(copy(handles[index], &mut descriptors[index])?);
        }
    }
    Ok(copies)
}

fn copy(handle: Handle<'_>, descriptor: &mut ParameterDescriptor) -> Result<Option<GradientCopy>> {
    let Some(gradient) = shim::grad(handle)? else { return Ok(None) };
    let mut copy = gradient.f_contiguous().map_err(torch)?;
    if shim::identity(Handle::from(&copy)) == shim::identity(Handle::from(&gradient)) {
        copy = gradient.f_detach_copy().map_err(torch)?;
    }
    descriptor.grad = shim::data(Handle::from(&copy))?;
    descriptor.grad_storage = descriptor.grad;
    Ok(Some(GradientCopy { gradient, copy }))
}
