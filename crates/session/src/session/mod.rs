//! A session: objects by handle, an engine, random numbers and settings.

#[cfg(not(target_family = "wasm"))]
pub(crate) mod drawing;
pub(crate) mod gradient_scales;
pub(crate) mod handle_table;
pub(crate) mod hosting;
#[cfg(not(target_family = "wasm"))]
pub(crate) mod lease_list;
#[cfg(not(target_family = "wasm"))]
pub(crate) mod leases;
pub(crate) mod optimizer_of_module;
pub(crate) mod running_steps;

#[cfg(not(target_family = "wasm"))]
use std::sync::Arc;
#[cfg(not(target_family = "wasm"))]
use std::sync::atomic::AtomicBool;

use stepwell_optim::{Code, Error, Result, Results, Shared, SharedCell, SharedRef, SharedRefMut};

use crate::engine::Engine;
use crate::nn::host::FunctionNumber;
use crate::nn::loss::LossFunction;
use crate::nn::module::Module;
use crate::nn::specification::Objects;
use crate::nn::ties::first_of_each;
use crate::random::Random;
use crate::session::handle_table::HandleTable;
#[cfg(not(target_family = "wasm"))]
use crate::session::lease_list::Leases;
use crate::training::bound_optimizer::BoundOptimizer;
use crate::training::model::Model;
use crate::values::handle::{Handle, ObjectKind};
use crate::values::value::Value;

/// An object that a handle stands for.
pub(crate) enum Object<E: Engine> {
    Tensor(E::Tensor),
    Vector(Vec<E::Tensor>),
    Dictionary(Vec<(String, E::Tensor)>),
    Module(Shared<Module<E>>),
    /// Shared with the models that were made of it.
    Optimizer(Shared<SharedCell<BoundOptimizer<E>>>),
    Loss(LossFunction),
    Model(Box<Model<E>>),
}

impl<E: Engine> Object<E> {
    pub(crate) fn optimizer(bound: BoundOptimizer<E>) -> Self {
        Object::Optimizer(Shared::new(SharedCell::new(bound)))
    }

    pub(crate) fn kind(&self) -> ObjectKind {
        match self {
            Object::Tensor(_) => ObjectKind::Tensor,
            Object::Vector(_) => ObjectKind::Vector,
            Object::Dictionary(_) => ObjectKind::Dictionary,
            Object::Module(_) => ObjectKind::Module,
            Object::Optimizer(_) => ObjectKind::Optimizer,
            Object::Loss(_) => ObjectKind::Loss,
            Object::Model(_) => ObjectKind::Model,
        }
    }

    /// Every tensor of the object; an optimizer and a loss own none.
    pub(crate) fn tensors(&self) -> Vec<E::Tensor> {
        match self {
            Object::Tensor(tensor) => vec![tensor.clone()],
            Object::Vector(tensors) => tensors.clone(),
            Object::Dictionary(entries) => entries.iter().map(|(_, tensor)| tensor.clone()).collect(),
            Object::Module(module) => module.tensors_of_all(),
            Object::Model(model) => model.module.tensors_of_all(),
            Object::Optimizer(_) | Object::Loss(_) => Vec::new(),
        }
    }
}

/// Objects of one JavaScript environment, on one engine.
pub struct Session<E: Engine> {
    pub(crate) engine: E,
    pub(crate) random: Random,
    /// Whether definitions include all options; the default of a call.
    pub(crate) all_options: bool,
    /// Whether an optimizer has ever scaled losses.
    pub(crate) scales_losses: bool,
    /// Steps whose closures are running, the innermost last.
    pub(crate) running: Vec<RunningStep<E>>,
    /// Functions of modules that are running, the innermost last.
    pub(crate) calls: Vec<RunningCall<E>>,
    /// True while a backward runs that may call functions.
    pub(crate) is_in_backward: bool,
    /// Functions that the backward of a graph may call, each with a tensor that the graph holds a clone of.
    pub(crate) functions_of_graphs: Vec<(FunctionNumber, E::Tensor)>,
    /// Storages of tensors that functions of the running passes were given, or returned while another object had them. Results of a
    /// pass with another storage share no memory with an object.
    pub(crate) passed: Vec<u64>,
    /// Objects that commands use whose functions are running.
    pub(crate) held: Vec<Handle>,
    pub(crate) table: HandleTable<CountedObject<E>>,
    pub(crate) spare: E::Spare,
    pub(crate) bytes: usize,
    /// The command that runs.
    pub(crate) command: &'static str,
    #[cfg(not(target_family = "wasm"))]
    pub(crate) leases: Leases,
    /// Stops the job that has this session; `None` in the session of a program.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) stop: Option<Arc<AtomicBool>>,
    /// Takes the report of each batch of the job that has this session, on the thread of the job.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) report: Option<Report>,
}

