//! The codec: what was encoded is decoded to the same, whatever it is.

mod damage;

use eventual_provider_core::declaration::{self, Kind, Object};
use eventual_provider_core::value::Value;
use eventual_provider_wire::tfplugin6::DynamicValue;
use proptest::prelude::*;
use rmpv::Value as Wire;

use super::{from_wire, schema, to_wire};

fn msgpack(wire: &Wire) -> DynamicValue {
    let mut msgpack = Vec::new();
    rmpv::encode::write_value(&mut msgpack, wire).unwrap();
    DynamicValue { msgpack, json: Vec::new() }
}

fn service(members: Vec<(&str, Wire)>) -> DynamicValue {
    msgpack(&Wire::Map(members.into_iter().map(|(name, value)| (Wire::from(name), value)).collect()))
}

fn decoded(value: &DynamicValue) -> Value {
    from_wire::object(declaration::service(), Some(value)).unwrap()
}

/// Values that fit a kind, with nulls where a map may have them, and unknowns anywhere.
fn of(kind: &Kind) -> BoxedStrategy<Value> {
    let known = match kind {
        Kind::String => any::<String>().prop_map(Value::String).boxed(),
        Kind::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Kind::Number => prop_oneof![
            any::<i32>().prop_map(|it| Value::Number(f64::from(it))),
            proptest::num::f64::NORMAL.prop_map(Value::Number),
        ]
        .boxed(),
        Kind::List(inner) => proptest::collection::vec(of(inner), 0..3).prop_map(Value::List).boxed(),
        Kind::Map(inner) => {
            let member = prop_oneof![4 => of(inner), 1 => Just(Value::Null)];
            proptest::collection::btree_map(any::<String>(), member, 0..3).prop_map(Value::Map).boxed()
        }
        Kind::Object(object) => of_object(object),
    };
    prop_oneof![9 => known, 1 => Just(Value::Unknown)].boxed()
}

fn of_object(object: &Object) -> BoxedStrategy<Value> {
    let members: Vec<BoxedStrategy<Option<(String, Value)>>> = object
        .attributes
        .iter()
        .map(|attribute| {
            let (name, sensitive) = (attribute.name.to_owned(), attribute.sensitive);
            let value = of(&attribute.kind).prop_map(move |value| {
                let value = if sensitive { value.secret() } else { value };
                Some((name.clone(), value))
            });
            prop_oneof![1 => Just(None), 1 => value].boxed()
        })
        .collect();
    members.prop_map(|members| Value::map(members.into_iter().flatten())).boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_service_survives_the_wire(value in of_object(declaration::service())) {
        let wire = to_wire::object(declaration::service(), &value).unwrap();
        prop_assert_eq!(from_wire::object(declaration::service(), Some(&wire)).unwrap(), value);
    }

    #[test]
    fn any_provider_block_survives_the_wire(value in of_object(declaration::provider())) {
        let wire = to_wire::object(declaration::provider(), &value).unwrap();
        prop_assert_eq!(from_wire::object(declaration::provider(), Some(&wire)).unwrap(), value);
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = from_wire::object(declaration::service(), Some(&DynamicValue { msgpack: bytes.clone(), json: Vec::new() }));
        let _ = from_wire::object(declaration::service(), Some(&DynamicValue { msgpack: Vec::new(), json: bytes.clone() }));
        let _ = from_wire::state(declaration::service(), &bytes);
    }
}

#[test]
fn every_form_of_unknown_is_unknown() {
    let refined = Wire::Map(vec![(Wire::from(1), Wire::from(false)), (Wire::from(2), Wire::from("pre-"))]);
    let value = decoded(&service(vec![
        ("name", Wire::Ext(12, msgpack(&refined).msgpack)),
        ("artifact", Wire::Ext(0, vec![])),
        ("tags", Wire::Map(vec![(Wire::from("a"), Wire::Ext(99, vec![1, 2, 3]))])),
        ("defaults", Wire::Ext(0, vec![0])),
    ]));
    for name in ["name", "artifact", "defaults"] {
        assert!(value.get(name).is_unknown(), "{name}");
    }
    assert!(value.get("tags").get("a").is_unknown() && !value.get("tags").is_unknown());
}

