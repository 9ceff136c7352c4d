//! What the provider tells a function through its environment, read once at start.
//!
//! The only place of this crate that looks at the environment. Variables are required by what the service declares,
//! and those that are missing are reported together.

use std::fmt;

use eventual_schema::deploy::env;
use eventual_schema::{Function, Manifest};

/// Everything that this process was told.
#[derive(Clone)]
pub struct Config {
    /// Name of the deployment.
    pub service: String,
    /// The function that this process is, as the manifest declares it.
    pub function: Function,
    /// SHA-256 of the bootstrap.
    pub code: String,
    /// The cloud it runs in.
    pub aws: Aws,
    /// What the engine works on.
    pub resources: Resources,
}

/// Where and as whom AWS is called. Lambda sets all of it.
#[derive(Clone)]
pub struct Aws {
    /// Region: `eu-central-1`.
    pub region: String,
    /// Another address for all services, for emulators.
    pub endpoint: Option<String>,
    /// Access key of the function's role. They stay valid as long as the process lives.
    pub access_key: String,
    /// Secret of the access key.
    pub secret_key: String,
    /// Token of the session; absent for keys of users.
    pub session_token: Option<String>,
}

/// Names of the resources that the engine works on. Empty where the service declares nothing that uses them.
#[derive(Clone, Debug, Default)]
pub struct Resources {
    /// Name of the engine table.
    pub table: String,
    /// URL of the FIFO queue that wakes the orchestrator.
    pub workflow_queue_url: String,
    /// URL of the timer queue.
    pub timer_queue_url: String,
    /// ARN of the timer queue.
    pub timer_queue_arn: String,
    /// Name of the service's bucket.
    pub bucket: String,
    /// Name of the event bus.
    pub event_bus: String,
    /// Name of the group of long timers.
    pub schedule_group: String,
    /// ARN of the role that Scheduler assumes.
    pub scheduler_role_arn: String,
    /// ARN of the queue of schedules that could not fire.
    pub dead_letter_queue_arn: String,
    /// Days that a closed execution is kept. Default 30.
    pub retention_days: u64,
}

/// Why a function cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Variables are missing.
    #[error(
        "missing environment variables: {}; deploy this binary with the eventual provider, which sets them",
        .0.join(", ")
    )]
    Missing(Vec<&'static str>),
    /// The manifest that is linked into the binary has no such function.
    #[error(
        "{} names the function {name:?}, but this service declares {known}; the deployed code and the deployment \
         differ, apply the deployment again",
        env::FUNCTION
    )]
    UnknownFunction {
        /// What the environment says.
        name: String,
        /// What the manifest says.
        known: String,
    },
    /// A number is not one.
    #[error("{} is {found:?}, a whole number of days is expected", env::RETENTION_DAYS)]
    Retention {
        /// What the environment says.
        found: String,
    },
}

const REGION: &str = "AWS_REGION";
const ENDPOINT: &str = "AWS_ENDPOINT_URL";
const ACCESS_KEY: &str = "AWS_ACCESS_KEY_ID";
const SECRET_KEY: &str = "AWS_SECRET_ACCESS_KEY";
const SESSION_TOKEN: &str = "AWS_SESSION_TOKEN";
const RETENTION_DAYS: u64 = 30;

/// Looks variables up and remembers the ones that are missing.
struct Reader<F> {
    lookup: F,
    missing: Vec<&'static str>,
}

impl<F: Fn(&str) -> Option<String>> Reader<F> {
    fn optional(&self, name: &str) -> Option<String> {
        (self.lookup)(name).filter(|it| !it.is_empty())
    }

    fn required(&mut self, name: &'static str) -> String {
        self.required_if(true, name)
    }

    /// The variable, which must be there if `needed`.
    fn required_if(&mut self, needed: bool, name: &'static str) -> String {
        let value = self.optional(name);
        if value.is_none() && needed {
            self.missing.push(name);
        }
        value.unwrap_or_default()
    }
}

impl Config {
    /// Reads the variables of `manifest`'s deployment through `lookup`.
    ///
    /// # Errors
    /// When variables are missing (all of them are named), a number is not one, or the function is not declared.
    pub fn read(manifest: &Manifest, lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut reader = Reader { lookup, missing: Vec::new() };
        let service = reader.required(env::SERVICE);
        let name = reader.required(env::FUNCTION);
        let code = reader.required(env::CODE_HASH);
        let aws = aws(&mut reader);
        let resources = resources(&mut reader, manifest)?;
        if !reader.missing.is_empty() {
            return Err(ConfigError::Missing(reader.missing));
        }
        let Some(function) = manifest.functions.iter().find(|it| it.name == name) else {
            let known: Vec<&str> = manifest.functions.iter().map(|it| it.name.as_str()).collect();
            return Err(ConfigError::UnknownFunction { name, known: known.join(", ") });
        };
        Ok(Self { service, function: function.clone(), code, aws, resources })
    }
}

