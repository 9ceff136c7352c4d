//! How the provider reaches AWS, and as whom: proxies and their certificates, roles, profiles, instances, single sign-on,
//! and accounts that it must keep out of.

use std::path::Path;

use eventual_provider_wire::tfplugin6::{configure_provider, list_resource, plan_resource_change};
use serde_json::{Value, json};

use super::aws::{ACCOUNT, Aws};
use super::fixtures::write_artifact;
use super::plugin::Plugin;
use super::values::{TYPE, client, dynamic, shown};

/// Where the SDK looks when nothing else is said; its name in the cache is the hash of this.
const PORTAL: &str = "https://eventual.awsapps.com/start";
const PORTAL_HASH: &str = "96013463c6bb53d78913b08e02f1bbd52c903352";
const KEY: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "AKIATESTER"), ("AWS_SECRET_ACCESS_KEY", "secret")];

/// What a provider of this configuration says in these surroundings, and the provider.
async fn configured(config: &Value, surroundings: &[(&str, &str)]) -> (Vec<String>, Plugin) {
    let plugin = Plugin::alone(surroundings);
    let request = configure_provider::Request { config: dynamic(config), ..Default::default() };
    let answer = client(&plugin).await.configure_provider(request).await.unwrap().into_inner();
    let said = answer.diagnostics.iter().map(|it| format!("{}: {}", it.summary, it.detail)).collect();
    (said, plugin)
}

fn with<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [&KEY[..], more].concat()
}

