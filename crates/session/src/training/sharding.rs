//! The state of an optimizer that several processes share. Each has the state of the parts of parameters that it owns, makes their steps, and gives
//! their values to the others.

use std::cell::Cell;
use std::slice;
use std::sync::Arc;

use stepwell_optim::{
    Buffer, BufferType, Code, Error, Gather, MAX_BUFFERS, Optimizer, Outcome, Part, Peers, Result, Shards, State,
};

use crate::engine::Engine;
use crate::engine::process_group::ProcessGroup;
use crate::training::data_parallel::optimizer_text;
use crate::training::same_objects::{self, PartKind, check_same};
use crate::values::data::Data;
use crate::values::device::Device;
use crate::values::dtype::Dtype;

/// The processes that share the state of an optimizer.
pub(crate) struct Sharding<E: Engine> {
    pub(crate) group: Arc<dyn ProcessGroup<E::Tensor>>,
    pub(super) shards: Arc<Shards>,
    /// The number of the optimizer, which is the same on all processes.
    pub(crate) number: u64,
}

/// A step of these processes.
pub(crate) struct ShardedStep<E: Engine> {
    sharding: Sharding<E>,
    /// Whether it has exchanged numbers with the other processes.
    has_met: Cell<bool>,
}

/// In numbers: whether a parameter has a state, its step count, and type and length of each buffer.
const ROW: usize = 2 + 2 * MAX_BUFFERS;

impl<E: Engine> Clone for Sharding<E> {
    fn clone(&self) -> Self {
        Self { group: Arc::clone(&self.group), shards: Arc::clone(&self.shards), number: self.number }
    }
}

impl<E: Engine> ShardedStep<E> {
    pub(crate) fn new(sharding: &Sharding<E>) -> Self {
        Self { sharding: sharding.clone(), has_met: Cell::new(false) }
    }

    /// Gives numbers to all processes, and returns the numbers of each.
    pub(crate) fn gather(&self, row: &[f64]) -> Result<Vec<Vec<f64>>> {
        self.has_met.set(true);
        self.sharding.group.gather(row)
    }

    pub(crate) fn peers<'a>(&'a self, gather: &'a Gather<'a>) -> Peers<'a> {
        Peers { shards: &self.sharding.shards, gather }
    }

    /// Ends the step: after an update, gives each process the parameters of all owners. Each process has the gradients of all parameters, or of
    /// none.
    pub(crate) fn finish(&self, engine: &E, tensors: &[E::Tensor], result: Result<()>, outcome: Outcome) -> Result<()> {
        if result.is_err() && !self.has_met.get() {
            // The others wait for the numbers of this process. Its own error says more than the one of an exchange.
            let _ = self.sharding.group.gather(&self.sharding.shards.failure());
        }
        result?;
        match outcome {
            Outcome::Stepped => self
                .sharding
                .copy_from_owners(tensors, &|tensor| engine.requires_grad(tensor) && engine.grad(tensor).is_some()),
            Outcome::Skipped | Outcome::Pending => Ok(()),
        }
    }
}

impl<E: Engine> Sharding<E> {
    /// Has the processes of the engine share the state of these parameters, which are the same on each. If `splits` is true, one that is larger
    /// than the share of a process belongs to several.
    pub(super) fn new(engine: &E, tensors: &[E::Tensor], splits: bool, number: u64) -> Result<Self> {
        let group = engine.process_group().ok_or_else(|| Error::new(Code::Internal, "processes without a group"))?;
        let mut parameters = Vec::with_capacity(tensors.len());
        for tensor in tensors {
            parameters.push((engine.shape(tensor)?.iter().product(), engine.requires_grad(tensor)));
        }
        let shards = Arc::new(Shards::new(group.rank(), group.size(), &parameters, splits));
        Ok(Self { group, shards, number })
    }

    /// Gives each process the elements that the owners of some parameters have.
    pub(crate) fn copy_from_owners(&self, tensors: &[E::Tensor], is_wanted: &dyn Fn(&E::Tensor) -> bool) -> Result<()> {
        let (mut wanted, mut parts) = (Vec::new(), Vec::new());
        for (tensor, own) in tensors.iter().zip(self.shards.parts()).filter(|(tensor, _)| is_wanted(tensor)) {
            wanted.push(tensor.clone());
            parts.push(&**own);
        }
        self.group.copy_from_owners(&wanted, &parts)
    }

    /// True if something is true on one of the processes. If it has failed on one, it fails on all.
    pub(crate) fn any(&self, own: Result<bool>) -> Result<bool> {
        let (_, rows) = self.exchange(own, |own| vec![f64::from(u8::from(*own))], 1)?;
        Ok(rows.iter().any(|row| row[0] > 0.0))
    }

