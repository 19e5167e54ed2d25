//! An optimizer bound to the tensors that it updates.

use std::ops::Deref;

use stepwell_optim::{
    Clip, Code, Error, LossScale, NonFinite, Optimizer, OptionValue, Outcome, Result, State, StateSize, StepOptions,
    View,
};

use crate::engine::Engine;
use crate::engine::library_optimizers::reject_extensions;
use crate::engine::library_optimizers::{LibraryGroup, LibraryOptimizer, only_fused};
#[cfg(not(target_family = "wasm"))]
use crate::engine::placement::Placement;
use crate::nn::context::ForwardContext;
use crate::nn::host::backward;
use crate::training::clip::{clip_gradients, multiply_gradients};
use crate::training::data_parallel::{DataParallel, StartedReduction};
use crate::training::parameter_list::ParameterList;
use crate::training::parameter_registry::ParameterRegistry;
use crate::training::passes::{Pass, Passes, Share};
#[cfg(not(target_family = "wasm"))]
use crate::training::sharding::{ShardedStep, Sharding};
use crate::training::step_call::StepCall;
use crate::training::step_mode::StepMode;
use crate::values::data::Data;
use crate::values::dedupe::first_positions;
use crate::values::dtype::Dtype;

/// An optimizer with its parameters and their origin.
pub(crate) struct BoundOptimizer<E: Engine> {
    pub(crate) optimizer: Optimizer,
    mode: StepMode<E::Tensor>,
    pub(crate) registry: ParameterRegistry<E>,
    groups: Vec<Vec<Parameter<E>>>,
    /// The tensors of all groups, one group after the other.
    pub(crate) tensors: Vec<E::Tensor>,
    view_cache: E::ViewCache,
    /// The loss scale in gradients that follow the scale once the outcome of the last step is known; `None` if they do.
    #[cfg(not(target_family = "wasm"))]
    unfollowed_scale: Option<f64>,
    /// Which parameters were trained when L-BFGS learned its state; `None` before its first step.
    pub(crate) trained_for_state: Option<Vec<bool>>,
    /// The processes that train the parameters; `None` for this one alone.
    pub(crate) data_parallel: Option<DataParallel<E>>,
    /// The processes that share the state; `None` if this one has all of it.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) sharding: Option<Sharding<E>>,
}

/// A parameter of a group.
pub(crate) struct Parameter<E: Engine> {
    pub(crate) tensor: E::Tensor,
    /// The kind of the module that owns it.
    pub(crate) kind: &'static str,
}

impl<E: Engine> BoundOptimizer<E> {
    pub(crate) fn new(optimizer: Optimizer, mode: StepMode<E::Tensor>) -> Self {
        Self {
            optimizer,
            mode,
            registry: ParameterRegistry::new(),
            groups: vec![Vec::new()],
            tensors: Vec::new(),
            view_cache: E::ViewCache::default(),
            #[cfg(not(target_family = "wasm"))]
            unfollowed_scale: None,
            trained_for_state: None,
            data_parallel: None,
            #[cfg(not(target_family = "wasm"))]
            sharding: None,
        }
    }

    /// The tensor library's own optimizer, if it makes the steps (`fused: false`).
    pub(crate) fn library(&self) -> Option<&LibraryOptimizer<E::Tensor>> {
        match &self.mode {
            StepMode::Library(library) if E::HAS_OPTIMIZERS => Some(library),
            _ => None,
        }
    }

    /// True if steps are made in host memory on copies of the parameters (`offload: true`).
    pub(crate) fn is_offloaded(&self) -> bool {
        matches!(self.mode, StepMode::Offload)
    }

