//! State made when it is first needed.

use crate::memory::{Arena, Place};
use crate::optimizer::Group;
use crate::state::{Buffer, MAX_BUFFERS, State};
use crate::sweep::Program;
use crate::{Result, View};

/// Makes the buffers that this step needs and that are not there yet: all of them, before anything is updated, in one
/// allocation. Returns for each view whether it got one.
pub(super) fn make_state(program: &dyn Program, groups: &mut [Group], views: &[Option<View<'_>>]) -> Result<Vec<bool>> {
    enum Planned {
        Float(Place<f32>, f64),
        Double(Place<f64>, f64),
    }
    let mut arena = Arena::default();
    let mut planned = Vec::new();
    let mut fresh = vec![false; views.len()];
    for kind in 0..MAX_BUFFERS {
        let start = arena.bytes();
        let mut slots = views.iter().enumerate();
        for (group, members) in groups.iter().enumerate() {
            let fill = program.fills(group)[kind];
            for (index, (state, (number, view))) in members.states.iter().zip(&mut slots).enumerate() {
                let (Some(view), Some(fill)) = (view, fill) else { continue };
                let there = state.as_ref().and_then(|state| state.buffers[kind].as_ref());
                if there.is_some_and(|buffer| buffer.fits(view)) {
                    continue;
                }
                let place = match view {
                    View::Float(p, _) => Planned::Float(arena.add(p.len())?, fill),
                    View::Double(p, _) => Planned::Double(arena.add(p.len())?, fill),
                };
                planned.push((group, index, kind, place));
                fresh[number] = true;
            }
        }
        arena.stagger(start);
    }
    let memory = if planned.is_empty() { None } else { Some(arena.allocate()?) };
    // Also a parameter without buffers has a state: its count of steps.
    let mut slots = views.iter();
    for members in groups.iter_mut() {
        for (state, view) in members.states.iter_mut().zip(&mut slots) {
            if view.is_some() && state.is_none() {
                *state = Some(State::default());
            }
        }
    }
    let Some(memory) = memory else { return Ok(fresh) };
    for (group, index, kind, place) in planned {
        let buffer = match place {
            Planned::Float(place, fill) => Buffer::Float(memory.take(place, fill as f32)),
            Planned::Double(place, fill) => Buffer::Double(memory.take(place, fill)),
        };
        if let Some(state) = &mut groups[group].states[index] {
            state.buffers[kind] = Some(buffer);
        }
    }
    Ok(fresh)
}
