//! What no engine would send: any value in any place, and messages with a few bytes changed. Nothing of it may end the process.

use eventual_provider_core::config;
use eventual_provider_core::declaration::{Kind, Object, provider, service};
use eventual_provider_wire::pulumirpc::CheckRequest;
use proptest::prelude::*;
use proptest::sample::Index;
use prost::Message;

use super::archives::Archives;
use super::property::{self, Members, Property};
use super::{from_wire, names, to_wire};

/// Names that something declares, at any depth.
fn known(object: &Object, names: &mut Vec<String>) {
    for attribute in &object.attributes {
        names.push(names::camel(attribute.name));
        let mut kind = &attribute.kind;
        while let Kind::List(inner) | Kind::Map(inner) = kind {
            kind = inner;
        }
        if let Kind::Object(inner) = kind {
            known(inner, names);
        }
    }
}

fn any_name() -> BoxedStrategy<String> {
    let mut names = Vec::new();
    known(service(), &mut names);
    known(provider(), &mut names);
    prop_oneof![4 => proptest::sample::select(names), 1 => "\\PC{0,6}"].boxed()
}

fn any_members() -> impl Strategy<Value = Members> {
    let leaf = prop_oneof![
        Just(Property::Null),
        Just(Property::Unknown),
        any::<bool>().prop_map(Property::Bool),
        any::<f64>().prop_map(Property::Number),
        "\\PC{0,12}".prop_map(Property::String),
    ];
    let value = leaf.prop_recursive(6, 64, 6, |inner| {
        let members = prop::collection::btree_map(any_name(), inner.clone(), 0..6);
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..4).prop_map(Property::List),
            4 => members.clone().prop_map(Property::Map),
            1 => members.clone().prop_map(Property::Archive),
            1 => ("[a-f0-9]{32}", members).prop_map(|(signature, it)| Property::Signed(signature, it)),
            1 => inner.prop_map(Property::secret),
        ]
    });
    prop::collection::btree_map(any_name(), value, 0..8)
}

fn read(members: &Members) {
    let given = from_wire::inputs(members, &Archives::none());
    let (_, wrong) = config::service(&given.value);
    let secrets = to_wire::secrets(&given.value);
    for it in given.diagnostics.iter().chain(&wrong) {
        to_wire::reason(it, &secrets);
    }
    from_wire::state("orders", members);
    let _ = config::provider(&from_wire::configuration(members).value);
    from_wire::of_provider(members.clone());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn any_value_in_any_place_is_read_or_refused(members in any_members()) {
        read(&members);
    }

    #[test]
    fn a_damaged_message_is_read_or_refused(
        members in any_members(),
        changes in prop::collection::vec((any::<Index>(), any::<u8>()), 1..6),
    ) {
        let news = Some(property::encode(members));
        let mut bytes = CheckRequest { urn: "urn".to_owned(), news, ..CheckRequest::default() }.encode_to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(request) = CheckRequest::decode(&bytes[..]) {
            read(&property::decode(request.news));
        }
    }
}

#[test]
fn depth_without_end_is_refused() {
    // A list in a list in a list: each level is a field with the length of the rest.
    let mut bytes = Vec::new();
    for _ in 0..3000 {
        // Value.list_value is field 6, ListValue.values is field 1.
        for tag in [0x32_u8, 0x0a] {
            let mut level = vec![tag];
            prost::encoding::encode_varint(bytes.len() as u64, &mut level);
            level.extend_from_slice(&bytes);
            bytes = level;
        }
    }
    assert!(prost_types::Value::decode(&bytes[..]).is_err());
}
