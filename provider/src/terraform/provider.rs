//! The provider between its calls: what its block said, the session that followed from it, and the switch that stops it.

use std::sync::{Arc, Mutex, PoisonError};

use eventual_provider_core::config;
use eventual_provider_core::declaration;
use eventual_provider_core::diagnostic::{Diagnostic, any_error};
use eventual_provider_core::request::{Control, Scope};
use eventual_provider_wire::tfplugin6::{
    ClientCapabilities, Deferred, configure_provider, deferred::Reason, validate_provider_config,
};
use tokio::sync::RwLock;

use super::answer::Trouble;
use super::{claimant, from_wire, progress, to_wire};
use crate::ports::{Ports, Session};
use crate::work::Work;

/// What the provider block said.
#[derive(Debug, Clone, Default)]
pub(super) struct Configured {
    /// Where to deploy; `None` while that is not known.
    pub(super) session: Option<Session>,
    /// Whether everything about it is known, so that plans can say names and tags.
    pub(super) complete: bool,
    /// Whether something that decides where to deploy is known later.
    pub(super) later: bool,
}

/// The provider. Every clone is the same one.
#[derive(Clone)]
pub(super) struct Provider {
    pub(super) ports: Ports,
    /// What goes on without who asked for it.
    pub(super) work: Work,
    configured: Arc<RwLock<Option<Configured>>>,
    control: Arc<Mutex<Control>>,
}

impl Provider {
    /// A provider that is not configured yet.
    pub(super) fn new(ports: Ports) -> Self {
        Self {
            ports,
            work: Work::default(),
            configured: Arc::default(),
            control: Arc::new(Mutex::new(fresh_control())),
        }
    }

    /// The switch that stops what is under way.
    pub(super) fn control(&self) -> Control {
        self.control.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) async fn configured(&self) -> Configured {
        self.configured.read().await.clone().unwrap_or_default()
    }

    /// Configured, for an operation that cannot do without.
    pub(super) async fn session(&self) -> Result<Session, Trouble> {
        let missing = "Something that the provider block needs (region, credentials or endpoint) is not known, so nothing can be \
                       done with the service's resources.";
        self.configured()
            .await
            .session
            .ok_or_else(|| Trouble::from(Diagnostic::error("Provider not configured", missing)))
    }

    /// What is known without a session: the artifact.
    pub(super) fn blind(&self) -> Scope<'_> {
        static NO_TAGS: std::collections::BTreeMap<String, String> = std::collections::BTreeMap::new();
        Scope { artifacts: self.ports.artifacts.as_ref(), identity: None, default_tags: &NO_TAGS }
    }

    pub(super) async fn configure(
        &self,
        sent: &configure_provider::Request,
    ) -> Result<configure_provider::Response, Trouble> {
        let value = from_wire::object(declaration::provider(), sent.config.as_ref())?;
        let (config, mut diagnostics) = config::provider(&value);
        let mut configured = Configured { later: config.is_unknown(), ..Configured::default() };
        if !any_error(&diagnostics) && !configured.later {
            match self.ports.connect.connect(&config).await {
                Ok(session) => {
                    configured =
                        Configured { session: Some(session), complete: !value.has_unknown(), later: false };
                }
                Err(refused) => diagnostics.extend(refused),
            }
        }
        if self.configured.write().await.replace(configured).is_some() {
            // A process that serves for debugging is configured by one command after the other, and what stopped an earlier
            // one stops no later one.
            *self.control.lock().unwrap_or_else(PoisonError::into_inner) = fresh_control();
        }
        Ok(configure_provider::Response { diagnostics: to_wire::diagnostics(&diagnostics) })
    }

    /// Whether an answer is put off because it is not known yet where it would be found; only a client that said that it
    /// bears that is answered so.
    pub(super) async fn deferred(&self, client: Option<&ClientCapabilities>) -> Option<Deferred> {
        let later = allowed(client) && self.configured().await.later;
        later.then(|| because(Reason::ProviderConfigUnknown))
    }
}

fn fresh_control() -> Control {
    let mut control = Control::new("");
    control.holder = claimant::here();
    control.progress = progress::log();
    control
}

/// Whether the client bears answers that are put off.
pub(super) fn allowed(client: Option<&ClientCapabilities>) -> bool {
    client.is_some_and(|it| it.deferral_allowed)
}

/// An answer that is put off, and why.
pub(super) fn because(reason: Reason) -> Deferred {
    Deferred { reason: reason.into() }
}

/// What is wrong with the provider block.
pub(super) fn validate(
    sent: &validate_provider_config::Request,
) -> Result<validate_provider_config::Response, Trouble> {
    let config = from_wire::object(declaration::provider(), sent.config.as_ref())?;
    let diagnostics = to_wire::diagnostics(&config::provider(&config).1);
    Ok(validate_provider_config::Response { diagnostics })
}
