//! What configurations become, and what is said about wrong ones.

use super::*;
use crate::diagnostic::any_error;

fn valid(members: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    let mut config = Value::map([("name", Value::from("orders")), ("artifact", Value::from("orders.zip"))]);
    for (name, value) in members {
        config.set(name, value);
    }
    config
}

fn said(config: &Value) -> Vec<String> {
    service(config).1.iter().map(ToString::to_string).collect()
}

/// The one message about `config`, which must contain `part` and be at `path`.
#[track_caller]
fn one(config: &Value, path: &str, part: &str) {
    let said = said(config);
    assert_eq!(said.len(), 1, "{said:#?}");
    assert!(said[0].starts_with(&format!("{path}: ")) && said[0].contains(part), "{said:#?}");
}

#[test]
fn ranges_are_checked_at_their_paths() {
    let command = |name: &str, value: Value| {
        valid([("commands", Value::map([("placeOrder", Value::map([(name, value)]))]))])
    };
    let at = |name: &str| format!("commands[\"placeOrder\"].{name}");
    one(&command("memory_mb", Value::Number(127.0)), &at("memory_mb"), "128 to 10240");
    one(&command("memory_mb", Value::Number(256.5)), &at("memory_mb"), "whole number");
    one(&command("timeout", Value::from(901)), &at("timeout"), "1 to 900");
    one(&command("log_retention_days", Value::from(31)), &at("log_retention_days"), "30, 60");
    one(&command("reserved_concurrency", Value::Number(-1.0)), &at("reserved_concurrency"), "-1");
    let fine = command("memory_mb", Value::from(10_240));
    let (config, diagnostics) = service(&fine);
    assert!(diagnostics.is_empty());
    let place = config.commands.known().unwrap()["placeOrder"].known().unwrap();
    assert_eq!(place.memory_mb, Setting::Known(10_240));
    assert_eq!(place.timeout_s, Setting::Absent);
}

#[test]
fn shapes_are_checked_against_the_declaration() {
    one(&Value::map([("artifact", Value::from("a.zip"))]), "name", "required");
    one(&valid([("defaults", Value::map([("memory", Value::from(512))]))]), "defaults.memory", "memory_mb");
    one(&valid([("tags", Value::from("x"))]), "tags", "a map");
    one(&valid([("commands", Value::map([("a", Value::from(true))]))]), "commands[\"a\"]", "an object");
    one(&valid([("name", Value::from("Orders"))]), "name", "lower-case");
}

#[test]
fn unknowns_are_tolerated_at_every_depth() {
    let settings = Value::map([
        ("memory_mb", Value::Unknown),
        ("environment", Value::map([("TOKEN", Value::Unknown), ("PLAIN", Value::from("x"))])),
        (
            "policies",
            Value::List(vec![Value::map([
                ("actions", Value::List(vec![Value::Unknown])),
                ("resources", Value::Unknown),
            ])]),
        ),
        (
            "vpc",
            Value::map([
                ("subnet_ids", Value::Unknown),
                ("security_group_ids", Value::List(vec![Value::from("sg-1")])),
            ]),
        ),
        (
            "auth",
            Value::map([
                ("type", Value::from("jwt")),
                ("issuer", Value::Unknown),
                ("audience", Value::List(vec![Value::Unknown])),
            ]),
        ),
    ]);
    let config = valid([
        ("name", Value::Unknown),
        ("commands", Value::map([("a", settings), ("b", Value::Unknown)])),
        ("tags", Value::Unknown),
        ("timeouts", Value::map([("create", Value::Unknown)])),
    ]);
    let (config, diagnostics) = service(&config);
    assert_eq!(diagnostics, []);
    let commands = config.commands.known().unwrap();
    let a = commands["a"].known().unwrap();
    assert!(
        a.memory_mb.is_unknown() && a.vpc.is_unknown() && a.auth.is_unknown() && commands["b"].is_unknown()
    );
    assert!(
        a.policies.known().unwrap()[0].is_unknown() && a.environment.known().unwrap()["TOKEN"].is_unknown()
    );
    assert!(config.name.is_unknown() && config.tags.is_unknown());
    assert_eq!(config.timeouts, Timeouts::default());
    assert!(!any_error(&service(&Value::Unknown).1));
}

#[test]
fn auth_needs_all_of_jwt_and_nothing_of_it_otherwise() {
    let auth =
        |members: Vec<(&str, Value)>| valid([("defaults", Value::map([("auth", Value::map(members))]))]);
    one(&auth(vec![("type", Value::from("public"))]), "defaults.auth.type", "jwt");
    one(
        &auth(vec![("type", Value::from("jwt")), ("audience", Value::List(vec![Value::from("a")]))]),
        "defaults.auth.issuer",
        "needs",
    );
    one(
        &auth(vec![("type", Value::from("iam")), ("issuer", Value::from("https://x"))]),
        "defaults.auth.issuer",
        "Only",
    );
    let (config, _) = service(&auth(vec![("type", Value::from("iam"))]));
    assert_eq!(config.defaults.known().unwrap().auth, Setting::Known(Auth::Iam));
}

