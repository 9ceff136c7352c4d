//! What the attribute macros leave behind for each item: names, options, and functions without their types.
//!
//! Registrations find each other at link time (`inventory`). Each also owns a few bytes in the section `.eventual` of the
//! binary, which tools read without running it; the registration points at them, so that no linker drops them.

use std::any::type_name;

use eventual_core::RetryPolicy;
use eventual_engine::{HandlerFn, WorkflowFn};
pub use eventual_schema::Overlap;
use schemars::{Schema, SchemaGenerator};

use crate::codec::Data;
use crate::error::Failure;
use crate::function::{Command, Function, Subscription, Task, Workflow};
use crate::signal::{Event, Signal};

/// Makes the schema of a type.
pub type SchemaFn = fn(&mut SchemaGenerator) -> Schema;

/// Where an item is written, and what describes it.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// `CARGO_PKG_NAME` of its crate.
    pub package: &'static str,
    /// `CARGO_PKG_VERSION` of its crate.
    pub version: &'static str,
    /// `module_path!()`; the crate's name is its first segment.
    pub module: &'static str,
    /// Path of the file as the compiler was given it.
    pub file: &'static str,
    /// Line, from 1.
    pub line: u32,
    /// Its doc comment, trimmed.
    pub doc: &'static str,
    /// Its bytes in the section `.eventual`: `kind NUL name NUL`; empty for what is no handler.
    pub section: &'static [u8],
}

impl Place {
    /// The crate's name.
    #[must_use]
    pub fn krate(&self) -> &'static str {
        crate_of(self.module)
    }
}

/// The crate's name in a module's path, its first segment.
#[must_use]
pub const fn crate_of(module: &'static str) -> &'static str {
    let bytes = module.as_bytes();
    let mut end = 0;
    while end < bytes.len() && bytes[end] != b':' {
        end += 1;
    }
    module.split_at(end).0
}

/// Something that `uses(...)` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    /// Its kind.
    pub kind: UseKind,
    /// Its name on the wire.
    pub name: &'static str,
    /// `module_path!()` of where it is written.
    pub module: &'static str,
}

/// What `uses(...)` may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UseKind {
    /// An event, to publish.
    Event,
    /// A signal, to send.
    Signal,
    /// A task, to answer for.
    Task,
    /// A workflow, to start, read and wait for.
    Workflow,
}

/// What `uses(...)` may name, by its path.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be named by `uses(...)`",
    label = "is no workflow, event or signal",
    note = "`uses(...)` takes workflows (`#[eventual::workflow]`), events (`#[eventual::event]`), signals (`#[eventual::signal]`), and tasks that take a `Completion`"
)]
pub trait Usable {
    /// What it is.
    const USE: Use;
}

/// Who may call a command.
#[derive(Clone, Copy, Debug)]
pub enum Auth {
    /// Callers signed with AWS credentials.
    Iam,
    /// Callers with a token.
    Jwt {
        /// Its `iss`.
        issuer: &'static str,
        /// Accepted `aud`.
        audience: &'static [&'static str],
    },
    /// Everybody.
    None,
}

/// Options that all handlers have which run in a function of their own.
#[derive(Clone, Copy, Debug)]
pub struct HandlerOptions {
    /// `uses(...)`.
    pub uses: &'static [Use],
    /// `timeout = ...`, in milliseconds.
    pub timeout_ms: Option<u64>,
    /// `memory = ...`, in MB.
    pub memory_mb: Option<u32>,
    /// Whether it takes a `State`.
    pub state: bool,
}

/// Options of a command.
#[derive(Clone, Copy, Debug)]
pub struct CommandOptions {
    /// `method = ..., path = ...`.
    pub route: Option<(&'static str, &'static str)>,
    /// `auth = ...`.
    pub auth: Option<Auth>,
    /// The rest.
    pub handler: HandlerOptions,
}

/// Options of a task.
#[derive(Clone, Copy, Debug)]
pub struct TaskOptions {
    /// `inline`.
    pub inline: bool,
    /// `retry(...)`, `at_most_once`, or the default.
    pub retry: RetryPolicy,
    /// `final_errors(...)` of `retry(...)`.
    pub final_errors: &'static [&'static str],
    /// `heartbeat = ...`, in milliseconds.
    pub heartbeat_ms: Option<u64>,
    /// `total_timeout = ...`, in milliseconds.
    pub total_ms: Option<u64>,
    /// Whether it takes a `Completion`.
    pub completion: bool,
    /// The rest.
    pub handler: HandlerOptions,
}

/// What the attribute of a workflow says.
#[derive(Clone, Copy, Debug)]
pub struct WorkflowOptions {
    /// `schedule(...)`.
    pub schedule: Option<ScheduleOptions>,
    /// `pinned`.
    pub pinned: bool,
}

