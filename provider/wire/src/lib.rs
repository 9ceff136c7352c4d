//! Messages and services of the protocols that Terraform and Pulumi speak with providers.
//!
//! Generated at build time from the `.proto` files beside this crate, which we wrote from the protocols' field tables:
//! names and numbers are the interface. There is deliberately no logic here; codecs and servers are in the provider.

#![allow(
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    clippy::allow_attributes_without_reason,
    clippy::too_many_lines,
    clippy::use_self,
    clippy::needless_pass_by_value,
    reason = "generated code"
)]

/// Terraform's plugin protocol, major version 6.
pub mod tfplugin6 {
    tonic::include_proto!("tfplugin6");
}

/// What every go-plugin serves beside its own service.
pub mod go_plugin {
    tonic::include_proto!("plugin");
}

/// gRPC health checks, which go-plugin asks for.
pub mod health {
    tonic::include_proto!("grpc.health.v1");
}

/// Pulumi's provider protocol.
pub mod pulumirpc {
    tonic::include_proto!("pulumirpc");
}

/// The error details of gRPC.
pub mod google_rpc {
    tonic::include_proto!("google.rpc");
}