/// Takes a report of a batch.
#[cfg(not(target_family = "wasm"))]
pub(crate) type Report = Box<dyn Fn(Value) + Send>;

/// A step whose closure is running.
pub(crate) struct RunningStep<E: Engine> {
    pub(crate) bound: Shared<SharedCell<BoundOptimizer<E>>>,
    /// Whether it is a pass of training, and not a step with a closure.
    pub(crate) is_pass: bool,
    /// Identities of the parameters that a line search sets; empty for every other optimizer.
    pub(crate) line_searched: Vec<u64>,
}

/// A function of a module that is running, with its tensors.
pub(crate) struct RunningCall<E: Engine> {
    pub(crate) function: FunctionNumber,
    pub(crate) training: bool,
    pub(crate) inputs: Vec<Handle>,
    pub(crate) outputs: Option<Vec<Option<E::Tensor>>>,
}

/// An object with the bytes of its tensors at the last count.
pub(crate) struct CountedObject<E: Engine> {
    pub(crate) object: Object<E>,
    pub(crate) bytes: usize,
    /// The command that made it.
    pub(crate) made_by: &'static str,
}

impl<E: Engine> Session<E> {
    /// An empty session, seeded with 0.
    pub fn new(engine: E) -> Self {
        let (random, table) = (Random::new(0), HandleTable::new());
        let (all_options, scales_losses) = (true, false);
        let (is_in_backward, functions_of_graphs) = (false, Vec::new());
        Self {
            engine,
            is_in_backward,
            functions_of_graphs,
            random,
            all_options,
            scales_losses,
            running: Vec::new(),
            calls: Vec::new(),
            passed: Vec::new(),
            held: Vec::new(),
            table,
            spare: E::Spare::default(),
            bytes: 0,
            command: "",
            #[cfg(not(target_family = "wasm"))]
            leases: Leases::default(),
            #[cfg(not(target_family = "wasm"))]
            stop: None,
            #[cfg(not(target_family = "wasm"))]
            report: None,
        }
    }

    /// An empty session with a given number, for a caller that has several instances of this library. Handles carry the
    /// number, modulo 1024.
    pub fn numbered(engine: E, number: u64) -> Self {
        Self { table: HandleTable::numbered(number), ..Self::new(engine) }
    }

    pub(crate) fn object(&self, handle: Handle) -> Result<&Object<E>> {
        self.table.get(handle).map(|counted| &counted.object)
    }

    pub(crate) fn insert(&mut self, object: Object<E>) -> Result<Value> {
        #[cfg(not(target_family = "wasm"))]
        if let Object::Tensor(tensor) = &object {
            self.check_not_lent(tensor)?;
        }
        let bytes = self.bytes_of(&object)?;
        let handle = self.table.insert(object.kind(), CountedObject { object, bytes, made_by: self.command })?;
        self.bytes += bytes;
        Ok(Value::Handle(handle))
    }

    /// The handle of a new tensor whose elements take a number of bytes.
    pub(crate) fn insert_tensor(&mut self, tensor: E::Tensor, bytes: usize) -> Result<Handle> {
        let object = CountedObject { object: Object::Tensor(tensor), bytes, made_by: self.command };
        let handle = self.table.insert(ObjectKind::Tensor, object)?;
        self.bytes += bytes;
        Ok(handle)
    }

    /// A handle of the only tensor, or a list of handles, all or none.
    pub(crate) fn insert_outputs(&mut self, mut tensors: Vec<E::Tensor>) -> Result<Value> {
        if tensors.len() == 1
            && let Some(tensor) = tensors.pop()
        {
            return self.insert(Object::Tensor(tensor));
        }
        self.insert_all(tensors.into_iter().map(Object::Tensor).collect())
    }

