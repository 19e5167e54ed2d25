//! The commands of the k-api: each takes arguments, checks them, and works on the session. Their table.

pub(crate) mod arguments;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod array_store;
pub(crate) mod callbacks;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod checkpoint_load;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod checkpoints;
pub(crate) mod closure_step;
pub(crate) mod compact_call;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod data_positions;
#[cfg_attr(target_arch = "wasm32", path = "no_devices.rs")]
pub(crate) mod devices;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod files;
pub(crate) mod fills;
pub(crate) mod generator;
pub(crate) mod gradients;
pub(crate) mod initializers;
#[cfg(not(target_family = "wasm"))]
pub(crate) mod jobs;
pub(crate) mod lbfgs_state;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod load_report;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod loaded_model;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod loaded_module;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod loaded_optimizer;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod loaded_run;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod loaded_states;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod loose_tensors;
pub(crate) mod losses;
pub(crate) mod models;
pub(crate) mod modules;
pub(crate) mod objects;
pub(crate) mod operations;
pub(crate) mod optimizers;
pub(crate) mod outline;
pub(crate) mod parameters;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod partial_run;
#[cfg(not(target_family = "wasm"))]
pub(crate) mod process_groups;
pub(crate) mod restore;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod run_changes;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod run_objects;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod run_part;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod run_sources;
pub(crate) mod samples;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod saved_arrays;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod saved_file;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod saved_run;
pub(crate) mod schedules;
pub(crate) mod scopes;
#[cfg(target_arch = "wasm32")]
pub(crate) mod sdk_files;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod selection;
pub(crate) mod session;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod sharded_file;
pub(crate) mod state;
pub(crate) mod state_entries;
pub(crate) mod steps;
pub(crate) mod tensor_options;
pub(crate) mod tensors;

use std::cell::RefCell;

use stepwell_optim::fallible::check_small_memory;
use stepwell_optim::{Code, Error, Result};

use crate::commands::arguments::Arguments;
use crate::engine::Engine;
use crate::nn::loss::table::LOSSES;
use crate::session::Session;
use crate::session::hosting::SessionAccess;
use crate::values::value::Value;

type Command<E> = fn(&mut Session<E>, Arguments) -> Result<Value>;

