//! What the provider has, by the names of Terraform, with the examples of each. That this is all that the provider announces
//! is a test of the provider.

use eventual_provider_core::declaration::{self, Kind, Object};
use eventual_provider_core::inspect;

/// A function of the provider.
#[derive(Debug, Clone)]
pub(crate) struct Function {
    pub(crate) description: &'static str,
    pub(crate) returns: &'static str,
    pub(crate) argument: &'static str,
    pub(crate) members: Vec<(&'static str, Kind, &'static str)>,
}

/// What kind of thing it is.
#[derive(Debug, Clone)]
pub(crate) enum What {
    Provider,
    Resource,
    DataSource,
    Ephemeral,
    List,
    Action,
    Function(Function),
}

impl What {
    /// As registries call it.
    pub(crate) const fn word(&self) -> &'static str {
        match self {
            Self::Provider => "Provider",
            Self::Resource => "Resource",
            Self::DataSource => "Data Source",
            Self::Ephemeral => "Ephemeral Resource",
            Self::List => "List Resource",
            Self::Action => "Action",
            Self::Function(_) => "Function",
        }
    }
}

/// A piece of configuration, or of a command line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Example {
    pub(crate) intro: &'static str,
    pub(crate) language: &'static str,
    pub(crate) text: &'static str,
}

const fn terraform(text: &'static str) -> Example {
    Example { intro: "", language: "terraform", text }
}

/// One thing with its page.
#[derive(Debug, Clone)]
pub(crate) struct Thing {
    pub(crate) what: What,
    pub(crate) name: &'static str,
    pub(crate) path: &'static str,
    declaration: fn() -> &'static Object,
    pub(crate) more: &'static str,
    pub(crate) examples: Vec<Example>,
    pub(crate) import: Vec<Example>,
}

impl Thing {
    fn new(what: What, name: &'static str, path: &'static str, declaration: fn() -> &'static Object) -> Self {
        Self { what, name, path, declaration, more: "", examples: Vec::new(), import: Vec::new() }
    }

    fn shows(self, examples: &[Example]) -> Self {
        Self { examples: examples.to_vec(), ..self }
    }

    pub(crate) fn object(&self) -> &'static Object {
        (self.declaration)()
    }

    pub(crate) fn description(&self) -> &'static str {
        match &self.what {
            What::Function(function) => function.description,
            _ => self.object().description,
        }
    }
}

/// Everything.
pub(crate) fn things() -> Vec<Thing> {
    let mut things = vec![provider(), service()];
    things.push(
        Thing::new(What::DataSource, "eventual_service", "data-sources/service.md", declaration::lookup)
            .shows(&[terraform(include_str!(
                "../../terraform/examples/data-sources/eventual_service/data-source.tf"
            ))]),
    );
    things.push(
        Thing::new(
            What::Ephemeral,
            "eventual_service_credentials",
            "ephemeral-resources/service_credentials.md",
            declaration::credentials,
        )
        .shows(&[terraform(include_str!(
            "../../terraform/examples/ephemeral-resources/eventual_service_credentials/ephemeral-resource.tf"
        ))]),
    );
    things.push(
        Thing::new(What::List, "eventual_service", "list-resources/service.md", declaration::listing).shows(
            &[terraform(include_str!(
                "../../terraform/examples/list-resources/eventual_service/list-resource.tf"
            ))],
        ),
    );
    things.extend(actions());
    things.extend(functions());
    things
}

fn provider() -> Thing {
    Thing {
        more: "Works with Terraform 1.11 and OpenTofu 1.11, and later. One resource, `eventual_service`, deploys a whole \
               service from the artifact that `cargo eventual build` writes.",
        ..Thing::new(What::Provider, "eventual", "index.md", declaration::provider)
            .shows(&[terraform(include_str!("../../terraform/examples/provider/provider.tf"))])
    }
}

fn service() -> Thing {
    let import = |intro, language, text| Example { intro, language, text };
    Thing {
        import: vec![
            import(
                "By its name, in a configuration; `terraform plan -generate-config-out=service.tf` writes the resource:",
                "terraform",
                include_str!("../../terraform/examples/resources/eventual_service/import.tf"),
            ),
            import(
                "Or on the command line. An import knows the whole configuration, the values of environment variables \
                 too (they are read from the functions), so that the next plan is empty. What is write-only is not \
                 known:",
                "shell",
                include_str!("../../terraform/examples/resources/eventual_service/import.sh"),
            ),
            import(
                "By its identity (Terraform 1.12 and later), from which account and region may be left out:",
                "terraform",
                include_str!("../../terraform/examples/resources/eventual_service/import-by-identity.tf"),
            ),
        ],
        ..Thing::new(
            What::Resource,
            "eventual_service",
            "resources/service.md",
            declaration::terraform_service,
        )
        .shows(&[
            terraform(include_str!("../../terraform/examples/resources/eventual_service/resource.tf")),
            Example {
                intro: "With everything that can be said:",
                language: "terraform",
                text: include_str!("../../terraform/examples/resources/eventual_service/everything.tf"),
            },
        ])
    }
}

fn actions() -> [Thing; 3] {
    [
        Thing::new(
            What::Action,
            "eventual_invoke_command",
            "actions/invoke_command.md",
            declaration::invoke_command,
        )
        .shows(&[terraform(include_str!(
            "../../terraform/examples/actions/eventual_invoke_command/action.tf"
        ))]),
        Thing::new(
            What::Action,
            "eventual_invoke_system",
            "actions/invoke_system.md",
            declaration::invoke_system,
        )
        .shows(&[terraform(include_str!(
            "../../terraform/examples/actions/eventual_invoke_system/action.tf"
        ))]),
        Thing::new(What::Action, "eventual_redrive", "actions/redrive.md", declaration::redrive)
            .shows(&[terraform(include_str!("../../terraform/examples/actions/eventual_redrive/action.tf"))]),
    ]
}

fn functions() -> [Thing; 2] {
    let manifest = Function {
        description: inspect::MANIFEST,
        returns: "object",
        argument: inspect::PATH,
        members: inspect::members().to_vec(),
    };
    let hash = Function {
        description: inspect::ARTIFACT_HASH,
        returns: "string",
        argument: inspect::PATH,
        members: Vec::new(),
    };
    [
        Thing::new(What::Function(manifest), "manifest", "functions/manifest.md", declaration::provider)
            .shows(&[terraform(include_str!("../../terraform/examples/functions/manifest/function.tf"))]),
        Thing::new(
            What::Function(hash),
            "artifact_hash",
            "functions/artifact_hash.md",
            declaration::provider,
        )
        .shows(&[terraform(include_str!("../../terraform/examples/functions/artifact_hash/function.tf"))]),
    ]
}
