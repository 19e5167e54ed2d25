//! A module: a layer, or several modules one after the other, with names.

use std::ops::RangeInclusive;
use std::rc::Rc;

use stepwell_optim::{Brief, Code, Error, OptionValue, Result};

use crate::engine::Engine;
use crate::nn::context::ForwardContext;
use crate::nn::layer::Layer;
use crate::values::dedupe::repeated;
use crate::values::device::Device;

/// Modules nested deeper than this are refused, before recursion could exhaust the stack.
pub(crate) const MAX_DEPTH: usize = 128;
/// Maximum number of modules in a container. Containers that share modules can double with each level.
const MAX_MODULES: usize = 1 << 18;
pub(crate) const SEQUENTIAL: &str = "sequential";
const MODULE_DICTIONARY: &str = "moduledict";
const PARAMETER_DICTIONARY: &str = "parmdict";

/// A module with its parameters.
pub(crate) struct Module<E: Engine> {
    pub(crate) kind: &'static str,
    /// The name that its maker gave it.
    pub(crate) name: Option<String>,
    /// A layer's options.
    pub(crate) options: Vec<(&'static str, OptionValue)>,
    body: Body<E>,
    extent: Extent,
}

/// The depth and the size of a module.
#[derive(Clone, Copy)]
struct Extent {
    levels: usize,
    /// The number of modules; a module that occurs twice counts twice.
    modules: usize,
}

/// A module without children.
const ONE: Extent = Extent { levels: 1, modules: 1 };

enum Body<E: Engine> {
    Layer(Box<dyn Layer<E>>),
    /// Children with their keys: the name of each, or its position. They run one after the other if it is a sequence.
    Modules(Vec<(String, Rc<Module<E>>)>),
}

/// The parameters or the buffers of a layer.
type TensorsOf<E> = dyn for<'a> Fn(&'a dyn Layer<E>) -> Vec<(&'a str, &'a <E as Engine>::Tensor)>;

/// A tensor of a module, with its dotted name and the kind of the module that owns it.
pub(crate) struct Named<E: Engine> {
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    pub(crate) tensor: E::Tensor,
}