#[test]
fn numbers_come_as_integers_floats_and_text() {
    for wire in [Wire::from(512), Wire::from(512_u64), Wire::F64(512.0), Wire::F32(512.0), Wire::from("512")]
    {
        let value = decoded(&service(vec![("defaults", Wire::Map(vec![(Wire::from("memory_mb"), wire)]))]));
        assert_eq!(value.get("defaults").get("memory_mb"), &Value::Number(512.0));
    }
}

#[test]
fn json_is_read_like_msgpack() {
    let json = br#"{"name":"orders","artifact":null,"tags":{"a":null},"defaults":{"memory_mb":512}}"#;
    let value = decoded(&DynamicValue { msgpack: Vec::new(), json: json.to_vec() });
    let expected = Value::map([
        ("name", Value::from("orders")),
        ("tags", Value::map([("a", Value::Null)])),
        ("defaults", Value::map([("memory_mb", Value::from(512))])),
    ]);
    assert_eq!(value, expected);
}

#[test]
fn a_state_of_another_release_loses_what_is_not_ours() {
    let json = br#"{"name":"orders","gone":{"x":1},"resources":{"table":{"type":"table","gone":2}}}"#;
    let state = from_wire::state(declaration::service(), json).unwrap();
    let table = Value::map([("type", Value::from("table"))]);
    assert_eq!(
        state,
        Value::map([("name", Value::from("orders")), ("resources", Value::map([("table", table)]))])
    );
    assert!(
        from_wire::object(
            declaration::service(),
            Some(&DynamicValue { msgpack: Vec::new(), json: json.to_vec() })
        )
        .is_err()
    );
}

#[test]
fn sensitive_attributes_arrive_secret_and_objects_leave_whole() {
    let role = Wire::Map(vec![
        (Wire::from("role_arn"), Wire::from("arn:aws:iam::1:role/x")),
        (Wire::from("external_id"), Wire::from("hunter2")),
    ]);
    let sent = msgpack(&Wire::Map(vec![(Wire::from("assume_role"), role)]));
    let value = from_wire::object(declaration::provider(), Some(&sent)).unwrap();
    assert!(matches!(value.get("assume_role").get("external_id"), Value::Secret(_)), "{value:?}");
    let back = to_wire::object(declaration::provider(), &value).unwrap();
    let Wire::Map(members) = rmpv::decode::read_value(&mut back.msgpack.as_slice()).unwrap() else {
        panic!()
    };
    let names: Vec<&str> = members.iter().filter_map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, declaration::provider().attributes.iter().map(|it| it.name).collect::<Vec<_>>());
}

#[test]
fn what_does_not_fit_is_an_error_with_its_place() {
    let error = from_wire::object(declaration::service(), Some(&service(vec![("tags", Wire::from(true))])))
        .unwrap_err();
    assert_eq!(error.to_string(), "tags: a truth value where a map is declared");
    let error =
        to_wire::object(declaration::service(), &Value::map([("url", Value::from(true))])).unwrap_err();
    assert_eq!(error.to_string(), "url: a truth value does not fit the declaration");
    let extra = to_wire::object(declaration::service(), &Value::map([("adress", Value::Null)]));
    assert_eq!(extra.unwrap_err().to_string(), "adress: an attribute that is not declared");
}

#[test]
fn objects_become_nested_attributes() {
    let service = schema::schema(declaration::service()).block.unwrap();
    let commands = service.attributes.iter().find(|it| it.name == "commands").unwrap();
    let nested = commands.nested_type.as_ref().unwrap();
    assert!(commands.r#type.is_empty() && commands.optional && nested.nesting == 4);
    let environment = nested.attributes.iter().find(|it| it.name == "environment").unwrap();
    assert_eq!(environment.r#type, br#"["map","string"]"#);
    let url = service.attributes.iter().find(|it| it.name == "url").unwrap();
    assert!(url.computed && !url.optional && url.r#type == br#""string""#);
}
