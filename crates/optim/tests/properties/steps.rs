//! The way in which the tests of steps make them: on the host. `crates/cuda/tests/laws` has another module of this name,
//! and runs the same tests on a device.

use stepwell_optim::{InstructionSet, Optimizer, Outcome, Result, State, StepOptions, View};

/// The numbers of threads that give equal results.
pub(crate) const THREADS: &[usize] = &[2, 3, 4, 8];

/// The instruction sets that give equal results.
pub(crate) fn instruction_sets() -> &'static [InstructionSet] {
    InstructionSet::available()
}

/// Makes a step.
pub(crate) fn step(
    optimizer: &mut Optimizer,
    views: &mut [Option<View<'_>>],
    options: StepOptions<'_>,
) -> Result<Outcome> {
    optimizer.step(views, options)
}

/// The state of all parameters as text.
pub(crate) fn states(optimizer: &Optimizer) -> String {
    let states: Vec<&Option<State>> = optimizer.groups().iter().flat_map(|group| group.states()).collect();
    format!("{states:?}")
}
