//! The AWS host of the engine: its ports on DynamoDB, SQS, Lambda, EventBridge and S3, and one trigger a file.
//!
//! [`run`] is the main program of every deployed function. It reads what the provider put into the environment, builds
//! the engine over the ports, and serves Lambda's runtime API; what an invocation means is decided by the function's
//! kind. A trigger decodes what AWS hands over, calls one verb of the engine, and encodes the answer. Nothing here
//! decides what a workflow does next.
//!
//! Calls to AWS, which are all that a function's role has to permit:
//!
//! | action | where | for |
//! |---|---|---|
//! | `dynamodb:PutItem` | `store.rs`, `store/turns.rs` | insert, commit, claim |
//! | `dynamodb:GetItem` | `store.rs` | meta |
//! | `dynamodb:Query` on the table | `store/turns.rs`, `store/close.rs` | turns; turns of an execution that ends |
//! | `dynamodb:Query` on the index | `store/list.rs` | lists |
//! | `dynamodb:UpdateItem` | `store/turns.rs`, `store/status.rs`, `store/attributes.rs`, `store/close.rs` | commit; status; attributes; expiry of turns |
//! | `sqs:SendMessage` on the workflow queue | `dispatch.rs` | wake-ups |
//! | `sqs:SendMessage` on the timer queue | `dispatch.rs` | timers up to 15 minutes, and their last leg |
//! | `sqs:SendMessage` on the dead-letter queue | `dispatch.rs` | messages that nobody can read |
//! | `lambda:InvokeFunction` on `<task function>:live` | `dispatch.rs` | remote tasks |
//! | `lambda:InvokeFunction` on `<orchestrator>:code-*` | `dispatch/forward.rs` | executions that are pinned to other code |
//! | `scheduler:CreateSchedule`, `iam:PassRole` of the scheduler's role | `dispatch/schedule.rs` | longer timers |
//! | `events:PutEvents` | `dispatch/events.rs` | events |
//! | `s3:PutObject`, `s3:GetObject` on `payloads/*` | `spill.rs` | what is too large for an item or message |
//!
//! By kind of function: the *orchestrator* calls all of them but the index; a *task* PutItem (claim), SendMessage to
//! the workflow queue, and the bucket; *timers* SendMessage to both queues, and the bucket; the *relay* SendMessage to the
//! workflow queue; the *system* function PutItem, GetItem, Query (both), SendMessage to the workflow queue, and the
//! bucket. A *command*, *subscription* or *task* that declares a workflow needs PutItem, GetItem, Query (both: it may ask an execution
//! and list them), SendMessage to the workflow queue and the bucket for it; one that declares a signal GetItem, SendMessage to the workflow queue and the bucket; one that declares
//! an event PutEvents.

mod clients;
mod clock;
mod command;
mod config;
mod dispatch;
mod fault;
mod host;
mod lineage;
mod orchestrator;
mod packed;
mod refusal;
mod relay;
mod spill;
mod store;
mod subscription;
mod system;
mod task;
mod timers;
mod wire;

use std::error::Error;
use std::process::ExitCode;

use eventual_engine::States;
pub use eventual_engine::{Init, Program};
use eventual_schema::FunctionKind;
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::value::RawValue;

pub use clock::SystemClock;
pub use config::{Aws, Config, ConfigError, Resources};
pub use dispatch::AwsDispatch;
pub use host::adapters;
pub use store::DynamoStore;

use host::Host;
use refusal::Refusal;

/// Runs the service as the Lambda function that the environment says it is, until Lambda ends the process.
#[must_use]
pub fn run(program: Program) -> ExitCode {
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_target(false)
        .with_max_level(tracing::Level::INFO)
        .init();
    // Current thread: a function has one request at a time, and a second thread would only share its one processor.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error),
    };
    match runtime.block_on(serve(program)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&*error),
    }
}

fn failed(error: &dyn Error) -> ExitCode {
    tracing::error!(%error, "function cannot run");
    ExitCode::FAILURE
}

async fn serve(program: Program) -> Result<(), lambda_runtime::Error> {
    let variable = |name: &str| std::env::var(name).ok().or_else(|| packed::variable(name));
    let config = Config::read(&program.manifest, variable)?;
    let kind = config.function.kind;
    let states = match program.init {
        Some(init) if runs_handlers(kind) => init().await.map_err(|error| format!("init failed: {error}"))?,
        _ => States::default(),
    };
    let schedules = program.manifest.schedules.clone();
    let host = Host::new(config, program.manifest, program.registry, states);
    let host = &host;
    if kind == FunctionKind::Orchestrator {
        host.engine.declare(&schedules).await?;
    }
    lambda_runtime::run(service_fn(|event: LambdaEvent<Box<RawValue>>| invoke(host, kind, event))).await
}

/// Whether functions of this kind run code of the service that may extract states.
const fn runs_handlers(kind: FunctionKind) -> bool {
    match kind {
        FunctionKind::Command
        | FunctionKind::Orchestrator
        | FunctionKind::Subscription
        | FunctionKind::Task => true,
        FunctionKind::Relay | FunctionKind::System | FunctionKind::Timers => false,
    }
}

/// One invocation.
async fn invoke(
    host: &Host,
    kind: FunctionKind,
    event: LambdaEvent<Box<RawValue>>,
) -> Result<Box<RawValue>, Refusal> {
    let text = event.payload.get();
    let answer = match kind {
        FunctionKind::Command => wire::answer(&command::handle(host, text, &event.context.request_id).await?),
        FunctionKind::Orchestrator => {
            wire::answer(&orchestrator::handle(host, text, event.context.deadline).await?)
        }
        FunctionKind::Relay => wire::answer(&relay::handle(host, text).await?),
        FunctionKind::Subscription => wire::answer(&subscription::handle(host, text).await?),
        FunctionKind::System => wire::answer(&system::handle(host, text).await?),
        FunctionKind::Task => wire::answer(&task::handle(host, text).await?),
        FunctionKind::Timers => wire::answer(&timers::handle(host, text).await?),
    };
    Ok(answer?)
}