/// `schedule(...)` of a workflow.
#[derive(Clone, Copy, Debug)]
pub struct ScheduleOptions {
    /// Its name; the workflow's without.
    pub name: Option<&'static str>,
    /// `cron = "..."`.
    pub cron: Option<&'static str>,
    /// `every = "..."`, in milliseconds.
    pub every_ms: Option<u64>,
    /// `time_zone = "..."`.
    pub time_zone: Option<&'static str>,
    /// `input = "..."`, JSON.
    pub input: Option<&'static str>,
    /// `jitter = "..."`, in milliseconds.
    pub jitter_ms: Option<u64>,
    /// `catch_up = "..."`, in milliseconds.
    pub catch_up_ms: Option<u64>,
    /// `overlap = ...`.
    pub overlap: Overlap,
    /// `paused`.
    pub paused: bool,
}

/// Makes the schemas of a function's types.
#[derive(Clone, Copy, Debug)]
pub struct Types {
    /// Of the input; absent when it takes none.
    pub input: Option<SchemaFn>,
    /// Of the result.
    pub output: SchemaFn,
    /// Of the error; absent when it carries only class and message.
    pub error: Option<SchemaFn>,
    /// Tells the result's type, for messages.
    pub output_name: fn() -> &'static str,
}

impl Types {
    const fn of<F: Function>() -> Self {
        let error: Option<SchemaFn> =
            if F::Error::DECLARED { Some(<F::Error as Failure>::Wire::schema) } else { None };
        let input: Option<SchemaFn> = if F::INPUT { Some(F::Input::schema) } else { None };
        Self { input, output: F::Output::schema, error, output_name: type_name::<F::Output> }
    }
}

/// What is registered.
#[derive(Clone, Copy, Debug)]
pub enum Item {
    /// A command.
    Command {
        /// Its code.
        run: HandlerFn,
        /// Its types.
        types: Types,
        /// Its options.
        options: CommandOptions,
    },
    /// An event.
    Event {
        /// Makes its schema.
        payload: SchemaFn,
    },
    /// A signal.
    Signal {
        /// Makes its schema.
        payload: SchemaFn,
    },
    /// A subscription.
    Subscription {
        /// Its code.
        run: HandlerFn,
        /// The event that it reacts to.
        event: &'static str,
        /// Its options.
        options: HandlerOptions,
    },
    /// A task.
    Task {
        /// Its code.
        run: HandlerFn,
        /// Its types.
        types: Types,
        /// Its options.
        options: TaskOptions,
    },
    /// A workflow.
    Workflow {
        /// Its code.
        run: WorkflowFn,
        /// Its types.
        types: Types,
        /// Its options.
        options: WorkflowOptions,
    },
}

/// One item of some crate that is linked into this binary.
#[derive(Debug)]
pub struct Registration {
    /// Name on the wire.
    pub name: &'static str,
    /// Path of the item's type, which is also that of its function. Tells tests which handler a function is.
    pub path: fn() -> &'static str,
    /// Where it is written.
    pub place: Place,
    /// What it is.
    pub item: Item,
}

inventory::collect!(Registration);

impl Registration {
    /// Of a command.
    #[must_use]
    pub const fn command<F: Command>(place: Place) -> Self {
        let item = Item::Command { run: F::run, types: Types::of::<F>(), options: F::OPTIONS };
        Self { name: F::NAME, path: type_name::<F>, place, item }
    }

    /// Of an event.
    #[must_use]
    pub const fn event<T: Event>(place: Place) -> Self {
        Self { name: T::NAME, path: type_name::<T>, place, item: Item::Event { payload: T::schema } }
    }

    /// Of a signal.
    #[must_use]
    pub const fn signal<T: Signal>(place: Place) -> Self {
        Self { name: T::NAME, path: type_name::<T>, place, item: Item::Signal { payload: T::schema } }
    }

    /// Of a subscription.
    #[must_use]
    pub const fn subscription<F: Subscription>(place: Place) -> Self {
        let item = Item::Subscription { run: F::run, event: <F::Event as Event>::NAME, options: F::OPTIONS };
        Self { name: F::NAME, path: type_name::<F>, place, item }
    }

    /// Of a task.
    #[must_use]
    pub const fn task<F: Task>(place: Place) -> Self {
        let item = Item::Task { run: F::run, types: Types::of::<F>(), options: F::OPTIONS };
        Self { name: F::NAME, path: type_name::<F>, place, item }
    }

    /// Of a workflow.
    #[must_use]
    pub const fn workflow<F: Workflow>(place: Place) -> Self {
        Self {
            name: F::NAME,
            path: type_name::<F>,
            place,
            item: Item::Workflow { run: F::run, types: Types::of::<F>(), options: F::OPTIONS },
        }
    }

    /// The item's kind as it stands in manifests and messages.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self.item {
            Item::Command { .. } => "command",
            Item::Event { .. } => "event",
            Item::Signal { .. } => "signal",
            Item::Subscription { .. } => "subscription",
            Item::Task { .. } => "task",
            Item::Workflow { .. } => "workflow",
        }
    }

    /// The handler whose function has the type `F`.
    #[must_use]
    pub fn of_function<F>() -> Option<&'static Self> {
        let path = type_name::<F>();
        Self::all().find(|it| (it.path)() == path)
    }

    /// Everything that is linked into this binary.
    pub(crate) fn all() -> impl Iterator<Item = &'static Self> {
        inventory::iter::<Self>.into_iter()
    }
}
