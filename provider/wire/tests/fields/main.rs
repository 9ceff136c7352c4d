//! Our definitions of foreign protocols against the field numbers that others publish.
//!
//! The lists hold the fields of the messages that we use: `pulumi.txt` from the descriptors that the PyPI package
//! `pulumi` 3.272.0 carries (`pulumi/runtime/proto/*_pb2.py`, `DESCRIPTOR.serialized_pb`), `terraform.txt` from the
//! definitions in the crates `magma-protocol` 0.1.39 (protocol 6.10) and `tf-provider` 0.2.2 (go-plugin). We may leave
//! fields and values out; what we have must be there, with the same number and type.

use std::collections::BTreeSet;

use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorSet};

#[track_caller]
fn check(files: &[&str], published: &str) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/proto");
    let ours = ours(&protox::compile(files, [folder]).expect("our definitions compile"));
    let published: BTreeSet<&str> = published.lines().collect();
    let wrong: Vec<&String> = ours.iter().filter(|it| !published.contains(it.as_str())).collect();
    assert!(wrong.is_empty(), "not in what is published:\n{wrong:#?}");
    assert!(ours.len() > 100, "the files were found: {}", ours.len());
}

#[test]
fn every_field_of_pulumi_is_a_published_one() {
    check(
        &[
            "pulumi/provider.proto",
            "pulumi/engine.proto",
            "pulumi/status.proto",
            "pulumi/monitor.proto",
            "pulumi/resource_status.proto",
        ],
        include_str!("pulumi.txt"),
    );
}

#[test]
fn every_field_of_terraform_is_a_published_one() {
    check(&["tfplugin6.proto", "go_plugin.proto"], include_str!("terraform.txt"));
}

fn ours(set: &FileDescriptorSet) -> Vec<String> {
    let mut lines = Vec::new();
    for file in set.file.iter().filter(|it| !it.name().starts_with("google/protobuf/")) {
        let package = file.package();
        file.message_type.iter().for_each(|it| message(package, it, &mut lines));
        file.enum_type.iter().for_each(|it| values(package, it, &mut lines));
        for service in &file.service {
            for method in &service.method {
                let (input, output) = (bare(method.input_type()), bare(method.output_type()));
                lines.push(format!("{package}.{}/{} {input} {output}", service.name(), method.name()));
            }
        }
    }
    lines
}

fn message(prefix: &str, message_type: &DescriptorProto, lines: &mut Vec<String>) {
    let name = format!("{prefix}.{}", message_type.name());
    for field in &message_type.field {
        let repeated = if field.label() == Label::Repeated { " repeated" } else { "" };
        let optional = if field.proto3_optional() { " optional" } else { "" };
        lines.push(format!(
            "{name} {} {} {}{repeated}{optional}",
            field.number(),
            field.name(),
            type_of(field)
        ));
    }
    message_type.enum_type.iter().for_each(|it| values(&name, it, lines));
    message_type.nested_type.iter().for_each(|it| message(&name, it, lines));
}

fn values(prefix: &str, enum_type: &EnumDescriptorProto, lines: &mut Vec<String>) {
    let name = format!("{prefix}.{}", enum_type.name());
    lines.extend(enum_type.value.iter().map(|it| format!("{name} {} {}", it.number(), it.name())));
}

fn type_of(field: &FieldDescriptorProto) -> String {
    match field.r#type() {
        Type::Message | Type::Enum => bare(field.type_name()).to_owned(),
        plain => plain.as_str_name().trim_start_matches("TYPE_").to_lowercase(),
    }
}

fn bare(name: &str) -> &str {
    name.trim_start_matches('.')
}
