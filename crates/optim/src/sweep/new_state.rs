//! Creation and conversion of state, at the first step that needs it.

use std::array;

use half::{bf16, f16};

use crate::error::{Code, Error, Result};
use crate::fallible::{filled, push_checked};
use crate::memory::{Arena, ArenaLayout};
use crate::state::buffer::{Buffer, BufferType, PlannedBuffer, buffer_type};
use crate::state::group::Group;
use crate::state::page_offsets::page_offset;
use crate::state::param_state::{MASTER, MAX_BUFFERS, PARAM_AVERAGE, RULE_BUFFERS, State};
use crate::state::view::{Element, View};
use crate::sweep::erased_rule::ErasedRule;

/// Marks the state that a step created for a parameter.
#[derive(Clone, Copy, Default)]
pub(crate) struct Created {
    /// True for a buffer of the formula.
    pub(crate) rule_buffers: bool,
    /// True for the moving average of the parameter.
    pub(crate) param_average: bool,
}

/// A buffer that a step creates: the parameter, the initial value, and the planned memory.
struct PlannedState {
    group: usize,
    /// Index within the group.
    parameter_index: usize,
    /// Index of the view.
    view_index: usize,
    buffer_index: usize,
    fill: f64,
    buffer: PlannedBuffer,
}

/// Allocated buffers that no state contains yet.
pub(super) struct NewState {
    arena: Option<Arena>,
    planned: Vec<PlannedState>,
    /// One entry for each view.
    pub(super) created: Vec<Created>,
}

/// Plans the buffers that are missing or have another type than this step needs, in one allocation of at most `limit`
/// bytes. Changes nothing before [`NewState::install`].
pub(super) fn plan_state(
    rule: &dyn ErasedRule,
    groups: &[Group],
    views: &[Option<View<'_>>],
    limit: &dyn Fn(usize) -> usize,
) -> Result<NewState> {
    let mut layout = ArenaLayout::default();
    let mut planned = Vec::new();
    let mut created = filled(views.len(), Created::default())?;
    for buffer_index in 0..MAX_BUFFERS {
        let start = layout.bytes();
        let mut slots = views.iter().enumerate();
        for (group, members) in groups.iter().enumerate() {
            for (parameter_index, (state, (view_index, view))) in members.states.iter().zip(&mut slots).enumerate() {
                let Some(view) = view else { continue };
                let Some((fill, element)) = wanted_buffer(rule, group, view.element(), buffer_index)? else {
                    continue;
                };
                let existing = state.as_ref().and_then(|state| state.buffers[buffer_index].as_ref());
                let existing = existing.filter(|buffer| buffer.len() == view.len());
                if existing.is_some_and(|buffer| buffer.element() == element) {
                    continue;
                }
                let buffer = PlannedBuffer::new(
                    &mut layout,
                    element,
                    view.len(),
                    page_offset(view.location().parameter, buffer_index),
                )?;
                push_checked(
                    &mut planned,
                    PlannedState { group, parameter_index, view_index, buffer_index, fill, buffer },
                )?;
                match buffer_index {
                    // A buffer of another type is converted, not created.
                    _ if existing.is_some() => {}
                    MASTER => {}
                    PARAM_AVERAGE => created[view_index].param_average = true,
                    _ => created[view_index].rule_buffers = true,
                }
            }
        }
        layout.stagger(start);
    }
    let bytes = layout.bytes();
    if bytes > 0 && bytes > limit(bytes) {
        let message = format_args!("not enough memory for a state of {bytes} bytes");
        return Err(Error::new(Code::Memory, message));
    }
    let arena = if planned.is_empty() { None } else { Some(layout.allocate()?) };
    Ok(NewState { arena, planned, created })
}

impl NewState {
    /// Moves the buffers into the states of the parameters.
    pub(super) fn install(self, groups: &mut [Group], views: &[Option<View<'_>>]) {
        // A parameter without buffers has a state, too: its step count.
        let mut slots = views.iter();
        for members in groups.iter_mut() {
            for (state, view) in members.states.iter_mut().zip(&mut slots) {
                let Some(view) = view else { continue };
                let state = state.get_or_insert_default();
                if !view.element().is_16_bit() {
                    // A master weight from the time before the parameter got 32 bits.
                    state.buffers[MASTER] = None;
                }
            }
        }
        let Some(arena) = self.arena else { return };
        for PlannedState { group, parameter_index, view_index, buffer_index, fill, buffer } in self.planned {
            let mut buffer = buffer.take(&arena, fill);
            if let (MASTER, Some(view)) = (buffer_index, &views[view_index])
                && view.element().is_16_bit()
            {
                copy_weights(view, &mut buffer);
            }
            if let Some(state) = &mut groups[group].states[parameter_index] {
                if let Some(before) = state.buffers[buffer_index].as_ref().filter(|before| before.len() == buffer.len())
                {
                    buffer.convert(before);
                }
                state.buffers[buffer_index] = Some(buffer);
            }
        }
    }
}

/// The initial value and the type of a buffer for a parameter of type `element`; `None` if the options do not use it.
#[inline(always)]
pub(crate) fn wanted_buffer(
    rule: &dyn ErasedRule,
    group: usize,
    element: Element,
    buffer_index: usize,
) -> Result<Option<(f64, BufferType)>> {
    let shared = rule.shared(group);
    let fill = match buffer_index {
        MASTER => element.is_16_bit().then_some(0.0),
        PARAM_AVERAGE => shared.average.and(Some(0.0)),
        _ => rule.initial_values(group)[buffer_index],
    };
    let Some(fill) = fill else { return Ok(None) };
    let is_gradient_average =
        rule.gradient_averages().get(buffer_index).is_some_and(|is_gradient_average| *is_gradient_average);
    Ok(Some((fill, buffer_type(element, is_gradient_average, shared.bfloat16_moments)?)))
}

/// Marks the formula's buffers in bfloat16, once all exist. Includes only buffers in use, since an option may add one
/// later.
pub(crate) fn bfloat16_buffers(rule: &dyn ErasedRule, group: usize, state: Option<&State>) -> [bool; RULE_BUFFERS] {
    let (gradient_averages, initial_values) = (rule.gradient_averages(), rule.initial_values(group));
    let stores_bfloat16 = rule.shared(group).bfloat16_moments;
    array::from_fn(|buffer_index| {
        let is_in_use =
            initial_values[buffer_index].is_some() || state.is_some_and(|state| state.buffers[buffer_index].is_some());
        stores_bfloat16 && gradient_averages[buffer_index] && is_in_use
    })
}

/// Widens 16-bit weights to master weights; exact.
fn copy_weights(view: &View<'_>, master: &mut Buffer) {
    let Buffer::Float(master) = master else { return };
    match view {
        View::Half(p, _) => master.iter_mut().zip(&**p).for_each(|(master, p)| *master = f16::to_f32(*p)),
        View::BFloat16(p, _) => master.iter_mut().zip(&**p).for_each(|(master, p)| *master = bf16::to_f32(*p)),
        View::Float(..) | View::Double(..) => {}
    }
}