    /// Outputs of functions of JavaScript, with copies of tensors that share memory with an object of the session.
    pub(crate) fn unshared(&self, outputs: Vec<E::Tensor>, training: bool) -> Result<Vec<E::Tensor>> {
        // Most functions return a tensor that they have made. Looking at every object takes longer than they do.
        if outputs.iter().all(|output| !self.passed.contains(&self.engine.storage(output))) {
            return Ok(outputs);
        }
        let mut others: Vec<&E::Tensor> = Vec::new();
        for (_, counted) in self.table.iter() {
            match &counted.object {
                Object::Tensor(tensor) => others.push(tensor),
                Object::Vector(tensors) => others.extend(tensors),
                Object::Dictionary(entries) => others.extend(entries.iter().map(|(_, tensor)| tensor)),
                Object::Module(module) => module.add_tensors(&mut others),
                Object::Model(model) => model.module.add_tensors(&mut others),
                Object::Optimizer(_) | Object::Loss(_) => {}
            }
        }
        let own = || outputs.into_iter().map(|output| self.engine.unshared(output, &others)).values();
        if training { own() } else { self.engine.no_grad(own) }
    }

    /// Inserts several objects, all or none. Returns the list of their handles.
    pub(crate) fn insert_all(&mut self, objects: Vec<Object<E>>) -> Result<Value> {
        let mut handles = Vec::new();
        for object in objects {
            match self.insert(object) {
                Ok(handle) => handles.push(handle),
                Err(error) => {
                    for handle in handles {
                        if let Value::Handle(handle) = handle {
                            self.remove(handle)?;
                        }
                    }
                    return Err(error);
                }
            }
        }
        Ok(Value::Array(handles))
    }

    /// The tensors of an object. A module counts a tensor once that it has under several names.
    pub(crate) fn tensors_of(&self, object: &Object<E>) -> Result<Vec<E::Tensor>> {
        let mut tensors = object.tensors();
        if let Object::Module(_) | Object::Model(_) = object {
            let mut flags = first_of_each(&self.engine, &mut tensors.iter())?.into_iter();
            tensors.retain(|_| flags.next().unwrap_or(true));
        }
        Ok(tensors)
    }

    fn bytes_of(&self, object: &Object<E>) -> Result<usize> {
        if let Object::Tensor(tensor) = object {
            return self.engine.byte_count(tensor);
        }
        let samples = if let Object::Model(model) = object { model.samples() } else { Vec::new() };
        let mut bytes = 0;
        for tensor in self.tensors_of(object)?.iter().chain(&samples) {
            bytes += self.engine.byte_count(tensor)?;
        }
        Ok(bytes)
    }

    /// Counts the bytes of an object again after its tensors have changed.
    pub(crate) fn recount(&mut self, handle: Handle) -> Result<()> {
        let bytes = self.bytes_of(self.object(handle)?)?;
        let counted = self.table.get_mut(handle)?;
        self.bytes = self.bytes - counted.bytes + bytes;
        counted.bytes = bytes;
        Ok(())
    }

    /// Moves the object of another handle to this one; the other handle is freed.
    pub(crate) fn replace(&mut self, handle: Handle, other: Handle) -> Result<()> {
        self.table.get(handle)?;
        let counted = self.table.remove(other)?;
        let before = std::mem::replace(self.table.get_mut(handle)?, counted);
        self.bytes -= before.bytes;
        Ok(())
    }

    pub(crate) fn remove(&mut self, handle: Handle) -> Result<()> {
        #[cfg(not(target_family = "wasm"))]
        if self.table.free_lent(handle) {
            return Ok(());
        }
        let counted = self.table.remove(handle)?;
        self.bytes -= counted.bytes;
        if let Object::Tensor(tensor) = counted.object {
            self.engine.end(tensor, &mut self.spare);
        }
        Ok(())
    }

    /// Frees every object.
    pub fn clear(&mut self) {
        self.table.clear();
        self.bytes = 0;
    }

    /// Bytes of the session's objects for the garbage collector, which sees only handles. If the engine counts its
    /// bytes, graphs and state are included. A handle adds an estimate of uncounted memory.
    pub fn bytes(&self) -> usize {
        /// In bytes; an estimate of a small tensor without its elements.
        const HANDLE: usize = 1 << 10;
        #[cfg(not(target_family = "wasm"))]
        let bytes = self.bytes + self.leases.lent_bytes;
        #[cfg(target_family = "wasm")]
        let bytes = self.bytes;
        bytes.max(self.engine.bytes_held()) + self.live_handles() * HANDLE
    }