impl<E: Engine> Module<E> {
    /// A layer with its options.
    pub(crate) fn layer(
        kind: &'static str,
        name: Option<String>,
        options: Vec<(&'static str, OptionValue)>,
        layer: Box<dyn Layer<E>>,
    ) -> Self {
        Self { kind, name, options, body: Body::Layer(layer), extent: ONE }
    }

    /// A module that holds others under keys, and does not run.
    pub(crate) fn dictionary(children: Vec<(String, Rc<Module<E>>)>) -> Self {
        Self::holding(MODULE_DICTIONARY, None, children)
    }

    /// A container of modules under keys.
    pub(crate) fn holding(kind: &'static str, name: Option<String>, children: Vec<(String, Rc<Module<E>>)>) -> Self {
        let mut extent = ONE;
        for (_, child) in &children {
            extent.levels = extent.levels.max(child.extent.levels + 1);
            extent.modules = extent.modules.saturating_add(child.extent.modules);
        }
        Self { kind, name, options: Vec::new(), body: Body::Modules(children), extent }
    }

    /// Fails for a container that is nested deeper, or holds more, than can be worked on.
    pub(crate) fn check_extent(&self) -> Result<()> {
        if self.extent.levels <= MAX_DEPTH + 1 && self.extent.modules <= MAX_MODULES {
            return Ok(());
        }
        let message = format!("modules nested deeper than {MAX_DEPTH}, or more than {MAX_MODULES} of them");
        Err(Error::new(Code::Argument, message))
    }

    /// A module that holds tensors under keys, and does not run.
    pub(crate) fn parameter_dictionary(tensors: Vec<(String, E::Tensor)>) -> Self {
        let body = Body::Layer(Box::new(ParameterDictionary(tensors)));
        Self { kind: PARAMETER_DICTIONARY, name: None, options: Vec::new(), body, extent: ONE }
    }

    /// An empty container; `None` if `kind` is none.
    pub(crate) fn container(kind: &str, name: Option<String>) -> Option<Self> {
        let kind = [SEQUENTIAL, MODULE_DICTIONARY].into_iter().find(|known| *known == kind)?;
        Some(Self::holding(kind, name, Vec::new()))
    }

    /// A container that was made empty, filled.
    pub(crate) fn with_children(self, children: Vec<(String, Rc<Module<E>>)>) -> Self {
        Self::holding(self.kind, self.name, children)
    }

    pub(crate) fn is_parameter_dictionary(kind: &str) -> bool {
        kind == PARAMETER_DICTIONARY
    }

    /// The outputs for some inputs.
    ///
    /// # Errors
    /// [`Code::Argument`] for more or fewer inputs than it takes.
    pub(crate) fn forward(&self, context: &mut ForwardContext<'_, E>, inputs: &[E::Tensor]) -> Result<Vec<E::Tensor>> {
        match &self.body {
            Body::Layer(layer) => check_inputs(layer.inputs(), inputs.len())
                .and_then(|()| layer.forward_all(context, inputs))
                .map_err(|error| error.within(self.kind)),
            Body::Modules(_) if self.kind != SEQUENTIAL => {
                Err(Error::new(Code::Argument, format!("a {} holds modules and does not run", self.kind)))
            }
            Body::Modules(children) => children.iter().try_fold(inputs.to_vec(), |outputs, (key, child)| {
                child.forward(context, &outputs).map_err(|error| error.within(&format!("`{}`", Brief(key))))
            }),
        }
    }

    /// The output for one input.
    ///
    /// # Errors
    /// [`Code::Argument`] unless it takes one input and has one output.
    pub(crate) fn forward_one(&self, context: &mut ForwardContext<'_, E>, input: &E::Tensor) -> Result<E::Tensor> {
        let mut outputs = self.forward(context, std::slice::from_ref(input))?;
        match (outputs.len(), outputs.pop()) {
            (1, Some(output)) => Ok(output),
            (count, _) => {
                let message = format!("expected a module with one output, given a {} with {count}", self.kind);
                Err(Error::new(Code::Argument, message))
            }
        }
    }

    /// The device of its first parameter; `None` without one.
    pub(crate) fn device(&self, engine: &E) -> Result<Option<Device>> {
        if !E::HAS_DEVICES {
            return Ok(Some(Device::Cpu));
        }
        match &self.body {
            Body::Layer(layer) => layer.parameters().first().map(|(_, tensor)| engine.device(tensor)).transpose(),
            Body::Modules(children) => {
                for (_, child) in children {
                    if let Some(device) = child.device(engine)? {
                        return Ok(Some(device));
                    }
                }
                Ok(None)
            }
        }
    }

    /// Direct children with their keys.
    pub(crate) fn children(&self) -> &[(String, Rc<Module<E>>)] {
        match &self.body {
            Body::Layer(_) => &[],
            Body::Modules(children) => children,
        }
    }

    /// All descendants with their dotted names, depth first, without the root.
    pub(crate) fn descendants(&self) -> Vec<(String, Rc<Module<E>>)> {
        let mut found = Vec::new();
        self.walk(&mut String::new(), &mut |path, module| found.push((path.to_owned(), Rc::clone(module))));
        found
    }

    /// Visits all descendants with their dotted names. `path` is the dotted name of this module.
    fn walk<'a>(&'a self, path: &mut String, visit: &mut dyn FnMut(&str, &'a Rc<Module<E>>)) {
        let length = path.len();
        for (key, child) in self.children() {
            path.push_str(if length > 0 { "." } else { "" });
            path.push_str(key);
            visit(path, child);
            child.walk(path, visit);
            path.truncate(length);
        }
    }

    /// Tensors that are trained, in the order in which they were registered.
    pub(crate) fn parameters(&self) -> Vec<Named<E>> {
        self.tensors(&|layer| layer.parameters())
    }

    /// Tensors that belong to the state but are not trained.
    pub(crate) fn buffers(&self) -> Vec<Named<E>> {
        self.tensors(&|layer| layer.buffers())
    }

    /// Parameters and then buffers.
    pub(crate) fn parameters_and_buffers(&self) -> Vec<Named<E>> {
        let mut all = self.parameters();
        all.append(&mut self.buffers());
        all
    }

    /// The tensors of parameters and buffers.
    pub(crate) fn tensors_of_all(&self) -> Vec<E::Tensor> {
        let mut tensors = Vec::new();
        for named in self.parameters_and_buffers() {
            tensors.push(named.tensor);
        }
        tensors
    }

    /// Parameters of this module and not of its children.
    pub(crate) fn own_parameters(&self) -> Vec<(String, E::Tensor)> {
        self.own(&|layer| layer.parameters())
    }

    /// Buffers of this module and not of its children.
    pub(crate) fn own_buffers(&self) -> Vec<(String, E::Tensor)> {
        self.own(&|layer| layer.buffers())
    }

    fn own(&self, of: &TensorsOf<E>) -> Vec<(String, E::Tensor)> {
        match &self.body {
            Body::Layer(layer) => {
                of(layer.as_ref()).into_iter().map(|(name, tensor)| (name.to_owned(), tensor.clone())).collect()
            }
            Body::Modules(_) => Vec::new(),
        }
    }

    fn tensors(&self, of: &TensorsOf<E>) -> Vec<Named<E>> {
        let mut found = Vec::new();
        for (name, tensor) in self.own(of) {
            found.push(Named { name, kind: self.kind, tensor });
        }
        self.walk(&mut String::new(), &mut |path, module| {
            for (name, tensor) in module.own(of) {
                found.push(Named { name: format!("{path}.{name}"), kind: module.kind, tensor });
            }
        });
        found
    }

    /// True for this module and every one inside it.
    pub(crate) fn holds(self: &Rc<Self>, other: &Rc<Self>) -> bool {
        Rc::ptr_eq(self, other) || self.children().iter().any(|(_, child)| child.holds(other))
    }
}

/// Fails unless a layer takes so many inputs.
fn check_inputs(taken: RangeInclusive<usize>, given: usize) -> Result<()> {
    if taken.contains(&given) {
        return Ok(());
    }
    let (least, most) = (taken.start(), taken.end());
    let expected = if least == most { least.to_string() } else { format!("{least} to {most}") };
    let plural = if *most == 1 { "" } else { "s" };
    Err(Error::new(Code::Argument, format!("expected {expected} input{plural}, given {given}")))
}

/// Modules by their names, or by their positions if they have none.
pub(crate) fn keyed<E: Engine>(modules: Vec<Module<E>>) -> Result<Vec<(String, Rc<Module<E>>)>> {
    let key = |(position, module): (usize, Module<E>)| {
        (module.name.clone().unwrap_or_else(|| position.to_string()), Rc::new(module))
    };
    let keyed: Vec<_> = modules.into_iter().enumerate().map(key).collect();
    match repeated(&keyed.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>())? {
        None => Ok(keyed),
        Some(key) => Err(Error::new(Code::Argument, format!("two modules of one container are named `{key}`"))),
    }
}

/// Tensors by name.
struct ParameterDictionary<T>(Vec<(String, T)>);

impl<E: Engine> Layer<E> for ParameterDictionary<E::Tensor> {
    fn parameters(&self) -> Vec<(&str, &E::Tensor)> {
        self.0.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect()
    }

    fn forward(&self, _: &mut ForwardContext<'_, E>, _: &E::Tensor) -> Result<E::Tensor> {
        Err(Error::new(Code::Argument, "holds tensors and does not run"))
    }
}

/// A name that cannot be mistaken for a path.
pub(crate) fn checked_name(name: &str) -> Result<String> {
    if name.is_empty() || name.contains('.') {
        return Err(Error::new(Code::Argument, format!("expected a name without dots, given \"{name}\"")));
    }
    Ok(name.to_owned())
}
