//! Actions: what is done with a service beside deploying it. The only calls of Terraform that hear of progress.

use std::pin::Pin;
use std::time::Duration;

use eventual_provider_core::diagnostic::Diagnostic;
use eventual_provider_core::request::{self, Control};
use eventual_provider_core::value::Value;
use eventual_provider_wire::tfplugin6::{
    self, invoke_action, invoke_action::event, plan_action, validate_action_config,
};
use futures_util::stream::{self, Stream};
use tokio::sync::mpsc;
use tonic::Status;

use super::answer::{Trouble, answer};
use super::catalog::{self, INVOKE_COMMAND, INVOKE_SYSTEM};
use super::provider::Provider;
use super::{from_wire, to_wire};
use crate::ports::Session;

/// How often a waiting action looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(200);

/// What Terraform hears of an action.
pub(super) type Events = Pin<Box<dyn Stream<Item = Result<invoke_action::Event, Status>> + Send>>;

pub(super) fn validate(
    sent: &validate_action_config::Request,
) -> Result<validate_action_config::Response, Trouble> {
    let object = catalog::action(&sent.type_name)?;
    let config = from_wire::object(object, sent.config.as_ref())?;
    let diagnostics = to_wire::diagnostics(&request::validate_action(object, &config));
    Ok(validate_action_config::Response { diagnostics })
}

fn progress(message: String) -> invoke_action::Event {
    invoke_action::Event { r#type: Some(event::Type::Progress(event::Progress { message })) }
}

fn completed(diagnostics: Vec<tfplugin6::Diagnostic>) -> invoke_action::Event {
    invoke_action::Event { r#type: Some(event::Type::Completed(event::Completed { diagnostics })) }
}

impl Provider {
    pub(super) async fn planned_action(
        &self,
        sent: &plan_action::Request,
    ) -> Result<plan_action::Response, Trouble> {
        let object = catalog::action(&sent.action_type)?;
        let config = from_wire::object(object, sent.config.as_ref())?;
        Ok(plan_action::Response {
            diagnostics: to_wire::diagnostics(&request::validate_action(object, &config)),
            deferred: self.deferred(sent.client_capabilities.as_ref()).await,
        })
    }

    /// Begins an action in a task of its own, so that its end is reached also when nobody listens any more.
    pub(super) fn invoke(&self, sent: invoke_action::Request) -> Events {
        let (events, heard) = mpsc::unbounded_channel();
        let provider = self.clone();
        self.work.begin(async move {
            let said = |message: String| {
                tracing::info!(message, "action");
                // Nobody may be listening.
                let _ = events.send(progress(message));
            };
            let work = provider.perform(&sent, &said);
            let diagnostics = answer("InvokeAction", work, |diagnostics| diagnostics).await;
            let _ = events.send(completed(diagnostics));
        });
        Box::pin(stream::unfold(heard, |mut heard| async move {
            heard.recv().await.map(|event| (Ok(event), heard))
        }))
    }

    async fn perform(
        &self,
        sent: &invoke_action::Request,
        said: request::Said<'_>,
    ) -> Result<Vec<tfplugin6::Diagnostic>, Trouble> {
        let object = catalog::action(&sent.action_type)?;
        let config = from_wire::object(object, sent.config.as_ref())?;
        let wrong = request::validate_action(object, &config);
        if !wrong.is_empty() {
            return Ok(to_wire::diagnostics(&wrong));
        }
        let (session, control) = (self.session().await?, self.control());
        let diagnostics = tokio::select! {
            diagnostics = act(&sent.action_type, &session, &config, &control, said) => diagnostics,
            () = stopped(&control) => {
                let detail = "What was asked of the service is under way there, and goes on.";
                vec![Diagnostic::error("Stopped waiting", detail)]
            }
        };
        Ok(to_wire::diagnostics(&diagnostics))
    }
}

async fn act(
    name: &str,
    session: &Session,
    config: &Value,
    control: &Control,
    said: request::Said<'_>,
) -> Vec<Diagnostic> {
    let (identity, cloud, operations) =
        (&session.identity, session.cloud.as_ref(), session.operations.as_ref());
    match name {
        INVOKE_COMMAND => request::invoke_command(identity, cloud, operations, config, said).await,
        INVOKE_SYSTEM => request::invoke_system(identity, cloud, operations, config, said).await,
        _ => request::redrive(identity, cloud, operations, config, control, said).await,
    }
}

/// Returns some moments after the provider was told to stop, in which what can end by itself does.
async fn stopped(control: &Control) {
    while !control.is_cancelled() {
        tokio::time::sleep(LOOK).await;
    }
    tokio::time::sleep(5 * LOOK).await;
}
