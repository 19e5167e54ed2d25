//! An optimizer whose state several processes share.

use stepwell_optim::{Buffer, Code, Error, Result, State};

use crate::engine::Engine;
use crate::engine::library_optimizers::only_fused;
use crate::training::bound_optimizer::{BoundOptimizer, WithState};
use crate::training::data_parallel::DataParallel;
use crate::training::same_objects::Digest;
use crate::training::sharding::Sharding;

impl<E: Engine> BoundOptimizer<E> {
    /// Fails if processes cannot share the state.
    pub(crate) fn check_sharded(&self) -> Result<()> {
        let definition = self.optimizer.definition();
        if definition.needs_closure() {
            let message = format_args!(
                "{} cannot be sharded: its history is one vector of all parameters, which each process needs",
                definition.name
            );
            return Err(Error::new(Code::Unsupported, message));
        }
        match self.library() {
            Some(_) => Err(only_fused(definition, "since only Stepwell's own implementation can be sharded")),
            None => Ok(()),
        }
    }

    /// Trains with other processes. If they share the state, forgets what this process does not own.
    pub(crate) fn begin_parallel(&mut self, engine: &E, parallel: DataParallel<E>, is_sharded: bool) -> Result<()> {
        let splits = self.optimizer.splits_parameters();
        if is_sharded {
            self.fetch_state(engine)?;
        }
        self.sharding =
            if is_sharded { Some(Sharding::new(engine, &self.tensors, splits, parallel.number())?) } else { None };
        self.data_parallel = Some(parallel);
        self.keep_owned()
    }

    /// Trains with the processes of an optimizer that this one takes the place of, after a checkpoint was loaded.
    pub(crate) fn go_on_with(&mut self, engine: &E, before: &mut Self) -> Result<()> {
        let Some(parallel) = before.data_parallel.take() else { return Ok(()) };
        parallel.set_loaded(self.loaded_text()?);
        self.begin_parallel(engine, parallel, before.sharding.take().is_some())
    }

    /// The state in words, the same for equal ones. Of a sharded one, the parts differ from process to process.
    pub(crate) fn loaded_text(&self) -> Result<String> {
        if self.sharding.is_some() {
            return Ok("a loaded part of the state".to_owned());
        }
        let optimizer = self.with_state()?;
        let mut digest = Digest::default();
        for state in optimizer.groups().iter().flat_map(|group| group.states()) {
            let Some(State { step, buffers }) = state else {
                digest.add(b"none");
                continue;
            };
            digest.add(&step.to_le_bytes());
            buffers.iter().for_each(|buffer| digest.add(buffer.as_ref().map_or(b"none", Buffer::as_bytes)));
        }
        if let Some(curvature) = optimizer.lbfgs_state_dict()? {
            digest.add(format!("{curvature:?}").as_bytes());
        }
        Ok(format!("a loaded state of digest {}", digest.text()))
    }

    /// Trains alone from now on, if the process group was destroyed.
    ///
    /// # Errors
    /// [`Code::Argument`] if other processes have parts of the state.
    pub(crate) fn leave_ended_group(&mut self) -> Result<()> {
        if !self.data_parallel.as_ref().is_some_and(DataParallel::has_ended) {
            return Ok(());
        }
        if self.sharding.is_some() {
            let message = "other processes have parts of its state, and their group was destroyed: load a checkpoint into a new optimizer";
            return Err(Error::new(Code::Argument, message));
        }
        self.data_parallel = None;
        Ok(())
    }

    /// Takes the state of all parameters from the processes that share it.
    pub(crate) fn take_whole_state(&mut self, engine: &E) -> Result<()> {
        let Some(sharding) = &self.sharding else { return Ok(()) };
        let states = sharding.states(engine, &self.optimizer, true)?;
        self.optimizer.set_states(states);
        Ok(())
    }

    /// Forgets the state that other processes have.
    pub(crate) fn keep_owned(&mut self) -> Result<()> {
        match &self.sharding {
            Some(sharding) => self.optimizer.keep_owned(&sharding.shards),
            None => Ok(()),
        }
    }

    /// The optimizer with the state of all parameters. If processes share it, each calls this, and without elements the buffers are empty.
    pub(crate) fn with_whole_state(&self, engine: &E, has_elements: bool) -> Result<WithState<'_>> {
        let Some(sharding) = &self.sharding else { return self.with_state() };
        let mut copy = self.optimizer.without_state();
        copy.set_states(sharding.states(engine, &self.optimizer, has_elements)?);
        let copy = Box::new(copy);
        Ok(if has_elements { WithState::Copy(copy) } else { WithState::Parts(copy) })
    }
}
