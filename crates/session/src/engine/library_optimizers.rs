//! Optimizers that come with a tensor library, for `fused: false`.

use stepwell_optim::{
    AnyLbfgsStateDict, Code, Definition, Error, OptionValue, Result, Shared, State, first_changed_extension,
};

/// An optimizer of the tensor library itself: it takes the same options and makes the same state as Stepwell's.
pub enum LibraryOptimizer<T> {
    /// One that updates each parameter by itself. It keeps the state.
    Each(Box<dyn LibraryEach<T>>),
    /// L-BFGS. The library holds no state; Stepwell holds it.
    Closure(Shared<Minimize<T>>),
}

/// Parameters that share options.
pub struct LibraryGroup<'a, T> {
    /// A row of the option table. Its extensions are at their defaults.
    pub options: &'a [OptionValue],
    /// The parameters.
    pub parameters: &'a [T],
}

/// An optimizer that updates each parameter by itself, and its state.
pub trait LibraryEach<T>: Send + Sync {
    /// Updates every parameter that has a gradient and requires one. Nothing is updated unless each of these gradients fits
    /// its parameter.
    /// Afterwards a backward through an older graph of a parameter is an error, not a wrong gradient.
    /// `name` has the name of a parameter by its index, for messages. Indices count through all groups.
    fn step(&self, groups: &[LibraryGroup<'_, T>], name: &dyn Fn(usize) -> String) -> Result<()>;
    /// A copy of the state of each parameter; `None` before its first step.
    fn states(&self, parameters: &[T]) -> Result<Vec<Option<State>>>;
    /// Sets the state of each parameter.
    fn set_states(&self, parameters: &[T], states: &[Option<State>]) -> Result<()>;
}

/// One step of L-BFGS from a state. Returns the loss at its start and the next state. After an error, the closure's or
/// another, the parameters are as they were.
pub type Minimize<T> = dyn Fn(
        &LibraryGroup<'_, T>,
        Option<&AnyLbfgsStateDict>,
        &mut dyn FnMut() -> Result<f64>,
    ) -> Result<(f64, AnyLbfgsStateDict)>
    + Send
    + Sync;

/// The error of an optimizer that does not support `fused: false`.
pub fn only_fused(definition: &Definition, reason: &str) -> Error {
    Error::new(
        Code::OptionRange,
        format_args!("{} fused: expected true, {reason}, given boolean false", definition.name),
    )
}

/// Fails if a row of options has changed an extension, which the tensor library does not have.
pub(crate) fn reject_extensions(definition: &Definition, row: &[OptionValue]) -> Result<()> {
    let Some(spec) = first_changed_extension(definition.options, row) else { return Ok(()) };
    let (name, option) = (definition.name, spec.name);
    let message =
        format_args!("{name} {option}: expected the default with fused false, since only Stepwell's own has it");
    Err(Error::new(Code::OptionRange, message))
}

/// The options that choose how an optimizer makes its steps. Option tables do not have them, because they are not options of
/// a group.
pub(crate) const MODE_OPTIONS: [&str; 2] = ["fused", "offload"];

/// Removes the [`MODE_OPTIONS`] from the named options. Returns their values, in order.
pub(crate) fn take_mode_options(owner: &str, named: &mut Vec<(String, OptionValue)>) -> Result<[Option<bool>; 2]> {
    let mut flags = [None; 2];
    for (name, value) in named.extract_if(.., |(name, _)| MODE_OPTIONS.contains(&&**name)) {
        let flag = match value {
            OptionValue::Flag(flag) => flag,
            other => {
                let message = format_args!("{owner} {name}: expected a boolean, given {other}");
                return Err(Error::new(Code::OptionType, message));
            }
        };
        if flags[usize::from(name != MODE_OPTIONS[0])].replace(flag).is_some() {
            return Err(Error::new(Code::Argument, format_args!("{owner} {name}: given twice")));
        }
    }
    Ok(flags)
}
