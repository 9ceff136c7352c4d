//! What nobody would send: valid messages with a few bytes changed, values that say more than there is, and configurations
//! that fit the schema and make no sense. Nothing of it may end the process.

use std::collections::BTreeMap;

use eventual_provider_core::config;
use eventual_provider_core::declaration;
use eventual_provider_core::request::{self, Artifact, Artifacts, Identity, Scope};
use eventual_provider_core::value::Value;
use eventual_provider_wire::tfplugin6::DynamicValue;
use eventual_schema::Manifest;
use eventual_schema::functions::default_functions;
use proptest::prelude::*;
use proptest::sample::Index;

use super::super::{from_wire, to_wire};
use super::of_object;

/// Opens everything as the same small service.
struct Anything;

impl Artifacts for Anything {
    fn open(&self, path: &str) -> Result<Artifact, String> {
        let handler = |name: &str| serde_json::json!({ "name": name, "input": null, "output": {}, "source": { "file": "a.rs", "line": 1 } });
        let manifest = serde_json::json!({
            "format": 1, "service": "orders", "version": "1.0.0", "functions": [],
            "code": { "sha256": "c0de", "architecture": "arm64" },
            "commands": [handler("a"), handler("placeOrder")], "tasks": [handler("a")], "workflows": [handler("a")],
        });
        let mut manifest =
            Manifest::from_json(manifest.to_string().as_bytes()).map_err(|it| it.to_string())?;
        manifest.functions = default_functions(&manifest);
        Ok(Artifact { manifest, sha256: "a".repeat(64), path: path.to_owned() })
    }
}

fn in_both_forms(bytes: &[u8]) {
    for value in [
        DynamicValue { msgpack: bytes.to_vec(), json: Vec::new() },
        DynamicValue { msgpack: Vec::new(), json: bytes.to_vec() },
    ] {
        for object in [declaration::terraform_service(), declaration::provider()] {
            let Ok(decoded) = from_wire::object(object, Some(&value)) else { continue };
            // What was understood can be said again, and is understood as the same.
            let again = to_wire::object(object, &decoded).unwrap();
            assert_eq!(from_wire::object(object, Some(&again)).unwrap(), decoded);
        }
    }
    let _ = from_wire::state(declaration::terraform_service(), bytes);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_message_is_read_or_refused(
        value in of_object(declaration::terraform_service()),
        changes in proptest::collection::vec((any::<Index>(), any::<u8>()), 1..6),
        end in any::<Index>(),
    ) {
        let mut bytes = to_wire::object(declaration::terraform_service(), &value).unwrap().msgpack;
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        in_both_forms(&bytes);
        in_both_forms(&bytes[..end.index(bytes.len())]);
    }

    #[test]
    fn any_configuration_is_planned_or_refused(
        mut config in of_object(declaration::terraform_service()),
        prior in of_object(declaration::terraform_service()),
    ) {
        config.set("name", Value::from("orders"));
        config.set("artifact", Value::from("orders.zip"));
        let identity = Identity { account: "1".repeat(12), region: "eu-west-1".to_owned(), partition: "aws".to_owned() };
        let default_tags = BTreeMap::new();
        let scope = Scope { artifacts: &Anything, identity: Some(&identity), default_tags: &default_tags };
        let first = request::plan(&scope, None, &config);
        prop_assert_eq!(&request::plan(&scope, None, &config), &first, "two plans of the same are the same");
        to_wire::diagnostics(&first.diagnostics);
        to_wire::object(declaration::terraform_service(), &first.planned).unwrap();
        let next = request::plan(&scope, Some(&prior), &config);
        to_wire::object(declaration::terraform_service(), &next.planned).unwrap();
        let _ = request::plan_destroy(&prior);
    }

    #[test]
    fn any_provider_block_is_read_or_refused(config in of_object(declaration::provider())) {
        let _ = config::provider(&config).0.refuses("123456789012");
    }
}

#[test]
fn lengths_and_depths_that_lie_are_refused() {
    let nested = |open: &[u8], times: usize| open.repeat(times);
    let object = |rest: &[u8]| [&[0x81, 0xa4, b't', b'a', b'g', b's'], rest].concat();
    for bytes in [
        // Maps, lists, texts, bytes and extensions of four billion members, of which none follows.
        vec![0xdf, 0xff, 0xff, 0xff, 0xff],
        object(&[0xdd, 0xff, 0xff, 0xff, 0xff]),
        object(&[0xdb, 0xff, 0xff, 0xff, 0xff, b'a']),
        object(&[0xc6, 0xff, 0xff, 0xff, 0xff]),
        object(&[0xc9, 0xff, 0xff, 0xff, 0xff, 0]),
        // Without end.
        nested(&[0x91], 200_000),
        nested(&[0x81, 0xa1, b'a'], 200_000),
        object(&nested(&[0x81, 0xa1, b'a'], 200_000)),
        nested(b"[", 200_000),
        nested(b"{\"tags\":", 200_000),
    ] {
        in_both_forms(&bytes);
    }
}

#[test]
fn what_is_no_number_is_none() {
    let member =
        |number: &[u8]| [&[0x81, 0xa8][..], b"defaults", &[0x81, 0xa9], b"memory_mb", number].concat();
    let read = |number: &[u8]| {
        let value = DynamicValue { msgpack: member(number), json: Vec::new() };
        from_wire::object(declaration::service(), Some(&value))
    };
    let nan = [&[0xcb][..], &f64::NAN.to_be_bytes()].concat();
    assert_eq!(read(&nan).unwrap_err().to_string(), "defaults.memory_mb: not a number");
    assert!(read(&[0xa3, b'N', b'a', b'N']).is_err() && read(&[0xa1, b'x']).is_err());
    // What is only too large is a number; that it is too large is the user's to know.
    let huge = read(&[&[0xa5][..], b"1e400"].concat()).unwrap();
    let (_, wrong) = config::service(&huge);
    assert!(wrong.iter().any(|it| it.detail.contains("whole number from 128")), "{wrong:?}");
}
