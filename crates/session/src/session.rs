//! A session: the objects behind handles, and the verbs that work on them.

use std::rc::Rc;

use stepwell_optim::{Code, Error, Result};

use crate::arguments::Arguments;
use crate::handle::{Handle, Kind, Store};
use crate::module::Module;
use crate::random::Random;
use crate::trainer::Trainer;
use crate::{Dynamic, Engine, verbs};

/// What a handle can stand for.
pub(crate) enum Object<E: Engine> {
    Tensor(E::Tensor),
    Vector(Vec<E::Tensor>),
    Dictionary(Vec<(String, E::Tensor)>),
    Module(Rc<Module<E>>),
    Optimizer(Box<Trainer<E>>),
}

impl<E: Engine> Object<E> {
    fn kind(&self) -> Kind {
        match self {
            Object::Tensor(_) => Kind::Tensor,
            Object::Vector(_) => Kind::Vector,
            Object::Dictionary(_) => Kind::Dictionary,
            Object::Module(_) => Kind::Module,
            Object::Optimizer(_) => Kind::Optimizer,
        }
    }

    /// Every tensor of the object; an optimizer owns none.
    pub(crate) fn tensors(&self) -> Vec<E::Tensor> {
        match self {
            Object::Tensor(tensor) => vec![tensor.clone()],
            Object::Vector(tensors) => tensors.clone(),
            Object::Dictionary(entries) => entries.iter().map(|(_, tensor)| tensor.clone()).collect(),
            Object::Module(module) => {
                module.parameters().into_iter().chain(module.buffers()).map(|named| named.tensor).collect()
            }
            Object::Optimizer(_) => Vec::new(),
        }
    }
}

/// Objects of one JavaScript environment, on one engine.
pub struct Session<E: Engine> {
    pub(crate) engine: E,
    pub(crate) random: Random,
    /// Whether definitions tell all options, unless a call says otherwise.
    pub(crate) all_options: bool,
    store: Store<Held<E>>,
    bytes: usize,
}

/// An object with the bytes of its tensors when it was made.
struct Held<E: Engine> {
    object: Object<E>,
    bytes: usize,
}

impl<E: Engine> Session<E> {
    /// An empty session, seeded with 0.
    pub fn new(engine: E) -> Self {
        Self { engine, random: Random::new(0), all_options: true, store: Store::new(), bytes: 0 }
    }

    /// Calls a verb of the k-api. An error names the verb, and has changed nothing.
    pub fn call(&mut self, verb: &str, arguments: Vec<Dynamic>) -> Result<Dynamic> {
        let Some((name, function)) = Self::VERBS.iter().find(|(name, _)| *name == verb) else {
            return Err(Error::new(Code::UnknownName, format!("unknown function `{verb}`")));
        };
        let random = self.random.clone();
        function(self, Arguments::new(arguments)).map_err(|error| {
            // What a failed call drew, the next one draws again.
            self.random = random;
            error.within(name)
        })
    }

