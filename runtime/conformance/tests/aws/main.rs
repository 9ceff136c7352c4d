//! The cases on AWS: the service is deployed there, and `cargo xtask test` says where.
#![allow(clippy::unwrap_used, reason = "code of tests")]
#![allow(clippy::print_stdout, reason = "each case tells how long it took")]
#![allow(
    clippy::needless_pass_by_value,
    reason = "cases give their JSON away, and read better without ampersands"
)]

#[path = "../hosts/cases/mod.rs"]
mod cases;
#[path = "../hosts/host.rs"]
mod host;
#[path = "../hosts/run.rs"]
mod run;

use std::time::{Duration, Instant};

use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_lambda::primitives::Blob;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use host::{Host, Refused};

/// So many cases at a time keep two processors busy; more would only wait for each other's turns.
const AT_A_TIME: usize = 12;

struct Aws {
    runtime: Runtime,
    functions: Client,
    url: String,
    system: String,
    agent: ureq::Agent,
    began: Instant,
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: run `cargo xtask test --only e2e --scenario conformance`")
    })
}

impl Aws {
    fn deployed() -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let client = aws_smithy_http_client::Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build_https();
        let credentials = Credentials::new("test", "test", None, None, "test");
        let config = aws_sdk_lambda::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(variable("AWS_REGION")))
            .credentials_provider(credentials)
            .http_client(client)
            .endpoint_url(variable("EVENTUAL_TEST_ENDPOINT"))
            .build();
        let agent = ureq::Agent::config_builder().http_status_as_error(false).proxy(None);
        let agent = agent.timeout_global(Some(Duration::from_secs(60))).build().into();
        let (url, system) = (variable("EVENTUAL_TEST_URL"), variable("EVENTUAL_TEST_SYSTEM"));
        Self { runtime, functions: Client::from_conf(config), url, system, agent, began: Instant::now() }
    }
}

impl Host for Aws {
    fn system(&self, request: &Value) -> Result<Value, Refused> {
        let payload = Blob::new(request.to_string());
        let invoking = self.functions.invoke().function_name(&self.system).payload(payload).send();
        let answer = self.runtime.block_on(invoking).unwrap_or_else(|error| panic!("{request}: {error:?}"));
        let body = answer.payload().map(|it| it.as_ref()).unwrap_or_default();
        let body: Value = serde_json::from_slice(body).unwrap();
        if answer.function_error().is_none() {
            return Ok(body);
        }
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        Err(Refused { class: text("errorType"), message: text("errorMessage") })
    }

    fn request(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        // The emulator tells APIs apart by a host that not every system resolves.
        let host = self.url.trim_start_matches("http://").split('/').next().unwrap_or_default();
        let address = match host.split_once(".localhost:") {
            Some((_, port)) => self.url.replacen(host, &format!("127.0.0.1:{port}"), 1),
            None => self.url.clone(),
        };
        let url = format!("{address}{path}");
        let answer = match method {
            "GET" => self.agent.get(&url).header("host", host).call(),
            _ => self.agent.post(&url).header("host", host).send_json(body),
        };
        let mut answer = answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let text = answer.body_mut().read_to_string().unwrap();
        (answer.status().as_u16(), serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text:?}")))
    }

    fn pause(&self) {
        std::thread::sleep(Duration::from_millis(200));
    }

    fn clock(&self) -> Duration {
        self.began.elapsed()
    }
}

#[test]
fn on_the_emulated_aws() {
    run::together(&Aws::deployed(), AT_A_TIME);
}
