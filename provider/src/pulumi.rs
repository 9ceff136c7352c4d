//! The Pulumi wire: `pulumirpc.ResourceProvider` over the core, for the resource `eventual:index:Service`.
//!
//! Each RPC is decode, one operation of the core, encode. It names neither the other wire nor a cloud.

mod archives;
mod claimant;
#[cfg(test)]
mod damage;
mod difference;
mod engine_log;
mod failure;
mod from_wire;
mod functions;
mod handshake;
mod lifetime;
mod listing;
mod names;
mod naming;
mod operations;
mod package;
mod property;
mod provider;
mod schema;
mod server;
mod to_wire;
mod typed_schema;
mod views;

pub(crate) use handshake::serve;
pub(crate) use schema::json as schema_json;
