//! A row of the table of operations: its arguments with kinds and defaults, and its function.

use stepwell_optim::Result;

use crate::commands::arguments::Arguments;
use crate::commands::operations::context::Context;
use crate::commands::operations::given::Given;
use crate::commands::operations::parameter::{Output, Parameter};
use crate::engine::Engine;
use crate::session::{Object, Session};
use crate::values::value::Value;

pub(crate) type Function<E> = fn(&mut Context<'_, E>, &Given<E>) -> Result<Output<E>>;

/// A row of the table.
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    pub(crate) parameters: &'static [Parameter],
    /// How many tensors it returns; 0 for plain data. Results of 1 are methods of the fluent tensor too.
    pub(crate) outputs: usize,
    /// PyTorch's name, if it is another. Programs that run do not contain it, as the next two.
    #[cfg(test)]
    pub(crate) pytorch: &'static str,
    /// One sentence or several.
    #[cfg(test)]
    pub(crate) about: &'static str,
    /// Whether a gradient flows.
    #[cfg(test)]
    pub(crate) gradient: bool,
}

/// A table of operations: documentation, name, PyTorch's name if it is another, parameters, whether a gradient flows, how many
/// tensors are returned, and the function.
macro_rules! operations {
    (@default) => { crate::commands::operations::parameter::Default::Required };
    (@default null) => { crate::commands::operations::parameter::Default::Absent };
    (@default true) => { crate::commands::operations::parameter::Default::Flag(true) };
    (@default minus_one) => { crate::commands::operations::parameter::Default::Number(-1.0) };
    (@default minus_two) => { crate::commands::operations::parameter::Default::Number(-2.0) };
    (@default false) => { crate::commands::operations::parameter::Default::Flag(false) };
    (@default $word:ident) => { crate::commands::operations::parameter::Default::Word(stringify!($word)) };
    (@default $number:literal) => { crate::commands::operations::parameter::Default::Number($number) };
    (@gradient gradient) => { true };
    (@gradient no_gradient) => { false };
    ($engine:ident, $(#[doc = $about:literal] $name:literal $(as $pytorch:literal)?
        ($($parameter:ident: $kind:ident $(= $default:tt)?),*) $gradient:ident $outputs:literal => $function:expr;)*) => {
        /// The rows of this family.
        pub(crate) const ROWS: &[crate::commands::operations::definition::Operation] = &[
            $(crate::commands::operations::definition::Operation {
                name: $name,
                parameters: &[$(crate::commands::operations::parameter::Parameter {
                    name: stringify!($parameter),
                    kind: crate::commands::operations::parameter::Kind::$kind,
                    default: crate::commands::operations::definition::operations!(@default $($default)?),
                }),*],
                outputs: $outputs,
                #[cfg(test)]
                pytorch: concat!($($pytorch)?),
                #[cfg(test)]
                about: $about,
                #[cfg(test)]
                gradient: crate::commands::operations::definition::operations!(@gradient $gradient),
            }),*
        ];

        /// The functions of the rows.
        pub(crate) fn functions<$engine: crate::engine::Engine>()
        -> &'static [crate::commands::operations::definition::Function<$engine>] {
            &[$($function),*]
        }
    };
}
pub(crate) use operations;

impl Operation {
    /// Reads the arguments, runs the function and makes handles of its results.
    pub(crate) fn run<E: Engine>(
        &self,
        function: Function<E>,
        session: &mut Session<E>,
        arguments: Arguments,
    ) -> Result<Value> {
        let given = Given::read(session, self.parameters, arguments)?;
        self.run_with(function, session, &given)
    }

    /// Runs the function and makes handles of its results.
    pub(crate) fn run_with<E: Engine>(
        &self,
        function: Function<E>,
        session: &mut Session<E>,
        given: &Given<E>,
    ) -> Result<Value> {
        let device = given.device(&session.engine)?;
        let mut context = Context { engine: &session.engine, random: &mut session.random, device };
        match function(&mut context, given)?.unshared(context.engine, given)? {
            Output::One(tensor) => session.insert(Object::Tensor(tensor)),
            Output::Plain(value) => Ok(value),
            Output::Several(tensors) => session.insert_all(tensors.into_iter().map(Object::Tensor).collect()),
        }
    }
}

impl<E: Engine> Output<E> {
    /// The result, with copies of tensors that share memory with an argument: a write to one of two tensors never changes the
    /// other.
    pub(crate) fn unshared(self, engine: &E, given: &Given<E>) -> Result<Self> {
        let own = |tensor| given.tensors().try_fold(tensor, |tensor, given| engine.unshared(tensor, &[given]));
        Ok(match self {
            Output::One(tensor) => Output::One(own(tensor)?),
            Output::Several(tensors) => {
                let mut all = Vec::new();
                for tensor in tensors {
                    all.push(own(tensor)?);
                }
                Output::Several(all)
            }
            plain => plain,
        })
    }
}
