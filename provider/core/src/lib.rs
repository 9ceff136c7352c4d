//! What both provider wires share: values, the declaration of the resource, planning and applying.
//!
//! It deliberately does no I/O, reads no clock, and names neither wire nor a cloud SDK: the cloud is a port.

pub mod apply;
pub mod check;
pub mod cloud;
pub mod config;
pub mod control;
pub mod declaration;
pub mod desired;
pub mod diagnostic;
pub mod inspect;
pub mod operations;
pub mod path;
pub mod plan;
pub mod policy;
pub mod progress;
pub mod request;
pub mod resource;
pub mod state;
pub mod value;

#[cfg(test)]
mod testing;
