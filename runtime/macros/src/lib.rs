//! The attribute macros of eventual. This file only dispatches; each macro is a function on `proc_macro2` tokens that
//! returns what it generated and every mistake it found, so that unit tests can run it.
//!
//! Documentation for users stands at the re-exports of `eventual-runtime`, where its examples compile.

mod actor;
mod diagnostics;
mod emit;
mod failure;
mod function;
mod handler;
mod message;
mod options;
mod program;
mod route;
mod scan;
mod schedule;
mod task;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

use handler::Kind;
use message::Message;

/// A typed function over HTTP.
#[proc_macro_attribute]
pub fn command(attr: TokenStream, item: TokenStream) -> TokenStream {
    handler::expand(Kind::Command, attr.into(), item.into()).into()
}

/// A unit of work that workflows call.
#[proc_macro_attribute]
pub fn task(attr: TokenStream, item: TokenStream) -> TokenStream {
    handler::expand(Kind::Task, attr.into(), item.into()).into()
}

/// A durable function.
#[proc_macro_attribute]
pub fn workflow(attr: TokenStream, item: TokenStream) -> TokenStream {
    handler::expand(Kind::Workflow, attr.into(), item.into()).into()
}

/// A function that reacts to an event.
#[proc_macro_attribute]
pub fn subscription(attr: TokenStream, item: TokenStream) -> TokenStream {
    handler::expand(Kind::Subscription, attr.into(), item.into()).into()
}

/// A durable object.
#[proc_macro_attribute]
pub fn actor(attr: TokenStream, item: TokenStream) -> TokenStream {
    actor::expand(attr.into(), item.into()).into()
}

/// A fact that can be published.
#[proc_macro_attribute]
pub fn event(attr: TokenStream, item: TokenStream) -> TokenStream {
    message::expand(Message::Event, attr.into(), &item.into()).into()
}

/// A message into an execution.
#[proc_macro_attribute]
pub fn signal(attr: TokenStream, item: TokenStream) -> TokenStream {
    message::expand(Message::Signal, attr.into(), &item.into()).into()
}

/// An error that handlers return.
#[proc_macro_derive(Failure, attributes(failure))]
pub fn failure(item: TokenStream) -> TokenStream {
    failure::expand(item.into()).into()
}

/// The whole `main` of a service's binary.
#[proc_macro]
pub fn main(input: TokenStream) -> TokenStream {
    program::main(input.into()).into()
}

/// A service as a value, for tests.
#[proc_macro]
pub fn service(input: TokenStream) -> TokenStream {
    program::service(input.into()).into()
}
