//! The optimizer that a step of a module stands for.

use stepwell_optim::{Code, Error, Result, Shared};

use crate::engine::Engine;
use crate::session::{Object, Session};
use crate::values::dedupe::any_equal;
use crate::values::handle::{Handle, ObjectKind};

impl<E: Engine> Session<E> {
    /// The handle of the optimizer, or of its model, that updates parameters of a module. Other handles are returned as
    /// they are.
    pub(crate) fn optimizer_to_step(&self, handle: Handle) -> Result<Handle> {
        if handle.kind() != Some(ObjectKind::Module) {
            return Ok(handle);
        }
        let mut own = Vec::new();
        for named in self.module(handle)?.parameters() {
            own.push(self.engine.identity(&named.tensor));
        }
        let count = own.len();
        let mut found = None;
        for (handle, counted) in self.table.iter() {
            let bound = match &counted.object {
                Object::Optimizer(bound) => bound,
                Object::Model(model) => &model.optimizer,
                _ => continue,
            };
            own.truncate(count);
            for tensor in bound.borrow().tensors() {
                own.push(self.engine.identity(tensor));
            }
            if !any_equal(&own, count)? {
                continue;
            }
            match found {
                Some((_, other)) if !Shared::ptr_eq(other, bound) => {
                    let message = "several optimizers update parameters of this module: step them one by one";
                    return Err(Error::new(Code::Parameter, message));
                }
                _ => found = Some((handle, bound)),
            }
        }
        let none = || Error::new(Code::Parameter, "no optimizer updates parameters of this module");
        found.map(|(optimizer, _)| optimizer).ok_or_else(none)
    }
}