    /// Sets options of a group, or adds the group, and appends parameters to it. A failure changes nothing.
    pub(crate) fn edit(
        &mut self,
        engine: &E,
        group: usize,
        list: ParameterList<E>,
        positional: &[OptionValue],
        named: &[(String, OptionValue)],
    ) -> Result<()> {
        #[cfg(not(target_family = "wasm"))]
        self.leave_ended_group()?;
        if self.data_parallel.is_some() && !list.tensors.is_empty() {
            let message = "the processes of a training have agreed on the parameters: add them before `distributed`";
            return Err(Error::new(Code::Parameter, message));
        }
        let options = self.optimizer.plan(group, positional, named)?;
        if self.library().is_some() {
            reject_extensions(self.optimizer.definition(), &options)?;
        }
        self.check(engine, &list)?;
        let mut registry = self.registry.clone();
        registry.add(&list)?;
        self.optimizer.edit(group, options, list.tensors.len())?;

        self.registry = registry;
        self.groups.resize_with(self.optimizer.groups().len(), Vec::new);
        for named in list.tensors {
            self.groups[group].push(Parameter { tensor: named.tensor, kind: named.kind });
        }
        self.view_cache = E::ViewCache::default();
        self.tensors.clear();
        for parameters in &self.groups {
            self.tensors.extend(parameters.iter().map(|parameter| parameter.tensor.clone()));
        }
        Ok(())
    }

    /// Fails if one of the tensors cannot become a parameter.
    fn check(&self, engine: &E, list: &ParameterList<E>) -> Result<()> {
        let (mut groups, mut identities) = (Vec::new(), Vec::new());
        for (group, parameters) in self.groups.iter().enumerate() {
            groups.extend(parameters.iter().map(|_| group));
        }
        for tensor in self.tensors.iter().chain(list.tensors.iter().map(|named| &named.tensor)) {
            identities.push(engine.identity(tensor));
        }
        let first_positions = first_positions(&identities)?;
        for (i, named) in list.tensors.iter().enumerate() {
            let name = if named.name.is_empty() { String::new() } else { format!(" (`{}`)", named.name) };
            let refuse = |what: String| Err(Error::new(Code::Parameter, format_args!("parameter[{i}]{name} {what}")));
            if !engine.is_leaf(&named.tensor) {
                return refuse("is not a leaf tensor".into());
            }
            if !engine.dtype(&named.tensor)?.is_floating() {
                return refuse("is not of floating point, so it can have no gradient".into());
            }
            let first = first_positions[groups.len() + i];
            match groups.get(first) {
                Some(group) => return refuse(format!("already in group {group}")),
                None if first < groups.len() + i => return refuse("is given twice".into()),
                None => {}
            }
        }
        Ok(())
    }

