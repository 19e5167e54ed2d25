//! Copies of modules, and of the parameters of one module into another.

use stepwell_optim::{Code, Error, Result, Results, Shared, SharedCell};

use crate::engine::Engine;
use crate::nn::callback::Callback;
use crate::nn::context::InitContext;
use crate::nn::module::{Module, Named};
use crate::random::Random;
use crate::values::convert::to_value;
use crate::values::value::Value;

/// The copies that were made so far, so that a module or a tensor that occurs twice has one copy.
struct Copies<E: Engine> {
    modules: Vec<Copied<Shared<Module<E>>>>,
    /// By identity.
    tensors: Vec<(u64, E::Tensor)>,
}

/// An original and its copy.
struct Copied<T> {
    original: T,
    copy: T,
}

/// A module with copies of all parameters and buffers, in their dtypes and on their devices. A frozen parameter stays
/// frozen. Gradients are not copied.
pub(crate) fn copy_of<E: Engine>(engine: &E, module: &Shared<Module<E>>) -> Result<Shared<Module<E>>> {
    let mut copies = Copies { modules: Vec::new(), tensors: Vec::new() };
    copies.layers(engine, module)?;
    copies.module(engine, module)
}

/// Whether a module makes its tensors itself, by its options.
fn is_layer<E: Engine>(module: &Module<E>) -> bool {
    module.as_callback().is_none() && module.container().is_none() && !Module::<E>::is_parameter_dictionary(module.kind)
}

impl<E: Engine> Copies<E> {
    /// Copies the layers, before the modules that hold tensors of layers, too: a weight that is tied has one copy.
    fn layers(&mut self, engine: &E, module: &Shared<Module<E>>) -> Result<()> {
        if is_layer(module) {
            return self.module(engine, module).map(drop);
        }
        module.children().iter().try_for_each(|(_, child)| self.layers(engine, child))
    }

    fn module(&mut self, engine: &E, module: &Shared<Module<E>>) -> Result<Shared<Module<E>>> {
        if let Some(copied) = self.modules.iter().find(|copied| Shared::ptr_eq(&copied.original, module)) {
            return Ok(Shared::clone(&copied.copy));
        }
        let copy = Shared::new(self.new_module(engine, module)?);
        self.modules.push(Copied { original: Shared::clone(module), copy: Shared::clone(&copy) });
        Ok(copy)
    }

    fn new_module(&mut self, engine: &E, module: &Module<E>) -> Result<Module<E>> {
        let mut children = Vec::new();
        for (key, child) in if is_layer(module) { &[] } else { module.children() } {
            children.push((key.clone(), self.module(engine, child)?));
        }
        if let Some(callback) = module.as_callback() {
            let copy = Callback {
                function: SharedCell::new(*callback.function.borrow()),
                parameters: self.tensors(engine, &callback.parameters)?,
                buffers: self.tensors(engine, &callback.buffers)?,
                children,
            };
            return Module::callback(module.name.clone(), module.options.clone(), copy);
        }
        if let Some(container) = module.container() {
            return Ok(Module::under_keys((module.kind, container), module.name.clone(), children));
        }
        if Module::<E>::is_parameter_dictionary(module.kind) {
            let tensors = self.tensors(engine, &module.own_parameters())?;
            let mut copy = Module::parameter_dictionary(tensors);
            copy.name.clone_from(&module.name);
            return Ok(copy);
        }
        let mut specification = vec![Value::string(module.kind)];
        specification.extend(module.name.iter().map(Value::string));
        specification.push(Value::object(module.options.iter().map(|(name, value)| (*name, to_value(value)))));
        // The initial weights are replaced.
        let mut context = InitContext {
            engine,
            random: &mut Random::new(0),
            parts: Vec::new(),
            remaining: usize::MAX,
            is_blank: false,
        };
        let copy = Module::make(&Value::Array(specification), None, &mut context)?;
        // The parts of a layer follow from its options.
        for ((_, original), (_, copy)) in module.descendants().into_iter().zip(copy.descendants()) {
            self.modules.push(Copied { original, copy });
        }
        for (from, to) in module.tensors_of_all().into_iter().zip(copy.tensors_of_all()) {
            engine.replace(&to, &engine.convert(&from, engine.dtype(&from)?, engine.device(&from)?)?)?;
            if engine.dtype(&from)?.is_floating() {
                engine.set_requires_grad(&to, engine.requires_grad(&from))?;
            }
            self.tensors.push((engine.identity(&from), to));
        }
        Shared::into_inner(copy).ok_or_else(|| Error::new(Code::Internal, "a new layer that is shared"))
    }

    fn tensors(&mut self, engine: &E, tensors: &[(String, E::Tensor)]) -> Result<Vec<(String, E::Tensor)>> {
        tensors.iter().map(|(name, tensor)| Ok((name.clone(), self.tensor(engine, tensor)?))).values()
    }

    fn tensor(&mut self, engine: &E, tensor: &E::Tensor) -> Result<E::Tensor> {
        let identity = engine.identity(tensor);
        if let Some((_, copy)) = self.tensors.iter().find(|(original, _)| *original == identity) {
            return Ok(copy.clone());
        }
        let copy = engine.convert(tensor, engine.dtype(tensor)?, engine.device(tensor)?)?;
        if engine.dtype(tensor)?.is_floating() {
            engine.set_requires_grad(&copy, engine.requires_grad(tensor))?;
        }
        self.tensors.push((identity, copy.clone()));
        Ok(copy)
    }
}

/// The tensors of two modules in pairs. Fails unless both have tensors of the same names and shapes, in one order.
pub(crate) fn paired<E: Engine>(engine: &E, from: &Module<E>, to: &Module<E>) -> Result<Vec<(E::Tensor, Named<E>)>> {
    let (sources, targets) = (from.parameters_and_buffers(), to.parameters_and_buffers());
    let name = |list: &[Named<E>], index: usize| {
        list.get(index).map_or_else(|| "no more tensors".to_owned(), |named| format!("`{}`", named.name))
    };
    for index in 0..sources.len().max(targets.len()) {
        let (given, expected) = (name(&sources, index), name(&targets, index));
        if given != expected {
            let message = format_args!("expected modules with tensors of the same names, given {given} for {expected}");
            return Err(Error::new(Code::Parameter, message));
        }
        let (source, target) = (&sources[index], &targets[index]);
        let (given, expected) = (engine.shape(&source.tensor)?, engine.shape(&target.tensor)?);
        if given != expected {
            let message = format_args!("`{}`: expected shape {expected:?}, given {given:?}", target.name);
            return Err(Error::new(Code::Shape, message));
        }
        let (given, expected) = (engine.dtype(&source.tensor)?, engine.dtype(&target.tensor)?);
        if given.is_floating() != expected.is_floating() {
            let message = format_args!("`{}`: expected dtype {}, given {}", target.name, expected.name(), given.name());
            return Err(Error::new(Code::Dtype, message));
        }
    }
    Ok(sources.into_iter().map(|named| named.tensor).zip(targets).collect())
}
