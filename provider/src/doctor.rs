//! `doctor`: says what a deployment would find here, one line each: network, credentials, AWS services, and one deployment.
//! It prints; what is looked at in AWS is the core's. No value of an environment variable is printed: proxies hold passwords.

use std::io::Write;
use std::process::ExitCode;

use eventual_provider_core::config::{ProviderConfig, Setting};
use eventual_provider_core::request;

use crate::ports::Ports;
use crate::session;

const USAGE: &str = "usage: doctor [NAME] [--region REGION] [--profile PROFILE] [--endpoint URL]

Looks at what deployments need here: network, credentials, each AWS service, and the deployment NAME. Changes nothing.
Ends with 1 when something is not as it should be.";

/// What was asked for.
#[derive(Debug, Default, PartialEq)]
struct Asked {
    name: Option<String>,
    config: ProviderConfig,
}

fn asked(arguments: &[String]) -> Option<Asked> {
    let mut asked = Asked::default();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let setting = match argument.as_str() {
            "--region" => &mut asked.config.region,
            "--profile" => &mut asked.config.profile,
            "--endpoint" => &mut asked.config.endpoint,
            name if !name.starts_with('-') && asked.name.is_none() => {
                asked.name = Some(name.to_owned());
                continue;
            }
            _ => return None,
        };
        *setting = Setting::Known(rest.next()?.clone());
    }
    Some(asked)
}

/// Lines for people, and whether all is well.
struct Report {
    well: bool,
}

impl Report {
    fn say(&mut self, well: bool, what: &str, told: &str) {
        self.well &= well;
        let mark = if well { "ok  " } else { "bad " };
        // Without a reader there is nobody to tell.
        let _ = writeln!(std::io::stdout(), "{mark} {what}: {told}");
    }
}

/// Looks, and prints.
pub(crate) async fn run(arguments: &[String], ports: Ports) -> ExitCode {
    let Some(Asked { name, config }) = asked(arguments) else {
        let _ = writeln!(std::io::stderr(), "{USAGE}");
        return ExitCode::FAILURE;
    };
    let mut report = Report { well: true };
    let version = concat!(env!("CARGO_PKG_VERSION"), ", for Terraform and OpenTofu (protocol 6) and Pulumi");
    report.say(true, "eventual provider", version);
    report.say(true, "network", &network(&config));
    match ports.connect.connect(&config).await {
        Ok(session) => {
            let identity = &session.identity;
            let who = format!("account {} in {} ({})", identity.account, identity.region, identity.partition);
            report.say(true, "credentials", &who);
            let scope = session.scope(ports.artifacts.as_ref());
            for it in request::check_up(&scope, session.cloud.as_ref(), name.as_deref()).await {
                report.say(it.well, &it.what, &it.told);
            }
        }
        Err(refused) => refused.iter().for_each(|it| report.say(false, "credentials", &it.to_string())),
    }
    if report.well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What stands between us and AWS.
fn network(config: &ProviderConfig) -> String {
    let way = match session::http::proxies()[..] {
        [] => "no proxy".to_owned(),
        ref set => format!("proxies by {}", set.join(", ")),
    };
    let trust = session::http::ca_bundle(config)
        .map_or("the system's certificates".to_owned(), |path| format!("the certificates of {path}"));
    let endpoint = session::endpoint(config).map_or("AWS itself".to_owned(), |url| url);
    format!("{endpoint}, {way}, {trust}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read_and_strangers_refused() {
        let words = |words: &[&str]| asked(&words.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>());
        assert_eq!(words(&[]), Some(Asked::default()));
        let all = words(&["orders", "--region", "eu-west-1", "--profile", "work"]).unwrap();
        assert_eq!(
            (all.name.as_deref(), all.config.region.known().unwrap().as_str()),
            (Some("orders"), "eu-west-1")
        );
        for wrong in [&["--help"][..], &["a", "b"], &["--region"], &["-x"]] {
            assert_eq!(words(wrong), None, "{wrong:?}");
        }
    }
}
