//! Failed calls as the engine understands them: gRPC errors, one of them with the state that was reached.

use eventual_provider_core::diagnostic::Diagnostic;
use eventual_provider_core::path::Step;
use eventual_provider_wire::google_rpc;
use eventual_provider_wire::pulumirpc::configure_error_missing_keys::MissingKey;
use eventual_provider_wire::pulumirpc::{ConfigureErrorMissingKeys, ErrorResourceInitFailed};
use prost::Message;
use prost_types::Any;
use tonic::{Code, Status};

use super::names;
use super::property::{Members, encode};
use super::to_wire::reason;

/// What was reached by an operation that stopped half-way.
pub(crate) struct Reached {
    /// Id of the resource, never empty.
    pub(crate) id: String,
    /// Its outputs, as they are.
    pub(crate) properties: Members,
    /// The inputs of the operation.
    pub(crate) inputs: Members,
    /// What is missing and why.
    pub(crate) reasons: Vec<String>,
}

/// The resource exists, but not as it should: the engine keeps it, and the next `up` updates it whatever Diff says.
pub(crate) fn init_failed(reached: Reached) -> Status {
    let message = reached.reasons.join("\n");
    let detail = ErrorResourceInitFailed {
        id: reached.id,
        properties: Some(encode(reached.properties)),
        reasons: reached.reasons,
        inputs: Some(encode(reached.inputs)),
        // What happened to the call that failed last is not always known: look before the next change.
        refresh_before_update: true,
    };
    detailed(Code::Aborted, message, "pulumirpc.ErrorResourceInitFailed", detail.encode_to_vec())
}

/// Nothing came of the call: nothing was done, or there is nothing to show for it.
pub(crate) fn refused(diagnostics: &[Diagnostic], secrets: &[String]) -> Status {
    let errors = diagnostics.iter().filter(|it| it.is_error());
    // The engine takes Internal, Unknown and DataLoss for a provider that may be broken; this one is not.
    let code = if diagnostics.iter().any(|it| it.path.is_some()) {
        Code::InvalidArgument
    } else {
        Code::FailedPrecondition
    };
    Status::new(code, errors.map(|it| reason(it, secrets)).collect::<Vec<_>>().join("\n"))
}

/// Configure failed. When a setting that is `absent` would mend it, the engine adds the command that sets it.
pub(crate) fn not_configured(
    package: &str,
    diagnostics: &[Diagnostic],
    secrets: &[String],
    absent: impl Fn(&str) -> bool,
) -> Status {
    let missing: Vec<MissingKey> = diagnostics
        .iter()
        .filter_map(|diagnostic| match diagnostic.path.as_ref()?.0.as_slice() {
            [Step::Attr(name)] if absent(name) => Some(MissingKey {
                name: format!("{package}:{}", names::camel(name)),
                description: reason(&Diagnostic { path: None, ..diagnostic.clone() }, secrets),
            }),
            _ => None,
        })
        .collect();
    if missing.is_empty() {
        return refused(diagnostics, secrets);
    }
    let message = refused(diagnostics, secrets).message().to_owned();
    let detail = ConfigureErrorMissingKeys { missing_keys: missing };
    detailed(Code::InvalidArgument, message, "pulumirpc.ConfigureErrorMissingKeys", detail.encode_to_vec())
}

fn detailed(code: Code, message: String, name: &str, detail: Vec<u8>) -> Status {
    let detail = Any { type_url: format!("type.googleapis.com/{name}"), value: detail };
    let full = google_rpc::Status { code: code.into(), message: message.clone(), details: vec![detail] };
    Status::with_details(code, message, full.encode_to_vec().into())
}
