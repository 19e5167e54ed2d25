//! The generator of random numbers while an asynchronous call has it: other calls that need it are [`Code::Busy`].

use stepwell_optim::{Code, Error, OptionValue, Result};

use crate::engine::Engine;
use crate::nn::module::{CALLBACK, Module};
use crate::random::Random;
use crate::session::{Object, Session};
use crate::values::handle::Handle;
use crate::values::value::{Value, handles_in};

/// Commands that always draw and change objects, or that read or set the generator, and `randperm`. Others that draw make new objects.
pub(crate) const DRAWING: &[&str] = &[
    "seed",
    "generator",
    "randperm",
    "shuffle",
    "knormal",
    "kuniform",
    "xnormal",
    "xuniform",
    "snormal",
    "tnormal",
    "orthogonal",
    "random",
    "normal",
    "uniform",
    "lognormal",
    "exponential",
    "geometric",
    "cauchy",
];

/// Modules that draw in a pass, with the option that is 0 if they do not, and whether they draw in use too. Others draw while training
/// if they have an option `dropout` which is not 0.
pub(crate) const DRAWING_MODULES: &[(&str, Option<&str>, bool)] = &[
    ("dropout", Some("p"), false),
    ("drop2d", Some("p"), false),
    ("drop3d", Some("p"), false),
    ("adrop", Some("p"), false),
    ("fadrop", Some("p"), false),
    ("droppath", Some("p"), false),
    ("rrelu", None, false),
    ("fmaxpool2d", None, true),
    ("fmaxpool3d", None, true),
    // A function of the program may draw.
    (CALLBACK, None, true),
];

impl<E: Engine> Session<E> {
    /// Fails for a command that needs the generator while a job has it.
    pub(crate) fn check_draws(&self, command: &str, arguments: &[Value]) -> Result<()> {
        let needs = || DRAWING.contains(&command) || self.may_draw(command, arguments);
        match self.leases.drawing > 0 && needs() {
            true => Err(drawn()),
            false => Ok(()),
        }
    }

    /// Whether a command that a job can run may draw, or saves or sets the generator.
    pub(crate) fn may_draw(&self, command: &str, arguments: &[Value]) -> bool {
        let (training, is_pass) = match command {
            "run" | "batch" => (true, true),
            "testrun" | "testbatch" => (false, true),
            "evaluate" => (false, false),
            // The file of a run has the generator, and the one of a module has not.
            "save" => return matches!(arguments, [Value::String(_), ..]),
            "load" => return matches!(arguments, [Value::String(_), rest @ ..] if !keeps_generator(rest.get(1))),
            _ => return false,
        };
        match arguments.first() {
            Some(Value::Handle(handle)) => self.may_pass_draw(*handle, training, is_pass),
            _ => false,
        }
    }

    /// Whether a pass through a module or a model may draw. An object that cannot be read draws nothing: the command says why.
    fn may_pass_draw(&self, handle: Handle, training: bool, is_pass: bool) -> bool {
        match self.object(handle) {
            Ok(Object::Module(module)) => may_draw(module, training),
            Ok(Object::Model(model)) => {
                let draws = (training && model.shuffles()) || model.own_loss.is_some();
                (is_pass && draws) || may_draw(&model.module, training)
            }
            _ => false,
        }
    }

    /// The result of a command that began with this generator. Fails, and frees the new objects, if the command has drawn numbers
    /// while a job has the generator.
    pub(crate) fn kept(&mut self, result: Value, before: &Random) -> Result<Value> {
        if self.leases.drawing == 0 || before.state() == self.random.state() {
            return Ok(result);
        }
        for handle in handles_in(std::slice::from_ref(&result)) {
            self.remove(handle)?;
        }
        Err(drawn())
    }

    /// The generator, if a job has it: a copy that a pass must not draw from.
    pub(crate) fn lent_generator(&self) -> Option<Random> {
        (self.leases.drawing > 0).then(|| self.random.clone())
    }
}

/// Whether a pass through a module may draw: through a layer of random elements, or through a function of the program.
fn may_draw<E: Engine>(module: &Module<E>, training: bool) -> bool {
    let is_positive = |name: &str| {
        let value = module.options.iter().find(|(own, _)| *own == name).map(|(_, value)| value);
        value.is_some_and(|value| *value != OptionValue::Float(0.0))
    };
    let found = DRAWING_MODULES.iter().find(|(kind, ..)| *kind == module.kind);
    let (_, option, in_use) = found.unwrap_or(&("", Some("dropout"), false));
    let draws = (training || *in_use) && option.is_none_or(is_positive);
    draws || module.children().iter().any(|(_, child)| may_draw(child, training))
}

/// Whether the options of `load` leave the generator as it is.
fn keeps_generator(options: Option<&Value>) -> bool {
    let Some(Value::Object(entries)) = options else { return false };
    let given = |key: &str| entries.iter().find(|(name, _)| name == key).map(|(_, value)| value);
    match given("generator") {
        Some(Value::Bool(sets)) => !sets,
        _ => given("only").is_some() || given("strict") == Some(&Value::Bool(false)),
    }
}

/// Fails if a pass has drawn numbers while a job has the generator.
pub(crate) fn check_not_drawn(lent: Option<&Random>, after: &Random) -> Result<()> {
    match lent.is_some_and(|lent| lent.state() != after.state()) {
        true => Err(drawn()),
        false => Ok(()),
    }
}

fn drawn() -> Error {
    let message = "an asynchronous call that is not over has the generator of random numbers";
    Error::new(Code::Busy, message)
}
