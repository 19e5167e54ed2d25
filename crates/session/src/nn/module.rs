//! A module: a layer, a container of modules with names, or a function of JavaScript with tensors and modules.

use std::ops::RangeInclusive;

use stepwell_optim::{Code, Error, OptionValue, Result, Shared};

use crate::engine::Engine;
use crate::nn::callback::Callback;
use crate::nn::container::{Container, Part};
use crate::nn::context::{ForwardContext, InitContext};
use crate::nn::layer::{Layer, Submodule};
use crate::values::dedupe::repeated;
use crate::values::device::Device;

/// Modules nested deeper than this are refused, before recursion could exhaust the stack.
pub(crate) const MAX_DEPTH: usize = 128;
/// Maximum number of modules in a container. Containers that share modules can double with each level.
const MAX_MODULES: usize = 1 << 18;
pub(crate) const PARAMETER_DICTIONARY: &str = "parmdict";
pub(crate) const CALLBACK: &str = "callback";

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

/// Modules with their keys.
pub(crate) type Children<E> = Vec<(String, Shared<Module<E>>)>;

enum Body<E: Engine> {
    /// A layer, and the parts of which it consists.
    Layer(Box<dyn Layer<E>>, Children<E>),
    /// Children with their keys: the name of each, or the key that the container gives it, or its position.
    Container(Container, Children<E>),
    Callback(Callback<E, Module<E>>),
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
        parts: Children<E>,
    ) -> Self {
        Self { options, ..Self::of_body(kind, name, Body::Layer(layer, parts)) }
    }

    /// A module that holds others under keys, and does not run.
    pub(crate) fn dictionary(children: Children<E>) -> Self {
        Self::of_body("moduledict", None, Body::Container(Container::ModuleDict, children))
    }

    /// A container of modules, each under its name, or else under the key that the container gives it, or its position.
    ///
    /// # Errors
    /// [`Code::Argument`] for children that the container cannot hold, and for two of one name.
    pub(crate) fn holding(
        (kind, container): (&'static str, Container),
        name: Option<String>,
        modules: Vec<Shared<Self>>,
    ) -> Result<Self> {
        let (mut kinds, mut children) = (Vec::new(), Vec::new());
        for module in modules {
            let key = match (&module.name, container.key(&kinds, module.kind)) {
                (Some(name), _) => name.clone(),
                (None, Some(key)) => key.to_owned(),
                (None, None) => kinds.len().to_string(),
            };
            kinds.push(module.kind);
            children.push((key, module));
        }
        container.check(&kinds).map_err(|error| error.within(kind))?;
        check_keys(&children)?;
        Ok(Self::of_body(kind, name, Body::Container(container, children)))
    }

    /// A container of children under their keys, which were the children of another such container.
    pub(crate) fn under_keys(
        (kind, container): (&'static str, Container),
        name: Option<String>,
        children: Children<E>,
    ) -> Self {
        Self::of_body(kind, name, Body::Container(container, children))
    }

    /// The kind of container; `None` for a layer and for a callback.
    pub(crate) fn container(&self) -> Option<Container> {
        match &self.body {
            Body::Container(container, _) => Some(*container),
            Body::Layer(..) | Body::Callback(_) => None,
        }
    }

    /// A module whose forward pass is a function of JavaScript.
    ///
    /// # Errors
    /// [`Code::Argument`] for two children or two tensors of one name.
    pub(crate) fn callback(
        name: Option<String>,
        options: Vec<(&'static str, OptionValue)>,
        callback: Callback<E, Self>,
    ) -> Result<Self> {
        check_keys(&callback.children)?;
        Ok(Self { options, ..Self::of_body(CALLBACK, name, Body::Callback(callback)) })
    }

    fn of_body(kind: &'static str, name: Option<String>, body: Body<E>) -> Self {
        let mut module = Self { kind, name, options: Vec::new(), body, extent: ONE };
        let mut extent = ONE;
        for (_, child) in module.children() {
            extent.levels = extent.levels.max(child.extent.levels + 1);
            extent.modules = extent.modules.saturating_add(child.extent.modules);
        }
        module.extent = extent;
        module
    }

    /// Fails for a container that is nested deeper, or holds more, than can be worked on.
    pub(crate) fn check_extent(&self) -> Result<()> {
        if self.extent.levels <= MAX_DEPTH + 1 && self.extent.modules <= MAX_MODULES {
            return Ok(());
        }
        let message = format_args!("modules nested deeper than {MAX_DEPTH}, or more than {MAX_MODULES} of them");
        Err(Error::new(Code::Argument, message))
    }

    /// A module that holds tensors under keys, and does not run.
    pub(crate) fn parameter_dictionary(tensors: Vec<(String, E::Tensor)>) -> Self {
        let body = Body::Layer(Box::new(ParameterDictionary(tensors)), Vec::new());
        Self { kind: PARAMETER_DICTIONARY, name: None, options: Vec::new(), body, extent: ONE }
    }

    pub(crate) fn is_parameter_dictionary(kind: &str) -> bool {
        kind == PARAMETER_DICTIONARY
    }

    /// Lets a layer with parts set the initial parameters of these.
    pub(crate) fn initialise(&self, context: &mut InitContext<'_, E>) -> Result<()> {
        match &self.body {
            Body::Layer(layer, parts) if !parts.is_empty() => {
                let named = self.parameters().into_iter().map(|named| (named.name, named.tensor));
                layer.initialise(context, &named.collect::<Vec<_>>())
            }
            _ => Ok(()),
        }
    }

    /// The outputs for some inputs.
    ///
    /// # Errors
    /// [`Code::Argument`] for more or fewer inputs than it takes.
    pub(crate) fn forward(&self, context: &mut ForwardContext<'_, E>, inputs: &[E::Tensor]) -> Result<Vec<E::Tensor>> {
        check_inputs(self.inputs(), inputs.len())
            .and_then(|()| match &self.body {
                Body::Layer(layer, parts) => layer.forward_with(context, inputs, &submodules(parts)),
                Body::Container(container, children) => container.forward(children, context, inputs),
                Body::Callback(callback) => callback.forward_all(context, inputs),
            })
            .map_err(|error| if self.kind == "sequential" { error } else { error.within(self.kind) })
    }

    /// How many inputs it takes.
    pub(crate) fn inputs(&self) -> RangeInclusive<usize> {
        match &self.body {
            Body::Layer(layer, _) => layer.inputs(),
            Body::Container(container, children) => container.inputs(children),
            Body::Callback(callback) => callback.inputs(),
        }
    }

    /// The function of JavaScript with its tensors and modules, if the forward pass is one.
    pub(crate) fn as_callback(&self) -> Option<&Callback<E, Self>> {
        match &self.body {
            Body::Callback(callback) => Some(callback),
            Body::Layer(..) | Body::Container(..) => None,
        }
    }

    /// Whether the forward pass calls a function of JavaScript.
    pub(crate) fn calls_functions(&self) -> bool {
        self.as_callback().is_some() || self.children().iter().any(|(_, child)| child.calls_functions())
    }

    /// The one output of a forward pass.
    ///
    /// # Errors
    /// [`Code::Argument`] if it has several.
    pub(crate) fn only_output(&self, mut outputs: Vec<E::Tensor>) -> Result<E::Tensor> {
        match (outputs.len(), outputs.pop()) {
            (1, Some(output)) => Ok(output),
            (count, _) => {
                let message = format_args!("expected a module with one output, given a {} with {count}", self.kind);
                Err(Error::new(Code::Argument, message))
            }
        }
    }

    /// The device of its first parameter; `None` without one.
    pub(crate) fn device(&self, engine: &E) -> Result<Option<Device>> {
        if !E::HAS_DEVICES {
            return Ok(Some(Device::Cpu));
        }
        if let Some((_, tensor)) = self.own(&|layer| layer.parameters()).first() {
            return engine.device(tensor).map(Some);
        }
        for (_, child) in self.children() {
            if let Some(device) = child.device(engine)? {
                return Ok(Some(device));
            }
        }
        Ok(None)
    }

    /// Direct children with their keys.
    pub(crate) fn children(&self) -> &[(String, Shared<Module<E>>)] {
        match &self.body {
            Body::Layer(_, parts) => parts,
            Body::Container(_, children) => children,
            Body::Callback(callback) => &callback.children,
        }
    }

    /// All descendants with their dotted names, depth first, without the root.
    pub(crate) fn descendants(&self) -> Vec<(String, Shared<Module<E>>)> {
        let mut found = Vec::new();
        self.walk(&mut String::new(), &mut |path, module| found.push((path.to_owned(), Shared::clone(module))));
        found
    }

    /// Visits all descendants with their dotted names. `path` is the dotted name of this module.
    fn walk<'a>(&'a self, path: &mut String, visit: &mut dyn FnMut(&str, &'a Shared<Module<E>>)) {
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

    /// Tensors that a forward pass writes to: buffers if it trains, and parameters that it scales.
    pub(crate) fn written(&self, training: bool) -> Vec<Named<E>> {
        self.tensors(&move |layer| {
            let mut written = layer.rescaled();
            if training {
                written.append(&mut layer.buffers());
            }
            written
        })
    }

    /// Appends every parameter and buffer, without names.
    pub(crate) fn add_tensors<'a>(&'a self, found: &mut Vec<&'a E::Tensor>) {
        if let Some(layer) = self.as_layer() {
            for (_, tensor) in layer.parameters().into_iter().chain(layer.buffers()) {
                found.push(tensor);
            }
        }
        for (_, child) in self.children() {
            child.add_tensors(found);
        }
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
        let Some(layer) = self.as_layer() else { return Vec::new() };
        of(layer).into_iter().map(|(name, tensor)| (name.to_owned(), tensor.clone())).collect()
    }

    /// The layer or the callback; `None` for a container.
    fn as_layer(&self) -> Option<&dyn Layer<E>> {
        match &self.body {
            Body::Layer(layer, _) => Some(layer.as_ref()),
            Body::Callback(callback) => Some(callback),
            Body::Container(..) => None,
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
    pub(crate) fn holds(self: &Shared<Self>, other: &Shared<Self>) -> bool {
        Shared::ptr_eq(self, other) || self.children().iter().any(|(_, child)| child.holds(other))
    }
}

/// Fails unless a layer takes so many inputs.
fn check_inputs(taken: RangeInclusive<usize>, given: usize) -> Result<()> {
    if taken.contains(&given) {
        return Ok(());
    }
    let (least, most) = (taken.start(), taken.end());
    let expected = match *most {
        usize::MAX => format!("at least {least}"),
        _ if least == most => least.to_string(),
        _ => format!("{least} to {most}"),
    };
    let plural = if *most == 1 { "" } else { "s" };
    Err(Error::new(Code::Argument, format_args!("expected {expected} input{plural}, given {given}")))
}

/// The parts of a layer, for its forward pass.
fn submodules<E: Engine>(parts: &[(String, Shared<Module<E>>)]) -> Vec<&dyn Submodule<E>> {
    let mut submodules: Vec<&dyn Submodule<E>> = Vec::new();
    for (_, part) in parts {
        submodules.push(part.as_ref());
    }
    submodules
}

impl<E: Engine> Submodule<E> for Module<E> {
    fn forward(&self, context: &mut ForwardContext<'_, E>, inputs: &[E::Tensor]) -> Result<Vec<E::Tensor>> {
        Module::forward(self, context, inputs)
    }

    fn parts(&self) -> Vec<&dyn Submodule<E>> {
        submodules(self.children())
    }
}

impl<E: Engine> Part<E> for Module<E> {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn inputs(&self) -> RangeInclusive<usize> {
        Module::inputs(self)
    }

    fn forward(&self, context: &mut ForwardContext<'_, E>, inputs: &[E::Tensor]) -> Result<Vec<E::Tensor>> {
        Module::forward(self, context, inputs)
    }

    fn parts(&self) -> &[(String, Shared<Self>)] {
        self.children()
    }
}

/// Fails for two children of one name.
pub(crate) fn check_keys<E: Engine>(children: &Children<E>) -> Result<()> {
    match repeated(&children.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>())? {
        None => Ok(()),
        Some(key) => Err(Error::new(Code::Argument, format_args!("two modules of one container are named `{key}`"))),
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
    if name.is_empty() || name.bytes().any(|byte| byte == b'.') {
        return Err(Error::new(Code::Argument, format_args!("expected a name without dots, given \"{name}\"")));
    }
    Ok(name.to_owned())
}
