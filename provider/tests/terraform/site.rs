//! The real `terraform` over the real provider, in a folder of its own.

use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

use super::fixtures::{identity, write_artifact};
use super::plugin::binary;

const SECRET: &str = "hunter2-hunter2";

/// A folder with a configuration and an artifact.
pub(crate) struct Site {
    folder: tempfile::TempDir,
}

impl Site {
    /// A site whose service has these further lines, and whose provider block has these.
    pub(crate) fn new(provider: &str, service: &str) -> Self {
        let site = Self::bare();
        write_artifact(&site.path("orders.zip"), "0.1.0");
        site.write(
            "main.tf",
            &format!(
                "terraform {{\n  required_providers {{\n    eventual = {{ source = \"eventual/eventual\" }}\n  }}\n}}\n\
                 provider \"eventual\" {{\n{provider}\n}}\n\
                 resource \"terraform_data\" \"later\" {{ input = \"eu-central-1\" }}\n\
                 variable \"token\" {{\n  sensitive = true\n  default = \"{SECRET}\"\n}}\n\
                 resource \"eventual_service\" \"orders\" {{\n  name = \"orders\"\n  artifact = \"orders.zip\"\n  \
                 defaults = {{ auth = {{ type = \"iam\" }} }}\n{service}\n}}\n"
            ),
        );
        site
    }

