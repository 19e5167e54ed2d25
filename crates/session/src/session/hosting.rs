//! Commands that call functions of JavaScript, such as the forward passes of own modules.
//!
//! The session is not borrowed while a function runs, so the function can use it. [`Session::held`] and [`Session::calls`] have the
//! objects that it must not free.

use std::cell::{RefCell, RefMut};
use std::ops::{Deref, DerefMut};

use stepwell_optim::{Code, Error, Result};

use crate::engine::Engine;
use crate::nn::host::{FunctionNumber, Host};
use crate::random::Random;
use crate::session::{Object, RunningCall, Session};
use crate::training::model::Model;
use crate::values::handle::Handle;
use crate::values::value::Value;

/// Functions that modules call, each within the one before, nest at most so deep. A level takes stack, which is 1 MiB in
/// WebAssembly.
const MAX_CALLS: usize = 32;

/// The session of a command, which calls functions of JavaScript.
pub(crate) enum SessionAccess<'a, E: Engine> {
    /// A session without functions.
    Exclusive(&'a mut Session<E>),
    Shared(&'a RefCell<Session<E>>, &'a CallRunning<'a>),
}

/// Runs the function that [`Session::calls`] has last. Its result means nothing.
pub(crate) type CallRunning<'a> = dyn Fn() -> Result<f64> + 'a;

/// The session between two functions.
pub(crate) enum SessionGuard<'a, E: Engine> {
    Exclusive(&'a mut Session<E>),
    Shared(RefMut<'a, Session<E>>),
}

impl<E: Engine> Deref for SessionGuard<'_, E> {
    type Target = Session<E>;
    fn deref(&self) -> &Session<E> {
        match self {
            SessionGuard::Exclusive(session) => session,
            SessionGuard::Shared(session) => session,
        }
    }
}

impl<E: Engine> DerefMut for SessionGuard<'_, E> {
    fn deref_mut(&mut self) -> &mut Session<E> {
        match self {
            SessionGuard::Exclusive(session) => session,
            SessionGuard::Shared(session) => session,
        }
    }
}

impl<E: Engine> SessionAccess<'_, E> {
    /// The session, to be dropped before a function is called.
    pub(crate) fn session(&mut self) -> SessionGuard<'_, E> {
        match self {
            SessionAccess::Exclusive(session) => SessionGuard::Exclusive(session),
            SessionAccess::Shared(session, _) => SessionGuard::Shared(session.borrow_mut()),
        }
    }

    /// Calls functions; `None` for a session without them.
    pub(crate) fn host(&self) -> Option<SessionHost<'_, E>> {
        match self {
            SessionAccess::Exclusive(_) => None,
            SessionAccess::Shared(session, call) => Some(SessionHost { session, call }),
        }
    }
}

/// Calls functions of JavaScript with tensors of a session.
pub(crate) struct SessionHost<'a, E: Engine> {
    session: &'a RefCell<Session<E>>,
    call: &'a CallRunning<'a>,
}

impl<E: Engine> Host<E> for SessionHost<'_, E> {
    fn call(
        &self,
        function: FunctionNumber,
        training: bool,
        random: &mut Random,
        inputs: &[E::Tensor],
    ) -> Result<Vec<Option<E::Tensor>>> {
        self.session.borrow_mut().begin_call(function, training, inputs)?;
        std::mem::swap(random, &mut self.session.borrow_mut().random);
        let result = (self.call)();
        let mut session = self.session.borrow_mut();
        std::mem::swap(random, &mut session.random);
        let outputs = session.end_call()?;
        result?;
        outputs.ok_or_else(|| Error::new(Code::Internal, "a function that has not stated its outputs"))
    }

    fn begin_backward(&self) -> Result<()> {
        let mut session = self.session.borrow_mut();
        if session.is_in_backward {
            return Err(Error::new(
                Code::Busy,
                "a backward is not over, and the function that it calls cannot begin another",
            ));
        }
        session.is_in_backward = true;
        Ok(())
    }

    fn end_backward(&self) {
        self.session.borrow_mut().is_in_backward = false;
    }
}