    /// Every parameter with its group, in the order of the groups.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = (usize, &Parameter<E>)> {
        self.groups.iter().enumerate().flat_map(|(group, parameters)| parameters.iter().map(move |p| (group, p)))
    }

    /// The tensors of all groups, one group after the other.
    pub(crate) fn tensors(&self) -> &[E::Tensor] {
        &self.tensors
    }

    /// Gives each process the gradients of all. Returns the loss of all; `pass` has the one of this process.
    pub(crate) fn reduce(&self, engine: &E, pass: &Pass, call: &StepCall<'_>) -> Result<Passes> {
        match self.start_reduction(engine, pass, call)? {
            Some(started) => started.finish(engine, true),
            None => Ok(match *pass {
                Pass::Computed(loss, _) => Passes::Computed(loss),
                Pass::Refused(loss) => Passes::Refused(loss),
                Pass::Failed => Passes::Refused(f64::NAN),
            }),
        }
    }

    /// Starts [`BoundOptimizer::reduce`] before the backward that computes the last gradients. `None` in one process.
    pub(crate) fn start_reduction(
        &self,
        engine: &E,
        pass: &Pass,
        call: &StepCall<'_>,
    ) -> Result<Option<StartedReduction<E>>> {
        #[cfg(not(target_family = "wasm"))]
        if let Some(parallel) = &self.data_parallel {
            return parallel.start(engine, &self.tensors, pass, self.common_options(call)).map(Some);
        }
        let _ = (engine, pass, call);
        Ok(None)
    }

    /// As [`BoundOptimizer::apply`], with the mean of the gradients of all processes.
    pub(crate) fn step(&mut self, engine: &E, call: StepCall<'_>) -> Result<Outcome> {
        #[cfg(not(target_family = "wasm"))]
        self.leave_ended_group()?;
        if self.data_parallel.is_some() {
            self.reduce(engine, &Pass::Computed(0.0, Share::Mean(1.0)), &call)?;
        }
        self.apply(engine, call.clip, call.zerograd, call.nonfinite)
    }

    /// Updates every parameter that has a gradient and is not frozen. Then sets all gradients to zero if
    /// `zero_gradients` is true. [`BoundOptimizer::settle`] tells an outcome that is pending. Clipping does not change gradients, except for the tensor library's own optimizer.
    pub(crate) fn apply(
        &mut self,
        engine: &E,
        clip: Clip,
        zero_gradients: bool,
        non_finite: NonFinite,
    ) -> Result<Outcome> {
        if let Some(LibraryOptimizer::Each(library)) = self.library() {
            let found = if non_finite == NonFinite::Propagate { None } else { self.non_finite(engine)? };
            if let Some(error) = found {
                if non_finite == NonFinite::Error {
                    return Err(error);
                }
                if zero_gradients {
                    self.tensors.iter().try_for_each(|tensor| engine.zero_grad(tensor))?;
                }
                self.optimizer.count_skipped();
                return Ok(Outcome::Skipped);
            }
            if clip != Clip::None {
                let trained = |tensor: &&E::Tensor| engine.requires_grad(tensor);
                let tensors: Vec<_> = self.tensors.iter().filter(trained).cloned().collect();
                clip_gradients(engine, &tensors, clip, 1.0)?;
            }
            library.step(&self.library_groups(), &|index| self.registry.name_of(engine, &self.tensors, index))?;
            if zero_gradients {
                self.tensors.iter().try_for_each(|tensor| engine.zero_grad(tensor))?;
            }
            return Ok(Outcome::Stepped);
        }
        if self.optimizer.loss_scale.is_some() {
            self.settle(engine)?;
        }
        let scale = self.scale_of_loss();
        #[cfg(not(target_family = "wasm"))]
        let placement = if E::HAS_DEVICES { self.step_placement(engine)? } else { Placement::Host };
        #[cfg(not(target_family = "wasm"))]
        let is_staged = self.is_offloaded() || placement == Placement::Mixed;
        #[cfg(target_family = "wasm")]
        let is_staged = self.is_offloaded();
        #[cfg(not(target_family = "wasm"))]
        let shared = self.sharding.as_ref().map(ShardedStep::new);
        #[cfg(not(target_family = "wasm"))]
        let gather = |row: &[f64]| match &shared {
            Some(shared) => shared.gather(row),
            None => Err(Error::new(Code::Internal, "a step of several processes without them")),
        };
        let Self { optimizer, registry, tensors, view_cache, .. } = self;
        let tensors = &**tensors;
        let name = |index: usize| registry.name_of(engine, tensors, index);
        let options = StepOptions {
            clip,
            zero_gradients,
            non_finite,
            name: &name,
            threads: engine.threads(),
            // The engine's limit allows for three copies of a new tensor. State has one copy.
            memory_limit: &|wanted| engine.memory_limit(wanted.div_ceil(3)).saturating_mul(3),
            #[cfg(not(target_family = "wasm"))]
            peers: shared.as_ref().map(|shared| shared.peers(&gather)),
            ..StepOptions::default()
        };
        let mut outcome = Outcome::Stepped;
        #[cfg(not(target_family = "wasm"))]
        if placement == Placement::Devices {
            engine.with_device_views(tensors, &name, view_cache, zero_gradients, &mut |devices, views| {
                outcome = optimizer.device_step(devices, views, options)?;
                Ok(())
            })?;
            if outcome == Outcome::Pending {
                self.unfollowed_scale = Some(scale).filter(|_| !zero_gradients);
                return Ok(outcome);
            }
            self.follow_loss_scale(engine, scale, zero_gradients)?;
            return Ok(outcome);
        }
        let mut step = |views: &mut [Option<View<'_>>]| {
            outcome = optimizer.step(views, options)?;
            Ok(outcome)
        };
        let result = if E::HAS_STAGING && is_staged {
            engine.with_staged_views(tensors, &name, view_cache, zero_gradients, &mut step)
        } else {
            let step = &mut |views: &mut [Option<View<'_>>]| step(views).map(drop);
            engine.with_parameter_views(tensors, &name, view_cache, zero_gradients, step)
        };
        #[cfg(not(target_family = "wasm"))]
        let result = match &shared {
            Some(shared) => shared.finish(engine, tensors, result, outcome),
            None => result,
        };
        result?;
        self.follow_loss_scale(engine, scale, zero_gradients)?;
        Ok(outcome)
    }

    /// The placement of parameters for a step. Except for a step on devices, moves the state to host memory. Parameters of
    /// an offloaded optimizer, and parameters on the host and on a device, are stepped on copies in host memory. So are parameters whose state
    /// several processes share.
    #[cfg(not(target_family = "wasm"))]
    fn step_placement(&mut self, engine: &E) -> Result<Placement> {
        let placement = match self.is_offloaded() {
            true => Placement::Host,
            false => engine.placement(&self.tensors, &mut self.view_cache)?,
        };
        let placement = match placement {
            Placement::Devices if self.sharding.is_some() => Placement::Mixed,
            placement => placement,
        };
        if placement != Placement::Devices {
            self.fetch_state(engine)?;
        }
        Ok(placement)
    }

    /// Moves the state to host memory.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn fetch_state(&mut self, engine: &E) -> Result<()> {
        self.settle(engine)?;
        self.optimizer.fetch_device_state()
    }

    /// Learns the outcomes of all steps, for which it waits. The gradients then follow the loss scale. Returns the outcome of
    /// the last step, if only its own was unknown.
    pub(crate) fn settle(&mut self, engine: &E) -> Result<Option<Outcome>> {
        #[cfg(not(target_family = "wasm"))]
        if E::HAS_DEVICES {
            let outcome = self.optimizer.settle()?;
            if let Some(before) = self.unfollowed_scale {
                self.follow_loss_scale(engine, before, false)?;
                self.unfollowed_scale = None;
            }
            return Ok(outcome);
        }
        let _ = engine;
        Ok(None)
    }

    /// Multiplies the gradients, unless they are zeroed, if a step has changed the loss scale. Backward passes to come
    /// accumulate gradients of the new scale.
    fn follow_loss_scale(&self, engine: &E, before: f64, zeroed: bool) -> Result<()> {
        let change = self.scale_of_loss() / before;
        if change != 1.0 && !zeroed { multiply_gradients(engine, &self.tensors, change) } else { Ok(()) }
    }

    /// The factor of a loss before its backward pass.
    pub(crate) fn scale_of_loss(&self) -> f64 {
        self.optimizer.loss_scale.as_ref().map_or(1.0, LossScale::scale)
    }

    /// Fails if the optimizer cannot scale losses.
    pub(crate) fn check_scales(&self, scales: bool) -> Result<()> {
        let definition = self.optimizer.definition();
        if scales && definition.needs_closure() {
            let message = format_args!("{} scales no losses, since its line search compares them", definition.name);
            return Err(Error::new(Code::Argument, message));
        }
        if scales && self.library().is_some() {
            return Err(only_fused(definition, "since only Stepwell's own implementation scales losses"));
        }
        Ok(())
    }

    /// The groups as the tensor library's optimizer takes them.
    fn library_groups(&self) -> Vec<LibraryGroup<'_, E::Tensor>> {
        let mut rest = &self.tensors[..];
        let counts = self.groups.iter().map(Vec::len);
        let groups = self.optimizer.groups().iter().zip(counts).map(|(group, count)| {
            let (parameters, after) = rest.split_at(count);
            rest = after;
            LibraryGroup { options: group.options(), parameters }
        });
        groups.collect()
    }

    /// Sets the state of each parameter, group after group.
    pub(crate) fn set_states(&mut self, states: Vec<Option<State>>) -> Result<()> {
        if let Some(LibraryOptimizer::Each(library)) = self.library() {
            return library.set_states(&self.tensors, &states);
        }
        self.optimizer.set_states(states);
        #[cfg(not(target_family = "wasm"))]
        {
            self.keep_owned()?;
            if let Some(parallel) = &self.data_parallel {
                parallel.set_loaded(self.loaded_text()?);
            }
        }
        Ok(())
    }

    /// Takes the state of each parameter, wherever it is, group after group. The steps are settled.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn take_states(&mut self) -> Result<Vec<Option<State>>> {
        if let WithState::Copy(mut copy) = self.with_state()? {
            return Ok(copy.take_states());
        }
        Ok(self.optimizer.take_states())
    }

    /// The size of the state, wherever it is.
    pub(crate) fn state_size(&self) -> Result<StateSize> {
        match self.library() {
            Some(_) => Ok(self.with_state()?.state_size()),
            None => Ok(self.optimizer.state_size()),
        }
    }

    /// The optimizer with its state, which the tensor library or a device may hold. The steps are settled.
    pub(crate) fn with_state(&self) -> Result<WithState<'_>> {
        #[cfg(not(target_family = "wasm"))]
        if E::HAS_DEVICES && self.optimizer.has_device_state() {
            let mut copy = self.optimizer.without_state();
            copy.set_states(self.optimizer.device_states()?);
            return Ok(WithState::Copy(Box::new(copy)));
        }
        let Some(LibraryOptimizer::Each(library)) = self.library() else { return Ok(WithState::Own(&self.optimizer)) };
        let mut optimizer = self.optimizer.without_state();
        optimizer.set_states(library.states(&self.tensors)?);
        Ok(WithState::Copy(Box::new(optimizer)))
    }
}

