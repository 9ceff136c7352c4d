//! The JSON Schemas of a service's types, collected from all of its handlers.
//!
//! schemars renames the second of two types of one name (`Page2`), by order of appearance, so that a new command could
//! rename another's type. Here such a clash is an error that asks for a rename.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::Value;

use crate::register::SchemaFn;

/// Collects schemas.
#[derive(Debug, Default)]
pub(crate) struct Schemas {
    named: BTreeMap<String, Value>,
    clashes: BTreeSet<String>,
}

fn generator() -> SchemaGenerator {
    let settings = SchemaSettings::draft2020_12().with(|it| {
        it.definitions_path = "/schemas".into();
        it.meta_schema = None;
    });
    settings.into_generator()
}

impl Schemas {
    /// The schema of a type; named types go into the collection, and the schema refers to them.
    pub(crate) fn schema(&mut self, make: SchemaFn) -> Value {
        // A generator of its own, so that names do not depend on what was collected before.
        let mut generator = generator();
        let schema = make(&mut generator).to_value();
        let definitions = generator.take_definitions(true);
        for name in definitions.keys() {
            if let Some(base) = numbered(name).filter(|base| definitions.contains_key(*base))
                && is_renamed(make, name)
            {
                self.clashes.insert(base.to_owned());
            }
        }
        for (name, definition) in definitions {
            match self.named.get(&name) {
                Some(known) if *known != definition => drop(self.clashes.insert(name)),
                Some(_) => {}
                None => drop(self.named.insert(name, definition)),
            }
        }
        schema
    }

    /// The collected schemas, and the names that stand for more than one type.
    pub(crate) fn finish(self) -> (BTreeMap<String, Value>, BTreeSet<String>) {
        (self.named, self.clashes)
    }
}

/// `Page` for `Page2`; `None` for what schemars would not make.
fn numbered(name: &str) -> Option<&str> {
    let base = name.trim_end_matches(|c: char| c.is_ascii_digit());
    (base.len() < name.len() && name[base.len()..].parse::<u32>().is_ok_and(|it| it >= 2)).then_some(base)
}

/// Whether schemars made `name` by counting, and no type has it. With the name taken from the start, a type of that
/// name becomes `<name>2`; a counted one takes the next number.
fn is_renamed(make: SchemaFn, name: &str) -> bool {
    thread_local! {
        static TAKEN: RefCell<String> = const { RefCell::new(String::new()) };
    }
    struct Taken;
    impl JsonSchema for Taken {
        fn schema_name() -> Cow<'static, str> {
            TAKEN.with_borrow(|it| it.clone().into())
        }
        fn schema_id() -> Cow<'static, str> {
            "eventual::Taken".into()
        }
        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            false.into()
        }
    }
    TAKEN.set(name.to_owned());
    let mut generator = generator();
    generator.subschema_for::<Taken>();
    make(&mut generator);
    !generator.definitions().contains_key(&format!("{name}2"))
}

#[cfg(test)]
mod tests {
    use super::*;

    mod one {
        #[derive(schemars::JsonSchema)]
        #[expect(dead_code, reason = "only its schema is made")]
        pub(super) struct Page {
            number: u8,
        }
        #[derive(schemars::JsonSchema)]
        #[expect(dead_code, reason = "only its schema is made")]
        pub(super) struct Page2 {
            first: Page,
            size: u8,
        }
    }
    mod two {
        #[derive(schemars::JsonSchema)]
        #[expect(dead_code, reason = "only its schema is made")]
        pub(super) struct Page {
            title: String,
        }
    }
    #[derive(schemars::JsonSchema)]
    #[expect(dead_code, reason = "only its schema is made")]
    struct Both(one::Page, two::Page);

    fn schema<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<T>()
    }

    fn clashes(all: &[SchemaFn]) -> Vec<String> {
        let mut schemas = Schemas::default();
        for make in all {
            schemas.schema(*make);
        }
        schemas.finish().1.into_iter().collect()
    }

    #[test]
    fn two_types_of_one_name_clash_in_any_order() {
        assert_eq!(clashes(&[schema::<one::Page>, schema::<two::Page>]), ["Page"]);
        assert_eq!(clashes(&[schema::<Both>]), ["Page"]);
        assert_eq!(clashes(&[schema::<two::Page>, schema::<one::Page2>]), ["Page"]);
    }

    #[test]
    fn a_type_may_end_in_a_number() {
        assert_eq!(clashes(&[schema::<one::Page2>, schema::<one::Page>, schema::<Vec<one::Page2>>]), [""; 0]);
    }

    #[test]
    fn references_point_into_the_manifest() {
        let mut schemas = Schemas::default();
        let schema = schemas.schema(schema::<Vec<one::Page>>);
        assert_eq!(schema["items"]["$ref"], "#/schemas/Page");
        assert_eq!(schemas.finish().0.keys().collect::<Vec<_>>(), ["Page"]);
    }
}