    pub(crate) fn live_handles(&self) -> usize {
        self.table.len()
    }

    pub(crate) fn tensor(&self, handle: Handle) -> Result<&E::Tensor> {
        match self.object(handle)? {
            Object::Tensor(tensor) => Ok(tensor),
            other => Err(wrong_kind(ObjectKind::Tensor, other.kind())),
        }
    }

    /// The module of a handle, which may be a model's.
    pub(crate) fn module(&self, handle: Handle) -> Result<Shared<Module<E>>> {
        self.table.module(handle)
    }

    /// The optimizer of a handle, which may be a model's.
    pub(crate) fn optimizer(&self, handle: Handle) -> Result<SharedRef<'_, BoundOptimizer<E>>> {
        self.shared_optimizer(handle).map(|bound| bound.borrow())
    }

    /// Learns the outcomes of all steps of an optimizer, which a device may have decided on.
    pub(crate) fn settle(&self, handle: Handle) -> Result<()> {
        // An optimizer whose closure runs is borrowed. Its step waits for outcomes by itself.
        match self.shared_optimizer(handle)?.try_borrow_mut() {
            Ok(mut bound) if E::HAS_DEVICES => bound.settle(&self.engine).map(drop),
            _ => Ok(()),
        }
    }

    /// The optimizer of a handle, mutable, with the engine.
    pub(crate) fn optimizer_mut(&mut self, handle: Handle) -> Result<(SharedRefMut<'_, BoundOptimizer<E>>, &E)> {
        Ok((self.shared_optimizer(handle)?.borrow_mut(), &self.engine))
    }

    /// The optimizer of a handle or of its model, shared. It is borrowed only inside a call, and by one at a time.
    pub(crate) fn shared_optimizer(&self, handle: Handle) -> Result<&Shared<SharedCell<BoundOptimizer<E>>>> {
        match self.object(handle)? {
            Object::Optimizer(bound) => Ok(bound),
            Object::Model(model) => Ok(&model.optimizer),
            other => Err(wrong_kind(ObjectKind::Optimizer, other.kind())),
        }
    }

    pub(crate) fn loss(&self, handle: Handle) -> Result<&LossFunction> {
        match self.object(handle)? {
            Object::Loss(loss) => Ok(loss),
            Object::Model(model) if model.own_loss.is_some() => {
                Err(Error::new(Code::Argument, "the loss of this model is a function, and not one of the engine"))
            }
            Object::Model(model) => Ok(&model.loss),
            other => Err(wrong_kind(ObjectKind::Loss, other.kind())),
        }
    }

    pub(crate) fn model(&self, handle: Handle) -> Result<&Model<E>> {
        match self.object(handle)? {
            Object::Model(model) => model.check_idle().map(|()| model.as_ref()),
            other => Err(wrong_kind(ObjectKind::Model, other.kind())),
        }
    }

    /// The model, mutable, with the engine.
    pub(crate) fn model_mut(&mut self, handle: Handle) -> Result<(&mut Model<E>, &E)> {
        match &mut self.table.get_mut(handle)?.object {
            Object::Model(model) => model.check_idle().map(|()| (model.as_mut(), &self.engine)),
            other => Err(wrong_kind(ObjectKind::Model, other.kind())),
        }
    }
}

fn wrong_kind(expected: ObjectKind, given: ObjectKind) -> Error {
    Error::new(
        Code::HandleKind,
        format_args!("expected {} handle, given {} handle", expected.with_article(), given.with_article()),
    )
}

impl<E: Engine> Objects<E> for HandleTable<CountedObject<E>> {
    fn module(&self, handle: Handle) -> Result<Shared<Module<E>>> {
        match &self.get(handle)?.object {
            Object::Module(module) => Ok(Shared::clone(module)),
            Object::Model(model) => Ok(Shared::clone(&model.module)),
            other => Err(wrong_kind(ObjectKind::Module, other.kind())),
        }
    }

    fn tensor(&self, handle: Handle) -> Result<E::Tensor> {
        match &self.get(handle)?.object {
            Object::Tensor(tensor) => Ok(tensor.clone()),
            other => Err(wrong_kind(ObjectKind::Tensor, other.kind())),
        }
    }
}