#[test]
fn statements_keep_their_condition() {
    let statement = |condition: &str| {
        let texts = |text: &str| Value::List(vec![Value::from(text)]);
        let statement = Value::map([
            ("actions", texts("s3:GetObject")),
            ("resources", texts("*")),
            ("condition_json", Value::from(condition)),
        ]);
        valid([("orchestrator", Value::map([("policies", Value::List(vec![statement]))]))])
    };
    one(&statement("{"), "orchestrator.policies[0].condition_json", "not JSON");
    let (config, diagnostics) = service(&statement(r#"{"Bool":{"aws:SecureTransport":"true"}}"#));
    assert_eq!(diagnostics, []);
    let policies = config.orchestrator.known().unwrap().policies.known().unwrap().clone();
    let statement = policies[0].known().unwrap();
    assert!(statement.allow && statement.condition.as_ref().unwrap()["Bool"].is_object());
}

#[test]
fn durations() {
    for (text, milliseconds) in [("90s", 90_000), ("1h30m", 5_400_000), ("500ms", 500), ("24h", 86_400_000)] {
        assert_eq!(limits::duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
    }
    for wrong in ["", "10", "m", "0s", "25h", "-1s", "1.5h", "99999999999999999999h", "1é"] {
        assert!(limits::duration(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn environment_names_and_size() {
    let environment = |name: &str, value: Value| valid([("environment", Value::map([(name, value)]))]);
    for name in ["AWS_REGION", "eventual_x", "1A", "A-B", "A", ""] {
        one(&environment(name, Value::from("x")), &format!("environment[{name:?}]"), "");
    }
    one(&environment("BIG", Value::from("x".repeat(4095))), "environment", "4096");
    let (config, diagnostics) = service(&environment("TOKEN", Value::from("hunter2").secret()));
    assert!(diagnostics.is_empty() && !format!("{config:?}").contains("hunter2"));
    assert_eq!(config.environment.known().unwrap()["TOKEN"].known().unwrap().reveal(), "hunter2");
}

#[test]
fn tags_are_what_aws_takes() {
    let tags = |key: &str, value: &str| valid([("tags", Value::map([(key, Value::from(value))]))]);
    one(&tags("aws:x", "1"), "tags[\"aws:x\"]", "reserved");
    one(&tags("a", "b;c"), "tags[\"a\"]", "';'");
    assert!(said(&tags("Kostenstelle", "Büro 4 / a@b.de")).is_empty());
    let many = Value::Map((0..41).map(|it| (format!("t{it}"), Value::from("x"))).collect());
    one(&valid([("tags", many)]), "tags", "at most 40");
}

#[test]
fn provider_configuration() {
    let config = Value::map([
        ("endpoint", Value::from("http://127.0.0.1:4566/")),
        ("assume_role", Value::map([("role_arn", Value::Unknown)])),
    ]);
    let (config, diagnostics) = provider(&config);
    assert_eq!(diagnostics, []);
    assert_eq!(config.endpoint.known().map(String::as_str), Some("http://127.0.0.1:4566"));
    assert!(config.is_unknown());
    let (_, wrong) = provider(&Value::map([("endpoint", Value::from("localhost"))]));
    assert!(any_error(&wrong));
}

#[test]
fn only_the_accounts_that_are_named_are_allowed() {
    let accounts = |items: &[Value]| Value::map([("allowed_account_ids", Value::List(items.to_vec()))]);
    let (config, diagnostics) = provider(&accounts(&["123456789012", "210987654321"].map(Value::from)));
    assert_eq!((diagnostics, config.refuses("123456789012")), (Vec::new(), None));
    let refused = config.refuses("111111111111").unwrap();
    assert!(refused.detail.contains("111111111111") && refused.detail.contains("210987654321"), "{refused}");
    assert_eq!(ProviderConfig::default().refuses("111111111111"), None);
    assert!(provider(&accounts(&[Value::from("123456789012"), Value::Unknown])).0.is_unknown());
    for wrong in ["12345678901", "1234567890ab", "", "１２３４５６７８９０１２"] {
        let (_, diagnostics) = provider(&accounts(&[Value::from(wrong)]));
        assert!(diagnostics.len() == 1 && diagnostics[0].path.is_some(), "{wrong}: {diagnostics:?}");
    }
    // None at all would allow nobody, or everybody: which of them is not guessed.
    assert!(any_error(&provider(&accounts(&[])).1));
}