    /// Gives numbers of a result to all processes, as many on each. Returns the result and the numbers of each process. If it has failed on
    /// one, it fails on all.
    pub(crate) fn exchange<T>(
        &self,
        own: Result<T>,
        numbers: impl FnOnce(&T) -> Vec<f64>,
        count: usize,
    ) -> Result<(T, Vec<Vec<f64>>)> {
        let mut row = match &own {
            Ok(own) => numbers(own),
            // The group is of no use: another meeting could take the timeout once more.
            Err(error) if error.code() == Code::Distributed => return own.map(|own| (own, Vec::new())),
            Err(_) => vec![0.0; count],
        };
        row.push(f64::from(u8::from(own.is_err())));
        let rows = self.group.gather(&row);
        let own = own?;
        let mut rows = rows?;
        let failed: Vec<_> = rows.iter_mut().map(Vec::pop).collect();
        match failed.iter().position(|failed| *failed != Some(0.0)) {
            Some(rank) => {
                Err(Error::new(Code::Distributed, format!("rank {rank} has failed in this call, and says why")))
            }
            None => Ok((own, rows)),
        }
    }

    /// The number of this process.
    pub(crate) fn rank(&self) -> usize {
        self.group.rank()
    }

    /// The parts of a parameter with their owners, one after the other.
    pub(crate) fn parts(&self) -> &[Vec<Part>] {
        self.shards.parts()
    }

    /// The states of all parameters. Without elements their buffers are empty, of the right types. Each process calls it.
    ///
    /// # Errors
    /// [`Code::Parameter`] if processes call it of different optimizers.
    pub(super) fn states(&self, engine: &E, optimizer: &Optimizer, has_elements: bool) -> Result<Vec<Option<State>>> {
        let own = same_objects::Part { kind: PartKind::Object, text: optimizer_text(self.number) };
        check_same(&*self.group, &[own])?;
        let own: Vec<_> = optimizer.groups().iter().flat_map(|group| group.states()).map(Option::as_ref).collect();
        let mut row = Vec::with_capacity(ROW * own.len());
        for state in &own {
            row.extend([f64::from(u8::from(state.is_some())), state.map_or(0, |state| state.step) as f64]);
            for index in 0..MAX_BUFFERS {
                let buffer = state.and_then(|state| state.buffers[index].as_ref());
                row.extend(buffer.map_or([0.0; 2], |buffer| [number_of(buffer.element()), buffer.len() as f64]));
            }
        }
        let rows = self.group.gather(&row)?;
        let mut states = Vec::with_capacity(own.len());
        for (parameter, parts) in self.shards.parts().iter().enumerate() {
            // All owners of a parameter have made its steps.
            let described = |owner: usize| &rows[owner][ROW * parameter..][..ROW];
            let Some(first) = parts.first().map(|part| described(part.owner)).filter(|first| first[0] != 0.0) else {
                states.push(None);
                continue;
            };
            let mut state = State { step: first[1] as u64, ..State::default() };
            for index in 0..MAX_BUFFERS {
                let own = own[parameter].and_then(|state| state.buffers[index].as_ref());
                let mut whole: Option<Data> = None;
                for owner in parts.iter().map(|part| part.owner) {
                    let [number, length] = [0, 1].map(|i| described(owner)[2 + 2 * index + i]);
                    let Some(dtype) = dtype_of(number) else { continue };
                    let part = match has_elements {
                        true => self.elements(engine, own, owner, dtype, length as usize)?,
                        false => Data::Long(Vec::new()).cast(dtype)?,
                    };
                    whole = Some(match whole {
                        Some(whole) => joined(whole, part)?,
                        None => part,
                    });
                }
                state.buffers[index] = whole.map(|whole| whole.to_buffer(index)).transpose()?;
            }
            states.push(Some(state));
        }
        Ok(states)
    }

    /// The elements of a buffer of an owner, which has it. Each process calls it.
    pub(crate) fn elements(
        &self,
        engine: &E,
        own: Option<&Buffer>,
        owner: usize,
        dtype: Dtype,
        length: usize,
    ) -> Result<Data> {
        let tensor = match own.filter(|_| owner == self.group.rank()) {
            Some(buffer) => engine.tensor(&Data::try_from(buffer)?, &[length], Device::Cpu)?,
            None => engine.full(&Data::Long(vec![0]).cast(dtype)?, &[length], Device::Cpu)?,
        };
        self.group.broadcast(slice::from_ref(&tensor), owner)?;
        engine.data(&tensor)
    }
}

/// The elements of two parts of a buffer.
fn joined(first: Data, second: Data) -> Result<Data> {
    fn add<T>(mut first: Vec<T>, mut second: Vec<T>) -> Vec<T> {
        first.append(&mut second);
        first
    }
    match (first, second) {
        (Data::Float(first), Data::Float(second)) => Ok(Data::Float(add(first, second))),
        (Data::Double(first), Data::Double(second)) => Ok(Data::Double(add(first, second))),
        (Data::BFloat16(first), Data::BFloat16(second)) => Ok(Data::BFloat16(add(first, second))),
        _ => Err(Error::new(Code::Internal, "parts of a buffer of different types")),
    }
}

/// The types of buffers, each with its number.
const TYPES: [(BufferType, Dtype, f64); 3] = [
    (BufferType::Float, Dtype::Float, 1.0),
    (BufferType::Double, Dtype::Double, 2.0),
    (BufferType::BFloat16, Dtype::BFloat16, 3.0),
];

fn number_of(element: BufferType) -> f64 {
    TYPES.iter().find(|(known, ..)| *known == element).map_or(0.0, |(_, _, number)| *number)
}

fn dtype_of(number: f64) -> Option<Dtype> {
    TYPES.iter().find(|(_, _, known)| *known == number).map(|(_, dtype, _)| *dtype)
}