    /// Every verb with its function.
    const VERBS: &'static [(&'static str, Verb<E>)] = &[
        ("step", verbs::gradients::step),
        ("zerograd", verbs::gradients::zerograd),
        ("nograd", verbs::gradients::nograd),
        ("backward", verbs::gradients::backward),
        ("grad", verbs::gradients::grad),
        ("gradflag", verbs::gradients::gradflag),
        ("forward", verbs::modules::forward),
        ("evaluate", verbs::modules::evaluate),
        ("module", verbs::modules::module),
        ("names", verbs::modules::names),
        ("childnames", verbs::modules::childnames),
        ("parmnames", verbs::modules::parmnames),
        ("child", verbs::modules::child),
        ("parm", verbs::modules::parm),
        ("save", verbs::modules::save),
        ("load", verbs::modules::load),
        ("ce", verbs::losses::ce),
        ("nll", verbs::losses::nll),
        ("mse", verbs::losses::mse),
        ("l1", verbs::losses::l1),
        ("smoothl1", verbs::losses::smoothl1),
        ("bce", verbs::losses::bce),
        ("bcewithlogits", verbs::losses::bcewithlogits),
        ("tensor", verbs::tensors::tensor),
        ("data", verbs::tensors::data),
        ("full", verbs::tensors::full),
        ("vector", verbs::tensors::vector),
        ("dict", verbs::tensors::dict),
        ("copyto", verbs::tensors::copyto),
        ("to", verbs::tensors::to),
        ("dtype", verbs::tensors::dtype),
        ("device", verbs::tensors::device),
        ("opt", verbs::optimizers::opt),
        ("lr", verbs::optimizers::lr),
        ("state", verbs::optimizers::state),
        ("schedule", verbs::schedules::schedule),
        ("advance", verbs::schedules::advance),
        ("help", verbs::optimizers::help),
        ("setting", verbs::objects::setting),
        ("use", verbs::objects::use_),
        ("free", verbs::objects::free),
        ("class", verbs::objects::class),
        ("objtype", verbs::objects::objtype),
        ("size", verbs::objects::size),
        ("tensorcount", verbs::objects::tensorcount),
        ("elements", verbs::objects::elements),
        ("bytes", verbs::objects::bytes),
        ("handlecount", verbs::objects::handlecount),
        ("seed", verbs::objects::seed),
        ("randperm", verbs::objects::randperm),
        ("errorcodes", verbs::objects::errorcodes),
    ];

    pub(crate) fn object(&self, handle: Handle) -> Result<&Object<E>> {
        self.store.get(handle).map(|held| &held.object)
    }

    pub(crate) fn insert(&mut self, object: Object<E>) -> Result<Dynamic> {
        let mut bytes = 0;
        for tensor in object.tensors() {
            bytes += self.engine.shape(&tensor)?.iter().product::<usize>() * self.engine.dtype(&tensor)?.size();
        }
        let handle = self.store.insert(object.kind(), Held { object, bytes })?;
        self.bytes += bytes;
        Ok(Dynamic::Handle(handle))
    }

    /// Gives a handle the object of another, which is freed.
    pub(crate) fn replace(&mut self, handle: Handle, other: Handle) -> Result<()> {
        self.store.get(handle)?;
        let held = self.store.remove(other)?;
        let before = std::mem::replace(self.store.get_mut(handle)?, held);
        self.bytes -= before.bytes;
        Ok(())
    }

    pub(crate) fn remove(&mut self, handle: Handle) -> Result<()> {
        self.bytes -= self.store.remove(handle)?.bytes;
        Ok(())
    }

    /// Frees every object.
    pub fn clear(&mut self) {
        self.store.clear();
        self.bytes = 0;
    }

    /// Bytes of the tensors behind handles, for a garbage collector that sees only the handles.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn live_handles(&self) -> usize {
        self.store.len()
    }

    pub(crate) fn tensor(&self, handle: Handle) -> Result<&E::Tensor> {
        match self.object(handle)? {
            Object::Tensor(tensor) => Ok(tensor),
            other => Err(wrong_kind(Kind::Tensor, other.kind())),
        }
    }

    pub(crate) fn module(&self, handle: Handle) -> Result<Rc<Module<E>>> {
        match self.object(handle)? {
            Object::Module(module) => Ok(Rc::clone(module)),
            other => Err(wrong_kind(Kind::Module, other.kind())),
        }
    }

    pub(crate) fn trainer(&self, handle: Handle) -> Result<&Trainer<E>> {
        match self.object(handle)? {
            Object::Optimizer(trainer) => Ok(trainer),
            other => Err(wrong_kind(Kind::Optimizer, other.kind())),
        }
    }

    /// The optimizer, to be changed, beside the engine.
    pub(crate) fn trainer_mut(&mut self, handle: Handle) -> Result<(&mut Trainer<E>, &E)> {
        match &mut self.store.get_mut(handle)?.object {
            Object::Optimizer(trainer) => Ok((trainer, &self.engine)),
            other => Err(wrong_kind(Kind::Optimizer, other.kind())),
        }
    }
}

type Verb<E> = fn(&mut Session<E>, Arguments) -> Result<Dynamic>;

fn wrong_kind(expected: Kind, given: Kind) -> Error {
    Error::new(Code::HandleKind, format!("expected {} handle, given {} handle", expected.one(), given.one()))
}
