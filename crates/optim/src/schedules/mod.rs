//! The list of schedules. A new one needs its file, its line here and its recording in `test/parity`.

pub(crate) mod closed_form;
pub(crate) mod definition;
pub(crate) mod schedule;

use crate::error::{Code, Error, Result};
use crate::joined::joined;
use crate::schedules::closed_form::closed_form;
use crate::schedules::definition::ScheduleDefinition;

macro_rules! schedules {
    ($($module:ident => $definition:expr,)*) => {
        $(mod $module;)*

        /// Every schedule, by name in alphabetical order.
        pub static SCHEDULES: &[ScheduleDefinition] = &[$($definition,)*];
    };
}

schedules! {
    chained => chained::DEFINITION,
    cosine => closed_form::<cosine::Cosine>(),
    exponential => closed_form::<exponential::Exponential>(),
    linear => closed_form::<linear::Linear>(),
    multistep => closed_form::<multistep::MultiStep>(),
    onecycle => closed_form::<onecycle::OneCycle>(),
    plateau => plateau::DEFINITION,
    polynomial => closed_form::<polynomial::Polynomial>(),
    restarts => closed_form::<restarts::Restarts>(),
    step => closed_form::<step::StepSchedule>(),
    warmup => warmup::DEFINITION,
}

/// Looks a schedule up by name.
pub fn schedule_definition(name: &str) -> Result<&'static ScheduleDefinition> {
    SCHEDULES.iter().find(|definition| definition.name == name).ok_or_else(|| {
        let known: Vec<_> = SCHEDULES.iter().map(|definition| definition.name).collect();
        let message = format_args!("unknown schedule `{name}`, expected one of {}", joined(&known, ", "));
        Error::new(Code::UnknownName, message)
    })
}