fn aws(reader: &mut Reader<impl Fn(&str) -> Option<String>>) -> Aws {
    Aws {
        region: reader.required(REGION),
        endpoint: reader.optional(ENDPOINT),
        access_key: reader.required(ACCESS_KEY),
        secret_key: reader.required(SECRET_KEY),
        session_token: reader.optional(SESSION_TOKEN),
    }
}

/// Executions need everything; a service that only publishes or reacts needs its bus; others need nothing.
fn resources(
    reader: &mut Reader<impl Fn(&str) -> Option<String>>,
    manifest: &Manifest,
) -> Result<Resources, ConfigError> {
    let executions = !manifest.workflows.is_empty();
    let retention = reader.optional(env::RETENTION_DAYS);
    Ok(Resources {
        table: reader.required_if(executions, env::TABLE),
        workflow_queue_url: reader.required_if(executions, env::WORKFLOW_QUEUE_URL),
        timer_queue_url: reader.required_if(executions, env::TIMER_QUEUE_URL),
        timer_queue_arn: reader.required_if(executions, env::TIMER_QUEUE_ARN),
        bucket: reader.required_if(executions, env::BUCKET),
        event_bus: reader.required_if(!manifest.events.is_empty(), env::EVENT_BUS),
        schedule_group: reader.required_if(executions, env::SCHEDULE_GROUP),
        scheduler_role_arn: reader.required_if(executions, env::SCHEDULER_ROLE_ARN),
        dead_letter_queue_arn: reader.required_if(executions, env::DEAD_LETTER_QUEUE_ARN),
        retention_days: match retention {
            None => RETENTION_DAYS,
            Some(text) => text.parse().map_err(|_| ConfigError::Retention { found: text })?,
        },
    })
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("service", &self.service)
            .field("function", &self.function.name)
            .field("code", &self.code)
            .field("aws", &self.aws)
            .field("resources", &self.resources)
            .finish()
    }
}

// Without the keys: a configuration may be printed, a secret may not.
impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aws")
            .field("region", &self.region)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(workflows: &str) -> Manifest {
        let text = format!(
            r#"{{"format":1,"service":"orders","version":"1","workflows":[{workflows}],
            "functions":[{{"name":"orchestrator","kind":"orchestrator","handlers":[]}}]}}"#
        );
        Manifest::from_json(text.as_bytes()).unwrap()
    }

    const WORKFLOW: &str =
        r#"{"name":"processOrder","input":{},"output":{},"source":{"file":"src/lib.rs","line":1}}"#;

    fn base(name: &str) -> Option<String> {
        let value = match name {
            env::SERVICE => "orders",
            env::FUNCTION => "orchestrator",
            env::CODE_HASH => "abc",
            REGION => "eu-central-1",
            ACCESS_KEY | SECRET_KEY => "s3cr3t",
            _ => return None,
        };
        Some(value.to_owned())
    }

    #[test]
    fn missing_variables_are_reported_together() {
        let error = Config::read(&manifest(WORKFLOW), base).unwrap_err().to_string();
        for name in [env::TABLE, env::WORKFLOW_QUEUE_URL, env::BUCKET, env::SCHEDULER_ROLE_ARN] {
            assert!(error.contains(name), "{name} in {error}");
        }
        assert!(!error.contains(env::EVENT_BUS) && !error.contains(env::RETENTION_DAYS), "{error}");
    }

    #[test]
    fn a_service_without_workflows_needs_no_engine() {
        let config = Config::read(&manifest(""), base).unwrap();
        assert_eq!((config.service.as_str(), config.resources.retention_days), ("orders", 30));
        assert!(!format!("{config:?}").contains("s3cr3t"));
    }

    #[test]
    fn a_function_that_the_code_does_not_have_is_named() {
        let lookup = |name: &str| if name == env::FUNCTION { Some("task-old".into()) } else { base(name) };
        let error = Config::read(&manifest(""), lookup).unwrap_err().to_string();
        assert!(error.contains("task-old") && error.contains("orchestrator"), "{error}");
    }
}