/// A command that may call functions of JavaScript.
type HostedCommand<E> = fn(&mut SessionAccess<'_, E>, Arguments) -> Result<Value>;

impl<E: Engine> Session<E> {
    /// Calls a command of the k-api. An error names the command, and has changed nothing.
    pub fn call(&mut self, command: &str, arguments: Vec<Value>) -> Result<Value> {
        if let Some((name, function)) = Self::HOSTED.iter().find(|(name, _)| *name == command) {
            return Self::run_hosted(&mut SessionAccess::Exclusive(self), name, *function, arguments);
        }
        self.engine.enter();
        let Some((name, function)) = Self::COMMANDS.iter().find(|(name, _)| *name == command) else {
            return self.operate(command, arguments);
        };
        // Reserve memory for one object before the call changes anything. Calls that only free are exempt: they must work
        // without memory.
        if !matches!(*name, "free" | "release" | "reset") {
            check_small_memory().and_then(|()| self.table.reserve_one()).map_err(|error| error.within(name))?;
        }
        #[cfg(not(target_family = "wasm"))]
        self.check_draws(name, &arguments).map_err(|error| error.within(name))?;
        self.command = name;
        let random = self.random.clone();
        let result = function(self, Arguments::new(arguments));
        #[cfg(not(target_family = "wasm"))]
        let result = result.and_then(|value| self.kept(value, &random));
        result.map_err(|error| {
            // After an error the random numbers are as before the call.
            self.random = random;
            error.within(name)
        })
    }

    /// As [`Session::call`], for a command that calls functions of JavaScript. `host` runs the one that is the last of those
    /// running, and fails if the function does; its result means nothing. The session is not borrowed while it runs.
    pub fn call_hosted(
        session: &RefCell<Self>,
        command: &str,
        arguments: Vec<Value>,
        host: &dyn Fn() -> Result<f64>,
    ) -> Result<Value> {
        match Self::HOSTED.iter().find(|(name, _)| *name == command) {
            Some((name, function)) => {
                Self::run_hosted(&mut SessionAccess::Shared(session, host), name, *function, arguments)
            }
            None => session.borrow_mut().call(command, arguments),
        }
    }

    fn run_hosted(
        access: &mut SessionAccess<'_, E>,
        name: &'static str,
        function: HostedCommand<E>,
        arguments: Vec<Value>,
    ) -> Result<Value> {
        let (random, held, passed) = {
            let mut session = access.session();
            session.engine.enter();
            check_small_memory().and_then(|()| session.table.reserve_one()).map_err(|error| error.within(name))?;
            #[cfg(not(target_family = "wasm"))]
            session.check_draws(name, &arguments).map_err(|error| error.within(name))?;
            session.command = name;
            (session.random.clone(), session.held.len(), session.passed.len())
        };
        // Arguments that are objects must outlive the functions that the command calls.
        let handles =
            arguments.iter().filter_map(|given| if let Value::Handle(handle) = given { Some(*handle) } else { None });
        access.session().held.extend(handles);
        let result = function(access, Arguments::new(arguments));
        let mut session = access.session();
        session.held.truncate(held);
        session.passed.truncate(passed);
        #[cfg(not(target_family = "wasm"))]
        let result = result.and_then(|value| session.kept(value, &random));
        result.map_err(|error| {
            session.random = random;
            error.within(name)
        })
    }

    /// Calls a loss or an operation of the table of tensor mathematics.
    fn operate(&mut self, name: &str, arguments: Vec<Value>) -> Result<Value> {
        let arguments = Arguments::new(arguments);
        if let Some(kind) = LOSSES.iter().find(|kind| kind.name == name) {
            return self.run_named(kind.name, |session| losses::named(session, arguments, kind));
        }
        let Some((operation, function)) = operations::operation::<E>(name) else {
            return Err(Error::new(Code::UnknownName, format_args!("unknown function `{name}`")));
        };
        self.run_named(operation.name, |session| operation.run(function, session, arguments))
    }

    /// Runs a function that returns new objects. After an error the random numbers are as before.
    fn run_named(&mut self, name: &'static str, run: impl FnOnce(&mut Self) -> Result<Value>) -> Result<Value> {
        check_small_memory().and_then(|()| self.table.reserve_one()).map_err(|error| error.within(name))?;
        self.command = name;
        let random = self.random.clone();
        let result = run(self);
        #[cfg(not(target_family = "wasm"))]
        let result = result.and_then(|value| self.kept(value, &random));
        result.map_err(|error| {
            self.random = random;
            error.within(name)
        })
    }

    /// Every command that may call functions of JavaScript.
    const HOSTED: &'static [(&'static str, HostedCommand<E>)] = &[
        ("forward", modules::forward),
        ("evaluate", modules::evaluate),
        ("run", models::run),
        ("testrun", models::testrun),
        ("batch", models::batch),
        ("testbatch", models::testbatch),
        ("backward", gradients::backward),
        ("gradient", callbacks::gradient),
    ];

    /// Every other command with its function. The module of a function is its family; `packages/sdk/src/api/functions/` has the
    /// same families. Functions of a training loop come first, since a call searches from the start.
    const COMMANDS: &'static [(&'static str, Command<E>)] = &[
        ("step", steps::step),
        ("lossscale", steps::lossscale),
        ("skipped", steps::skipped),
        ("average", steps::average),
        ("zerograd", gradients::zerograd),
        ("nograd", gradients::nograd),
        ("grad", gradients::grad),
        ("gradflag", gradients::gradflag),
        ("leaf", gradients::leaf),
        ("freeze", gradients::freeze),
        ("unfreeze", gradients::unfreeze),
        ("clip", gradients::clip),
        ("clipv", gradients::clipv),
        ("module", modules::module),
        ("callback", callbacks::callback),
        ("callbacks", callbacks::callbacks),
        ("bindcallback", callbacks::bind),
        ("isparameter", callbacks::is_trained),
        ("runningcall", callbacks::running),
        ("graphfunctions", callbacks::of_graphs),
        ("outputs", callbacks::outputs),
        ("names", modules::names),
        ("childnames", modules::childnames),
        ("parmnames", modules::parmnames),
        ("child", modules::child),
        ("parms", modules::parms),
        ("parm", modules::parm),
        ("clone", modules::clone),
        ("copyparms", modules::copyparms),
        ("children", modules::children),
        ("modules", modules::modules),
        ("moduletypes", modules::moduletypes),
        ("parmtypes", modules::parmtypes),
        ("buffer", modules::buffer),
        ("buffers", modules::buffers),
        ("buffernames", modules::buffernames),
        #[cfg(not(target_arch = "wasm32"))]
        ("save", files::save),
        #[cfg(not(target_arch = "wasm32"))]
        ("load", files::load),
        #[cfg(not(target_arch = "wasm32"))]
        ("inspect", files::inspect),
        #[cfg(not(target_arch = "wasm32"))]
        ("serialize", files::serialize),
        #[cfg(not(target_arch = "wasm32"))]
        ("deserialize", files::deserialize),
        #[cfg(target_arch = "wasm32")]
        ("tensors", sdk_files::tensors),
        #[cfg(target_arch = "wasm32")]
        ("position", sdk_files::position),
        #[cfg(target_arch = "wasm32")]
        ("exchange", sdk_files::exchange),
        ("loss", losses::loss),
        ("knormal", initializers::knormal),
        ("kuniform", initializers::kuniform),
        ("xnormal", initializers::xnormal),
        ("xuniform", initializers::xuniform),
        ("snormal", initializers::snormal),
        ("tnormal", initializers::tnormal),
        ("orthogonal", initializers::orthogonal),
        ("dirac", initializers::dirac),
        ("gain", initializers::gain),
        ("model", models::model),
        ("train", models::train),
        ("test", models::test),
        ("metrics", models::metrics),
        ("testmetrics", models::testmetrics),
        ("input", samples::input),
        ("target", samples::target),
        ("datasize", samples::datasize),
        ("batchinit", samples::batchinit),
        ("restore", samples::restore),
        ("shuffle", samples::shuffle),
        ("unshuffle", samples::unshuffle),
        ("testinput", samples::testinput),
        ("testtarget", samples::testtarget),
        ("testsize", samples::testsize),
        ("testinit", samples::testinit),
        ("testrestore", samples::testrestore),
        ("tensor", tensors::tensor),
        ("data", tensors::data),
        ("full", tensors::full),
        ("vector", tensors::vector),
        ("dict", tensors::dict),
        ("copyto", tensors::copyto),
        ("to", tensors::to),
        ("dtype", tensors::dtype),
        ("device", tensors::device),
        ("sync", devices::sync),
        ("memory", devices::memory),
        #[cfg(not(target_arch = "wasm32"))]
        ("cudaStatus", devices::status),
        #[cfg(not(target_family = "wasm"))]
        ("initProcessGroup", process_groups::initgroup),
        #[cfg(not(target_family = "wasm"))]
        ("destroyProcessGroup", process_groups::endgroup),
        #[cfg(not(target_family = "wasm"))]
        ("allReduce", process_groups::allreduce),
        #[cfg(not(target_family = "wasm"))]
        ("broadcast", process_groups::broadcast),
        #[cfg(not(target_family = "wasm"))]
        ("allGather", process_groups::allgather),
        #[cfg(not(target_family = "wasm"))]
        ("reduceScatter", process_groups::reducescatter),
        #[cfg(not(target_family = "wasm"))]
        ("barrier", process_groups::barrier),
        #[cfg(not(target_family = "wasm"))]
        ("distributed", process_groups::distributed),
        ("fill", fills::fill),
        ("filldiagonal", fills::filldiagonal),
        ("random", fills::random),
        ("normal", fills::normal),
        ("uniform", fills::uniform),
        ("lognormal", fills::lognormal),
        ("exponential", fills::exponential),
        ("geometric", fills::geometric),
        ("cauchy", fills::cauchy),
        ("opt", optimizers::opt),
        ("state", optimizers::state),
        ("lr", schedules::lr),
        ("schedule", schedules::schedule),
        ("advance", schedules::advance),
        ("use", objects::use_),
        ("free", objects::free),
        ("release", objects::release),
        ("class", objects::class),
        ("objtype", objects::objtype),
        ("size", objects::size),
        ("tensorcount", objects::tensorcount),
        ("elements", objects::elements),
        ("dim", objects::dim),
        ("itemsize", objects::itemsize),
        ("same", objects::same),
        ("info", objects::info),
        ("bytes", objects::bytes),
        ("leaks", scopes::leaks),
        ("help", session::help),
        ("setting", session::setting),
        ("reset", session::reset),
        ("handlecount", session::handlecount),
        ("seed", session::seed),
        ("generator", session::generator),
        ("randperm", session::randperm),
        ("errorcodes", session::errorcodes),
        ("outline", outline::outline),
        ("pick", outline::pick),
    ];
}
