//! What both wires are given by `main`: files, and a way into a cloud. They name neither a file format nor an SDK.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use eventual_provider_core::cloud::Cloud;
use eventual_provider_core::config::ProviderConfig;
use eventual_provider_core::diagnostic::Diagnostic;
use eventual_provider_core::operations::Operations;
use eventual_provider_core::request::{Artifacts, Identity, Scope};

/// A configured provider: where it deploys to, and with what.
#[derive(Clone)]
pub struct Session {
    /// The cloud, with the user's credentials.
    pub cloud: Arc<dyn Cloud>,
    /// What is done there with services that are deployed.
    pub operations: Arc<dyn Operations>,
    /// Account and region.
    pub identity: Identity,
    /// Tags of everything that is made.
    pub default_tags: BTreeMap<String, String>,
}

impl Session {
    /// What an operation of the core is done with.
    #[must_use]
    pub fn scope<'a>(&'a self, artifacts: &'a dyn Artifacts) -> Scope<'a> {
        Scope { artifacts, identity: Some(&self.identity), default_tags: &self.default_tags }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("identity", &self.identity).finish_non_exhaustive()
    }
}

/// Opens a session from the provider's configuration.
#[async_trait]
pub trait Connect: Send + Sync {
    /// Finds credentials and region, and asks whose they are.
    ///
    /// # Errors
    /// What is missing or refused, for the user; with a path where a setting would mend it.
    async fn connect(&self, config: &ProviderConfig) -> Result<Session, Vec<Diagnostic>>;
}

/// Everything that a wire needs from outside.
#[derive(Clone)]
pub struct Ports {
    /// Opens artifacts.
    pub artifacts: Arc<dyn Artifacts>,
    /// Opens sessions.
    pub connect: Arc<dyn Connect>,
}

impl fmt::Debug for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ports").finish_non_exhaustive()
    }
}
