//! The life of the process: its line, its socket, who may connect, and how it ends.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use eventual_provider_wire::go_plugin::Empty;
use eventual_provider_wire::go_plugin::grpc_controller_client::GrpcControllerClient;
use eventual_provider_wire::go_plugin::grpc_stdio_client::GrpcStdioClient;
use eventual_provider_wire::health::HealthCheckRequest;
use eventual_provider_wire::health::health_client::HealthClient;
use eventual_provider_wire::tfplugin6::get_provider_schema;
use eventual_provider_wire::tfplugin6::provider_client::ProviderClient;
use tonic::transport::Channel;

use super::plugin::{COOKIE, Identity, PATIENCE, Plugin, binary, connect};

async fn is_healthy(channel: Channel) -> bool {
    let request = HealthCheckRequest { service: "plugin".to_owned() };
    HealthClient::new(channel).check(request).await.is_ok_and(|it| it.get_ref().status == 1)
}

#[test]
fn a_person_who_starts_it_is_told_what_it_is() {
    let output = Command::new(binary()).env_remove(COOKIE.0).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        output.stdout.is_empty() && told.contains("required_providers") && told.contains("--debug"),
        "{told}"
    );
}

#[test]
fn a_host_without_our_protocol_is_told_so() {
    let output = Command::new(binary())
        .env(COOKIE.0, COOKIE.1)
        .env("PLUGIN_PROTOCOL_VERSIONS", "4,5")
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && told.contains("offers 4,5"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_line_a_private_socket_and_an_end_in_time() {
    let mut plugin = Plugin::start(&[]);
    assert_eq!([&plugin.fields[..3], &plugin.fields[4..]].concat(), ["1", "6", "unix", "grpc", ""]);
    let folder = plugin.socket().parent().unwrap().to_owned();
    assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);

    let channel = plugin.connect().await;
    assert!(is_healthy(channel.clone()).await);
    // Terraform keeps this stream open to the end.
    let mut stdio = GrpcStdioClient::new(channel.clone()).stream_stdio(()).await.unwrap().into_inner();
    let start = Instant::now();
    GrpcControllerClient::new(channel).shutdown(Empty {}).await.unwrap();
    assert!(stdio.message().await.is_ok_and(|it| it.is_none()));
    let (rest, status) = plugin.ended();
    assert!(start.elapsed().as_millis() < 2000, "Terraform would have killed it: {:?}", start.elapsed());
    assert!(status.success() && rest.is_empty(), "{status} {rest:?}");
    assert!(!folder.exists());
}

/// Hosts add flags in new releases.
#[tokio::test(flavor = "multi_thread")]
async fn flags_that_nobody_knows_are_tolerated() {
    let plugin = Plugin::with_flags(&["--log-level=trace", "-v", "--color", "never"]);
    assert_eq!(plugin.fields[..3], ["1", "6", "unix"]);
    assert!(is_healthy(plugin.connect().await).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_announced_certificate_may_connect() {
    let (terraform, stranger) = (Identity::like_go_plugin(), Identity::like_go_plugin());
    let plugin = Plugin::start(&[("PLUGIN_CLIENT_CERT", &terraform.pem())]);
    terraform.connect(&plugin).await.unwrap();
    let refused = stranger.connect(&plugin).await;
    assert!(refused.is_err(), "a stranger got through");
    let mut anonymous = terraform.shake(&plugin, false).await;
    if let Ok(stream) = &mut anonymous {
        // With TLS 1.3 the client is through before the server refuses it.
        let mut byte = [0; 1];
        assert!(
            tokio::io::AsyncReadExt::read_exact(stream, &mut byte).await.is_err(),
            "somebody without a certificate got through"
        );
    }
    terraform.connect(&plugin).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_of_the_terminal_is_for_terraform() {
    let plugin = Plugin::start(&[]);
    let channel = plugin.connect().await;
    let status = Command::new("kill").args(["-INT", &plugin.id().to_string()]).status().unwrap();
    assert!(status.success());
    for _ in 0..20 {
        assert!(is_healthy(channel.clone()).await);
    }
}

#[test]
fn it_ends_when_terraform_dies() {
    // A shell stands in for Terraform: it lives until its input ends.
    let mut shell = Command::new("sh")
        .args(["-c", "\"$0\" & read -r line", binary()])
        .env(COOKIE.0, COOKIE.1)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(shell.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    let socket = line.split('|').nth(3).unwrap().to_owned();
    assert!(Path::new(&socket).exists());
    drop(shell.stdin.take());
    shell.wait().unwrap();
    // The output ends when the last process that holds it does: the provider.
    let (done, ended) = std::sync::mpsc::channel();
    std::thread::spawn(move || done.send(stdout.read_to_end(&mut Vec::new())));
    ended.recv_timeout(PATIENCE).unwrap().unwrap();
    assert!(!Path::new(&socket).exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn for_debugging_it_prints_what_terraform_needs() {
    let mut child =
        Command::new(binary()).arg("--debug").env_remove(COOKIE.0).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let json =
        line.trim().strip_prefix("TF_REATTACH_PROVIDERS='").and_then(|it| it.strip_suffix('\'')).unwrap();
    let json: serde_json::Value = serde_json::from_str(json).unwrap();
    let reattach = &json["registry.terraform.io/eventual/eventual"];
    assert_eq!(
        (reattach["ProtocolVersion"].as_u64(), reattach["Pid"].as_u64()),
        (Some(6), Some(u64::from(child.id())))
    );
    let channel = connect(Path::new(reattach["Addr"]["String"].as_str().unwrap())).await;
    let schema =
        ProviderClient::new(channel).get_provider_schema(get_provider_schema::Request {}).await.unwrap();
    assert!(schema.get_ref().resource_schemas.contains_key("eventual_service"));
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(child.wait().unwrap().success());
}