/// An optimizer with its state: the state itself, or a copy of what the tensor library, a device or other processes hold.
pub(crate) enum WithState<'a> {
    Own(&'a Optimizer),
    Copy(Box<Optimizer>),
    /// With empty buffers. Processes have the elements in parts, each in its own optimizer.
    #[cfg(not(target_family = "wasm"))]
    Parts(Box<Optimizer>),
}

impl Deref for WithState<'_> {
    type Target = Optimizer;

    fn deref(&self) -> &Optimizer {
        match self {
            WithState::Own(optimizer) => optimizer,
            WithState::Copy(optimizer) => optimizer,
            #[cfg(not(target_family = "wasm"))]
            WithState::Parts(optimizer) => optimizer,
        }
    }
}

/// The gradients of a loss times a scale. A scale beyond the range of the loss's dtype makes gradients that are not
/// finite. The step is then skipped and the scale backs off, as in PyTorch.
pub(crate) fn scaled_backward<E: Engine>(
    context: &mut ForwardContext<'_, E>,
    loss: &E::Tensor,
    scale: f64,
) -> Result<()> {
    let ForwardContext { engine, random, host, .. } = context;
    let mut seed = scale;
    if scale != 1.0
        && let Data::Double(rounded) = Data::Double(vec![scale]).cast(engine.dtype(loss)?)?.cast(Dtype::Double)?
        && rounded.contains(&f64::INFINITY)
    {
        seed = f64::INFINITY;
    }
    backward(*engine, *host, random, loss, seed)
}