fn written(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_opens_tls_is_gone_through_and_vouched_for_by_the_users_certificates() {
    let aws = Aws::start("aws").await;
    let folder = tempfile::tempdir().unwrap();
    let ours = written(folder.path(), "ca.pem", &aws.authority());
    let config = json!({ "region": "eu-central-1" });
    let proxy = ("HTTPS_PROXY", aws.url.as_str());

    let (said, _plugin) = configured(&config, &with(&[proxy, ("AWS_CA_BUNDLE", &ours)])).await;
    assert_eq!(said, [""; 0]);
    let heard = aws.heard();
    assert_eq!(heard.len(), 1, "{heard:?}");
    assert_eq!(
        (heard[0].through.as_str(), heard[0].signed_by()),
        ("sts.eu-central-1.amazonaws.com", "AKIATESTER")
    );
    let agent = concat!("app/eventual-", env!("CARGO_PKG_VERSION"));
    assert!(heard[0].head.contains(agent), "{}", heard[0].head);

    // By the attribute, too; and whom nobody vouches for is not trusted.
    let named = json!({ "region": "eu-central-1", "ca_bundle": ours });
    assert_eq!(configured(&named, &with(&[proxy])).await.0, [""; 0]);
    let (said, _plugin) = configured(&config, &with(&[proxy])).await;
    assert!(said.len() == 1 && said[0].contains("No usable AWS credentials"), "{said:?}");
    let (said, _plugin) =
        configured(&json!({ "region": "eu-central-1", "ca_bundle": "none.pem" }), &with(&[])).await;
    assert!(said.len() == 1 && said[0].starts_with("Unusable certificates: none.pem: "), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_http_takes_its_own_proxy_and_this_machine_takes_none() {
    let (aws, proxy) = (Aws::start("aws").await, Aws::start("aws").await);
    let far = json!({ "region": "eu-central-1", "endpoint": "http://emulator.example:4566" });
    assert_eq!(configured(&far, &with(&[("HTTP_PROXY", &proxy.url)])).await.0, [""; 0]);
    let heard = proxy.heard();
    assert!(
        heard.len() == 1 && heard[0].head.starts_with("POST http://emulator.example:4566/ "),
        "{heard:?}"
    );

    let near = json!({ "region": "eu-central-1", "endpoint": aws.url });
    let proxies = [("HTTP_PROXY", proxy.url.as_str()), ("ALL_PROXY", proxy.url.as_str())];
    assert_eq!(configured(&near, &with(&proxies)).await.0, [""; 0]);
    assert_eq!((aws.heard().len(), proxy.heard().len()), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_allowed_accounts_are_deployed_to() {
    let aws = Aws::start("aws").await;
    let config = |accounts: &[&str]| json!({ "region": "eu-central-1", "endpoint": aws.url, "allowed_account_ids": accounts });
    assert_eq!(configured(&config(&["111111111111", ACCOUNT]), &KEY).await.0, [""; 0]);
    let (said, _plugin) = configured(&config(&["111111111111"]), &KEY).await;
    assert!(said.len() == 1 && said[0].starts_with("Not an allowed account: "), "{said:?}");
    assert!(said[0].contains(ACCOUNT) && said[0].contains("111111111111"), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_is_assumed_with_what_its_trust_asks_for() {
    let aws = Aws::start("aws").await;
    let role = json!({ "role_arn": "arn:aws:iam::123456789012:role/deployer", "session_name": "ci", "external_id": "hunter2" });
    let config = json!({ "region": "eu-central-1", "endpoint": aws.url, "assume_role": role });
    assert_eq!(configured(&config, &KEY).await.0, [""; 0]);
    let heard = aws.heard();
    let signers: Vec<&str> = heard.iter().map(super::aws::Heard::signed_by).collect();
    assert_eq!(signers, ["AKIATESTER", "ASIAASSUMED"]);
    for part in ["Action=AssumeRole", "role%2Fdeployer", "RoleSessionName=ci", "ExternalId=hunter2"] {
        assert!(heard[0].body.contains(part), "{part}: {}", heard[0].body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_come_from_where_people_and_machines_have_them() {
    let aws = Aws::start("aws").await;
    let folder = tempfile::tempdir().unwrap();
    let profiles = written(
        folder.path(),
        "config",
        &format!(
            "[profile work]\nregion = eu-central-1\ncredential_process = printf '{{\"Version\":1,\"AccessKeyId\":\"AKIAPROCESS\",\"SecretAccessKey\":\"s\"}}'\n\
             [profile portal]\nregion = eu-central-1\nsso_start_url = {PORTAL}\nsso_region = eu-central-1\nsso_account_id = {ACCOUNT}\nsso_role_name = deployer\n"
        ),
    );
    let token = json!({ "startUrl": PORTAL, "region": "eu-central-1", "accessToken": "t", "expiresAt": "2099-01-01T00:00:00Z" });
    written(folder.path(), &format!(".aws/sso/cache/{PORTAL_HASH}.json"), &token.to_string());
    let ca = written(folder.path(), "ca.pem", &aws.authority());
    let home = folder.path().display().to_string();
    let at_home = [
        ("AWS_CONFIG_FILE", profiles.as_str()),
        ("HOME", &home),
        ("HTTPS_PROXY", &aws.url),
        ("AWS_CA_BUNDLE", &ca),
    ];
    let instance =
        [("AWS_EC2_METADATA_DISABLED", "false"), ("AWS_EC2_METADATA_SERVICE_ENDPOINT", aws.url.as_str())];

    for (profile, surroundings, key) in [
        ("work", &at_home[..], "AKIAPROCESS"),
        ("portal", &at_home, "ASIASIGNEDON"),
        ("", &[&at_home[1..], &instance[..]].concat(), "ASIAINSTANCE"),
    ] {
        let mut config = json!({ "region": "eu-central-1" });
        if !profile.is_empty() {
            config["profile"] = json!(profile);
        }
        let (said, _plugin) = configured(&config, surroundings).await;
        assert_eq!(said, [""; 0], "{key}: {:?}", aws.heard());
        let heard = aws.heard();
        assert_eq!(heard.last().map(super::aws::Heard::signed_by), Some(key), "{heard:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_of_the_partition_that_the_caller_is_of() {
    let aws = Aws::start("aws-cn").await;
    let folder = tempfile::tempdir().unwrap();
    let artifact = folder.path().join("orders.zip");
    write_artifact(&artifact, "0.1.0");
    let (said, plugin) = configured(&json!({ "region": "cn-north-1", "endpoint": aws.url }), &KEY).await;
    assert_eq!(said, [""; 0]);
    let config = json!({ "name": "orders", "artifact": artifact, "defaults": { "auth": { "type": "iam" } } });
    let request = plan_resource_change::Request {
        type_name: TYPE.to_owned(),
        proposed_new_state: dynamic(&config),
        config: dynamic(&config),
        ..Default::default()
    };
    let planned = client(&plugin).await.plan_resource_change(request).await.unwrap().into_inner();
    let state = shown(planned.planned_state.as_ref()).to_string();
    assert!(state.contains("arn:aws-cn:lambda:cn-north-1:123456789012:"), "{state}");
    assert_eq!(state.matches("arn:").count(), state.matches("arn:aws-cn:").count(), "{state}");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_read_to_their_last_page() {
    let aws = Aws::start("aws").await;
    let config = json!({ "region": "eu-central-1", "endpoint": aws.url });
    let (said, plugin) = configured(&config, &KEY).await;
    assert_eq!(said, [""; 0]);
    let names = async |limit| {
        let request = list_resource::Request {
            type_name: TYPE.to_owned(),
            config: dynamic(&json!({})),
            limit,
            ..Default::default()
        };
        let mut events = client(&plugin).await.list_resource(request).await.unwrap().into_inner();
        let mut names = Vec::new();
        while let Some(event) = events.message().await.unwrap() {
            assert_eq!(event.diagnostic, []);
            names.push(event.display_name);
        }
        names
    };
    assert_eq!(names(100).await, ["orders", "shop"]);
    assert_eq!(names(1).await, ["orders"]);
}

/// The doctor, in these surroundings; what it printed, and whether all was well.
fn doctor(words: &[&str], surroundings: &[(&str, &str)]) -> (String, bool) {
    let output = Plugin::by_hand(surroundings).arg("doctor").args(words).output().unwrap();
    (String::from_utf8(output.stdout).unwrap(), output.status.success())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_doctor_says_what_stands_in_the_way() {
    let aws = Aws::start("aws").await;
    let (said, well) = doctor(&["--region", "eu-central-1"], &[("AWS_CONFIG_FILE", "/nonexistent")]);
    assert!(!well && said.contains("bad  credentials: No usable AWS credentials"), "{said}");
    assert!(said.contains("ok   network: AWS itself, no proxy, the system's certificates"), "{said}");
    let (said, well) = doctor(&[], &with(&[("AWS_CONFIG_FILE", "/nonexistent")]));
    assert!(!well && said.contains("bad  credentials: region: No region"), "{said}");
    let proxied = with(&[("HTTPS_PROXY", "http://user:hunter2@127.0.0.1:9"), ("AWS_ENDPOINT_URL", &aws.url)]);
    let (said, _) = doctor(&["--region", "eu-central-1"], &proxied);
    assert!(said.contains("proxies by HTTPS_PROXY") && !said.contains("hunter2"), "{said}");
    assert!(said.contains("ok   credentials: account 123456789012 in eu-central-1 (aws)"), "{said}");
    assert!(
        Plugin::by_hand(&[])
            .args(["doctor", "--help"])
            .output()
            .unwrap()
            .stderr
            .starts_with(b"usage: doctor")
    );
}
