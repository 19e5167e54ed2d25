//! The objects that an asynchronous call uses, which a job has until it ends.
//!
//! A call that names such an object is [`Code::Busy`]. So is one of an object that shares a parameter, a buffer or an optimizer with
//! it. Samples are only read, so that two models may train on the same tensors.

use std::collections::HashSet;

use stepwell_optim::{Code, Error, Result, Shared};

use crate::engine::Engine;
use crate::session::{Object, Session};
use crate::values::handle::Handle;

impl<E: Engine> Session<E> {
    /// Fails if a backward would accumulate gradients of tensors that a job has.
    pub(crate) fn check_backward(&self, tensor: &E::Tensor) -> Result<()> {
        for lease in &self.leases.jobs {
            if self.engine.reaches(tensor, &lease.tensors)? {
                let message = "the graph needs a parameter that an asynchronous call uses, which is not over";
                return Err(Error::new(Code::Busy, message));
            }
        }
        Ok(())
    }

    /// Fails for a tensor that a job has.
    pub(crate) fn check_not_lent(&self, tensor: &E::Tensor) -> Result<()> {
        if self.leases.jobs.is_empty() {
            return Ok(());
        }
        let identity = self.engine.identity(tensor);
        match self.leases.jobs.iter().any(|lease| lease.tensors.contains(&identity)) {
            true => Err(Error::new(Code::Busy, "an asynchronous call that is not over uses this tensor")),
            false => Ok(()),
        }
    }

    /// The handles of the objects that a call with these arguments uses, and of those that share tensors with them. And the
    /// identities of their tensors.
    pub(crate) fn used_by(&self, given: &[Handle]) -> Result<(Vec<Handle>, Vec<u64>)> {
        let mut handles = Vec::new();
        let (mut shared, mut read) = (HashSet::new(), HashSet::new());
        for handle in given {
            let object = self.object(*handle)?;
            if handles.contains(handle) {
                continue;
            }
            handles.push(*handle);
            self.add_identities(object, &mut shared);
            if let Object::Model(model) = object {
                read.extend(model.samples().iter().map(|tensor| self.engine.identity(tensor)));
            }
        }
        // Modules, optimizers and models, until none is left that shares something.
        let mut others = Vec::new();
        for (handle, counted) in self.table.iter().filter(|(handle, _)| !handles.contains(handle)) {
            if let Object::Module(_) | Object::Optimizer(_) | Object::Model(_) = counted.object {
                let mut own = HashSet::new();
                self.add_identities(&counted.object, &mut own);
                others.push((handle, own));
            }
        }
        while let Some(position) = others.iter().position(|(_, own)| !own.is_disjoint(&shared)) {
            let (handle, own) = others.swap_remove(position);
            handles.push(handle);
            shared.extend(own);
        }
        shared.extend(read);
        for (handle, counted) in self.table.iter() {
            if let Object::Tensor(_) | Object::Vector(_) | Object::Dictionary(_) = counted.object
                && !handles.contains(&handle)
                && counted.object.tensors().iter().any(|tensor| shared.contains(&self.engine.identity(tensor)))
            {
                handles.push(handle);
            }
        }
        Ok((handles, shared.into_iter().collect()))
    }

    /// Adds the identities of the tensors of an object, and of its optimizer, but not of its samples.
    fn add_identities(&self, object: &Object<E>, identities: &mut HashSet<u64>) {
        identities.extend(object.tensors().iter().map(|tensor| self.engine.identity(tensor)));
        let bound = match object {
            Object::Optimizer(bound) => bound,
            Object::Model(model) => &model.optimizer,
            _ => return,
        };
        // An optimizer without parameters has an address too, which differs from the ones of tensors.
        identities.insert(Shared::as_ptr(bound).addr() as u64);
        let bound = bound.borrow();
        identities.extend(bound.tensors().iter().map(|tensor| self.engine.identity(tensor)));
        // A step of several processes writes to the buffers of their modules.
        if let Some(parallel) = &bound.data_parallel {
            identities.extend(parallel.modules().identities(&self.engine));
        }
    }
}
