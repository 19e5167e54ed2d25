//! Calls of operations whose arguments are handles, numbers and short lists: a list of doubles, which crosses a binding without
//! any conversion.
//!
//! Each argument is a tag followed by its value. A list is its length, followed by its numbers. The result is the number of the
//! handle of a tensor.

use stepwell_optim::{Code, Error, Result};

use crate::commands::arguments::Arguments;
use crate::commands::operations;
use crate::commands::operations::given::Given;
use crate::engine::Engine;
use crate::session::{Object, Session};
use crate::values::data::Data;
use crate::values::handle::Handle;
use crate::values::value::{NumericArray, Value};

/// Tags of arguments, as in `packages/sdk/src/client/compact-arguments.ts`.
const UNDEFINED: f64 = 0.0;
const NULL: f64 = 1.0;
const NUMBER: f64 = 2.0;
const HANDLE: f64 = 3.0;
const FLAG: f64 = 4.0;
const LIST: f64 = 5.0;

impl<E: Engine> Session<E> {
    /// The index of an operation for [`Session::call_compact`]; none for other names, and for operations with another result than
    /// one tensor.
    pub fn operation_index(name: &str) -> Option<usize> {
        operations::index(name)
    }

    /// Calls an operation of [`Session::operation_index`]. An error names it, and has changed nothing.
    pub fn call_compact(&mut self, index: usize, encoded: &[f64]) -> Result<f64> {
        self.engine.enter();
        if E::HAS_ELEMENTWISE
            && let Some(handle) = self.elementwise(index, encoded)
        {
            return Ok(handle.to_number());
        }
        let (operation, function) = operations::at::<E>(index)
            .ok_or_else(|| Error::new(Code::Internal, "there is no operation of this index"))?;
        let result = self.run_named(operation.name, |session| {
            let given = Given::read_in_order(session, operation.parameters, Compact(encoded))?;
            match given {
                Some(given) => operation.run_with(function, session, &given),
                // For an error that says which argument was expected.
                None => operation.run(function, session, Arguments::new(Compact(encoded).collect())),
            }
        })?;
        match result {
            Value::Handle(handle) => Ok(handle.to_number()),
            _ => {
                Err(Error::new(Code::Internal, "an operation with another result than one tensor")
                    .within(operation.name))
            }
        }
    }

    /// The result of an operation that is a function of each element of tensors. `None` if the call must take the way of every
    /// operation: for other arguments, and for every error.
    fn elementwise(&mut self, index: usize, encoded: &[f64]) -> Option<Handle> {
        let (name, function) = operations::elementwise_at(index)?;
        let Self { engine, table, spare, .. } = self;
        let tensor = |number| match &table.get(Handle::from_number(number)).ok()?.object {
            Object::Tensor(tensor) => Some(tensor),
            _ => None,
        };
        let inputs = match *encoded {
            [HANDLE, x] => (tensor(x)?, None),
            [HANDLE, a, HANDLE, b] => (tensor(a)?, Some(tensor(b)?)),
            _ => return None,
        };
        let (result, bytes) = engine.elementwise(function, inputs, spare)?;
        self.command = name;
        self.insert_tensor(result, bytes).ok()
    }

    /// Frees those objects that live, the last first: then the graph that led to a tensor is freed before its inputs.
    pub fn release(&mut self, handles: &[f64]) {
        for handle in handles.iter().rev() {
            // Only an object that is freed already cannot be removed.
            let _ = self.remove(Handle::from_number(*handle));
        }
    }
}

/// The values of encoded arguments. Ends early if they are not encoded as expected.
struct Compact<'a>(&'a [f64]);

impl Compact<'_> {
    fn take(&mut self) -> Option<f64> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }
}

impl Iterator for Compact<'_> {
    type Item = Value;

    fn next(&mut self) -> Option<Value> {
        Some(match self.take()? {
            UNDEFINED => Value::Undefined,
            NULL => Value::Null,
            NUMBER => Value::Number(self.take()?),
            HANDLE => Value::Handle(Handle::from_number(self.take()?)),
            FLAG => Value::Bool(self.take()? != 0.0),
            LIST => {
                let length = self.take()? as usize;
                let (numbers, rest) = self.0.split_at_checked(length)?;
                self.0 = rest;
                Value::Numbers(NumericArray { data: Data::Double(numbers.to_vec()), shape: vec![length] })
            }
            _ => return None,
        })
    }
}
