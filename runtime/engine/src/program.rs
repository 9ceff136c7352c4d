//! A service as its binary hands it to the host that runs it.

use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;

use eventual_schema::Manifest;

use crate::registry::{Registry, States};

/// Builds a service's states, once in each process that runs handlers.
pub type Init = fn() -> Pin<Box<dyn Future<Output = Result<States, Box<dyn Error + Send + Sync>>> + Send>>;

/// A service, as its binary knows it.
#[derive(Clone, Debug)]
pub struct Program {
    /// Its handlers.
    pub registry: Arc<Registry>,
    /// What it declares.
    pub manifest: Manifest,
    /// Builds what `State<T>` extracts; without it there are no states.
    pub init: Option<Init>,
}
