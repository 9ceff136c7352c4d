//! The doctor, on a deployment that is not there, is well, and was tampered with.

use std::process::Command;

use eventual_schema::deploy::Names;

use super::{Deployment, service};

/// What it prints of the deployment, and whether all is well.
fn doctor(deployment: &Deployment) -> (String, bool) {
    let (name, _, region) = deployment.place();
    let output = Command::new(env!("CARGO_BIN_EXE_terraform-provider-eventual"))
        .args(["doctor", name, "--region", region, "--endpoint", &deployment.endpoint])
        .output()
        .unwrap();
    (String::from_utf8(output.stdout).unwrap(), output.status.success())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_doctor_tells_how_a_deployment_is() {
    let deployment = Deployment::new("doctor").await;
    let (said, well) = doctor(&deployment);
    assert!(well && said.contains("nothing is deployed by this name"), "{said}");
    for service in ["s3", "iam", "lambda", "logs", "sqs", "dynamodb", "events", "scheduler", "apigateway"] {
        assert!(said.contains(&format!("ok   {service}: answers")), "{service}: {said}");
    }
    let state = deployment.create(&service(&deployment, &[])).await;
    let count = state.get("resources").as_map().unwrap().len();
    let (said, well) = doctor(&deployment);
    assert!(well && said.contains(&format!("{count} resources are as they were made")), "{said}");
    assert!(said.contains("complete, last changed by tests"), "{said}");

    let (name, account, region) = deployment.place();
    let logs = aws_sdk_cloudwatchlogs::Client::new(&deployment.settings().await);
    let group = Names::new(name, account, region).log_group("system");
    logs.delete_log_group().log_group_name(group).send().await.unwrap();
    let (said, well) = doctor(&deployment);
    assert!(!well && said.contains("log_group/system is missing"), "{said}");
    deployment.destroy(&state).await;
    deployment.nothing_left().await;
}