    /// A folder in which Terraform finds the provider.
    pub(crate) fn bare() -> Self {
        let site = Self { folder: tempfile::tempdir().unwrap() };
        // A folder of its own: Terraform takes any file there whose name begins like the provider's.
        std::fs::create_dir(site.path("plugins")).unwrap();
        symlink(binary(), site.path("plugins/terraform-provider-eventual")).unwrap();
        let overrides = site.path("plugins").display().to_string();
        site.write(
            "dev.tfrc",
            &format!(
                "provider_installation {{\n  dev_overrides {{ \"eventual/eventual\" = \"{overrides}\" }}\n  direct {{}}\n}}\n\
                 disable_checkpoint = true\n"
            ),
        );
        site
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    pub(crate) fn write(&self, file: &str, content: &str) {
        std::fs::write(self.path(file), content).unwrap();
    }

    pub(crate) fn terraform(&self, arguments: &[&str]) -> Output {
        Command::new("terraform")
            .args(arguments)
            .current_dir(self.folder.path())
            .env("TF_CLI_CONFIG_FILE", self.path("dev.tfrc"))
            .env("CHECKPOINT_DISABLE", "1")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_REGION", "eu-central-1")
            .env_remove("TF_LOG")
            .env_remove("TF_LOG_PROVIDER")
            .output()
            .expect("Terraform 1.11 or later must be on the PATH")
    }

    /// What `validate` says: summary and detail of each error.
    pub(crate) fn errors(&self) -> Vec<String> {
        let output = self.terraform(&["validate", "-json"]);
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        let diagnostics =
            answer["diagnostics"].as_array().unwrap().iter().filter(|it| it["severity"] == "error");
        diagnostics
            .map(|it| format!("{}: {}", it["summary"].as_str().unwrap(), it["detail"].as_str().unwrap()))
            .collect()
    }

    fn plan(&self) -> (i32, String) {
        let output = self.terraform(&["plan", "-no-color", "-input=false", "-detailed-exitcode"]);
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (output.status.code().unwrap(), text)
    }
}

#[test]
fn terraform_reads_the_schema_with_its_descriptions() {
    let output = Site::new("", "").terraform(&["providers", "schema", "-json"]);
    assert!(output.status.success(), "{output:?}");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let provider = &answer["provider_schemas"]["registry.terraform.io/eventual/eventual"];
    let service = &provider["resource_schemas"]["eventual_service"]["block"]["attributes"];
    assert_eq!(service["commands"]["nested_type"]["nesting_mode"], "map");
    let memory = &service["commands"]["nested_type"]["attributes"]["memory_mb"];
    assert!(memory["description"].as_str().unwrap().contains("128 to 10240"));
    assert_eq!(
        (&service["url"]["computed"], &service["name"]["required"]),
        (&Value::Bool(true), &Value::Bool(true))
    );
    assert_eq!(provider["provider"]["block"]["attributes"]["endpoint"]["optional"], true);
}

#[test]
fn a_good_configuration_validates() {
    let site = Site::new(
        "",
        "  commands = { placeOrder = { memory_mb = 512, environment = { TOKEN = var.token } } }",
    );
    assert_eq!(site.errors(), [""; 0]);
}

#[test]
fn validate_names_the_place_and_the_nearest_name() {
    let site = Site::new("", "  commands = { plceOrder = { memory_mb = 512 } }");
    let errors = site.errors();
    assert!(
        errors.len() == 1
            && errors[0].contains("commands[\"plceOrder\"]")
            && errors[0].contains("placeOrder"),
        "{errors:?}"
    );
    let errors = Site::new("", "  commands = { getOrder = { timeout = 901 } }").errors();
    assert!(errors.len() == 1 && errors[0].contains("commands[\"getOrder\"].timeout: 901"), "{errors:?}");
}

#[test]
fn an_artifact_that_is_none_is_a_diagnostic() {
    let site = Site::new("", "");
    let good = std::fs::read(site.path("orders.zip")).unwrap();
    let mut corrupt = good.clone();
    corrupt[80] ^= 0xff;
    for (bytes, part) in [
        (Some(&b"hello"[..]), "not a zip"),
        (Some(&good[..good.len() / 2]), "truncated"),
        (Some(&corrupt[..]), "orders.zip"),
        (Some(&b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"[..]), "not an artifact"),
        (None, "no such file"),
    ] {
        match bytes {
            Some(bytes) => std::fs::write(site.path("orders.zip"), bytes).unwrap(),
            None => std::fs::remove_file(site.path("orders.zip")).unwrap(),
        }
        let errors = site.errors();
        assert!(
            errors.len() == 1 && errors[0].starts_with("Unusable artifact: ") && errors[0].contains(part),
            "{part}: {errors:?}"
        );
    }
}

#[test]
fn a_plan_bears_what_is_not_known_yet() {
    // The provider's own region is not known, so that nothing can be asked of a cloud.
    let unknowns = "  environment = { LATER = terraform_data.later.id }\n  tags = { (\"a\") = terraform_data.later.output }\n  \
                    commands = { getOrder = { memory_mb = length(terraform_data.later.id) + 200, policies = [\n    \
                    { actions = [\"s3:*\"], resources = [\"arn:aws:s3:::x-${terraform_data.later.id}/*\"] }] } }";
    let site = Site::new("  region = terraform_data.later.output", unknowns);
    let (code, text) = site.plan();
    assert!(code == 2 && text.contains("2 to add"), "{code} {text}");
    let later = "  region = terraform_data.later.output";
    let main = Site::new(later, "");
    let text = std::fs::read_to_string(main.path("main.tf")).unwrap();
    main.write("main.tf", &text.replace("\"orders.zip\"", "\"${terraform_data.later.id}.zip\""));
    let (code, text) = main.plan();
    assert!(code == 2 && text.contains("2 to add"), "an artifact that is known later: {code} {text}");
    let site =
        Site::new("  region = terraform_data.later.output", "  commands = { plceOrder = { timeout = 5 } }");
    let (code, text) = site.plan();
    assert!(code == 1 && text.contains("placeOrder"), "{code} {text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_with_an_account_knows_names_and_hides_secrets() {
    let endpoint = format!("  endpoint = \"{}\"", identity().await);
    let service = "  environment = { TOKEN = var.token }\n  commands = { placeOrder = { environment = { PLAIN = \"shown\" } } }";
    let (code, text) = Site::new(&endpoint, service).plan();
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("shown") && !text.contains(SECRET), "{text}");
    assert!(text.contains("artifact_sha256 = \"") || text.contains("artifact_sha256  = \""), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_look_into_the_artifact() {
    let endpoint = format!("  endpoint = \"{}\"", identity().await);
    let site = Site::new(&endpoint, "  tags = { hash = provider::eventual::artifact_hash(\"orders.zip\") }");
    let output = "output \"declared\" { value = join(\",\", provider::eventual::manifest(\"orders.zip\").commands) }\n";
    site.write("outputs.tf", output);
    let (code, text) = site.plan();
    assert!(code == 2 && text.contains("placeOrder,getOrder"), "{text}");
    site.write("outputs.tf", &output.replace("orders.zip", "none.zip"));
    let (code, text) = site.plan();
    assert!(code == 1 && text.contains("none.zip") && text.contains("\"path\" parameter"), "{text}");
}