impl<E: Engine> Session<E> {
    fn begin_call(&mut self, function: FunctionNumber, training: bool, inputs: &[E::Tensor]) -> Result<()> {
        if self.calls.len() >= MAX_CALLS {
            let message =
                format_args!("functions of modules within functions of modules nest at most {MAX_CALLS} deep");
            return Err(Error::new(Code::Argument, message));
        }
        let mut handles = Vec::new();
        for input in inputs {
            match self.insert(Object::Tensor(input.clone())) {
                Ok(Value::Handle(handle)) => handles.push(handle),
                other => {
                    self.remove_all(&handles)?;
                    return other.map(drop);
                }
            }
        }
        self.calls.push(RunningCall { function, training, inputs: handles, outputs: None });
        Ok(())
    }

    fn end_call(&mut self) -> Result<Option<Vec<Option<E::Tensor>>>> {
        let Some(call) = self.calls.pop() else { return Ok(None) };
        for input in &call.inputs {
            if let Ok(input) = self.tensor(*input) {
                self.passed.push(self.engine.storage(input));
            }
        }
        self.remove_all(&call.inputs)?;
        let returned = call.outputs.iter().flatten().flatten().filter(|output| self.engine.is_shared(output));
        self.passed.extend(returned.map(|output| self.engine.storage(output)));
        Ok(call.outputs)
    }

    /// Frees the objects that live.
    fn remove_all(&mut self, handles: &[Handle]) -> Result<()> {
        for handle in handles {
            if self.object(*handle).is_ok() {
                self.remove(*handle)?;
            }
        }
        Ok(())
    }

    /// The running function: its number, whether it trains, and the handles of its inputs.
    pub(crate) fn running_call(&self) -> Result<Value> {
        let call = self.calls.last().ok_or_else(none_running)?;
        let mut list = vec![Value::Number(call.function as f64), Value::Bool(call.training)];
        list.extend(call.inputs.iter().map(|handle| Value::Handle(*handle)));
        Ok(Value::Array(list))
    }

    /// Sets the outputs of the running function.
    pub(crate) fn set_outputs(&mut self, outputs: Vec<Option<E::Tensor>>) -> Result<()> {
        self.calls.last_mut().ok_or_else(none_running)?.outputs = Some(outputs);
        Ok(())
    }

    /// Numbers of the functions that a backward may still call. Forgets all others.
    pub(crate) fn functions_of_graphs(&mut self) -> &[(FunctionNumber, E::Tensor)] {
        let engine = &self.engine;
        self.functions_of_graphs.retain(|(_, marker)| engine.is_shared(marker));
        &self.functions_of_graphs
    }

    /// Takes a model out of the session, which keeps its parts.
    pub(crate) fn take_model(&mut self, handle: Handle) -> Result<Model<E>> {
        let (model, _) = self.model_mut(handle)?;
        let placeholder = model.placeholder();
        Ok(std::mem::replace(model, placeholder))
    }

    /// Puts a model back that was taken out. Nothing happens if its handle was freed.
    pub(crate) fn put_model(&mut self, handle: Handle, model: Model<E>) {
        if let Ok(counted) = self.table.get_mut(handle) {
            counted.object = Object::Model(Box::new(model));
        }
    }

    /// Fails for an object that a command uses whose functions are running.
    pub(crate) fn check_not_held(&self, handle: Handle) -> Result<()> {
        let is_input = self.calls.iter().any(|call| call.inputs.contains(&handle));
        if !is_input && !self.held.contains(&handle) {
            return Ok(());
        }
        let message = "a pass uses this object, and the function that the pass has called cannot free it";
        Err(Error::new(Code::Busy, message))
    }
}

fn none_running() -> Error {
    Error::new(Code::Internal, "no function of a module is running")
}
