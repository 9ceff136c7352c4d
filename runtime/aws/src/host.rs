//! What all triggers share: the engine over AWS's ports, and what the service declared.

use std::sync::Arc;

use eventual_engine::{Engine, Ports, Registry, States};
use eventual_schema::{FunctionKind, Manifest};

use crate::clients;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::dispatch::{AwsDispatch, Clients};
use crate::spill::Spill;
use crate::store::DynamoStore;

/// One process of a deployed function.
pub(crate) struct Host {
    pub(crate) config: Config,
    pub(crate) manifest: Manifest,
    pub(crate) engine: Engine,
    pub(crate) dispatch: Arc<AwsDispatch>,
}

impl Host {
    pub(crate) fn new(config: Config, manifest: Manifest, registry: Arc<Registry>, states: States) -> Self {
        let (store, dispatch) = adapters(&config);
        let dispatch = Arc::new(dispatch);
        let ports =
            Ports { store: Arc::new(store), dispatch: dispatch.clone(), clock: Arc::new(SystemClock) };
        let engine = Engine::new(ports, registry, Arc::new(states), &config.code);
        Self { config, manifest, engine, dispatch }
    }

    /// The names of this function's handlers of that kind.
    pub(crate) fn handlers(&self, kind: FunctionKind) -> impl Iterator<Item = &str> {
        let handlers = self.config.function.handlers.iter();
        handlers.filter(move |it| it.kind == kind.as_str()).map(|it| it.name.as_str())
    }
}

/// The store and the dispatch of a deployment.
pub fn adapters(config: &Config) -> (DynamoStore, AwsDispatch) {
    let settings = clients::settings(&config.aws);
    let spill = Spill::new(clients::s3(&config.aws, &settings), config.resources.bucket.clone());
    let resources = config.resources.clone();
    let store = DynamoStore::new(
        aws_sdk_dynamodb::Client::new(&settings),
        resources.table.clone(),
        spill.clone(),
        resources.retention_days,
    );
    let clients = Clients {
        queues: clients::sqs(&settings),
        functions: clients::lambda(&settings),
        schedules: aws_sdk_scheduler::Client::new(&settings),
        bus: aws_sdk_eventbridge::Client::new(&settings),
    };
    let dispatch = AwsDispatch::new(clients, spill, &config.service, &config.aws.region, resources);
    (store, dispatch)
}
