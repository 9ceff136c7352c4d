//! JSON Schemas as types without names: what each keyword says, put together to one type. References stay references,
//! unless something is said besides that narrows what they refer to.

use std::collections::BTreeMap;

use eventual_schema::shape::Schemas;
use serde_json::{Map, Value};

use crate::docs::Doc;
use crate::error::Problem;
use crate::model::{Format, Literal};

/// A type without a name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Raw {
    /// Anything.
    Any,
    /// True or false.
    Boolean,
    /// A whole number.
    Integer,
    /// Values of one type in order.
    List(Box<Self>),
    /// Exactly this value.
    Literal(Literal),
    /// No value at all.
    Never,
    /// `null`.
    Null,
    /// A number.
    Number,
    /// Named members.
    Object(RawObject),
    /// The schema of this name.
    Reference(String),
    /// Text.
    Text(Format),
    /// Values of these types in order, and perhaps more of another type.
    Tuple(Vec<Self>, Option<Box<Self>>),
    /// One of these.
    Union(Vec<RawVariant>),
}

/// One of several types.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RawVariant {
    pub(crate) title: Option<String>,
    pub(crate) doc: Doc,
    pub(crate) ty: Raw,
}

/// Named members.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RawObject {
    /// Sorted by name.
    pub(crate) fields: Vec<RawField>,
    pub(crate) rest: Rest,
}

/// What members are that have no field.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Rest {
    /// Not there.
    Closed,
    /// Of this type.
    Of(Box<Raw>),
    /// Nothing is said of them.
    Open,
}

/// A named member.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RawField {
    pub(crate) name: String,
    pub(crate) doc: Doc,
    pub(crate) ty: Raw,
    pub(crate) required: bool,
    pub(crate) default: Option<Value>,
}

/// Reads the schemas of one manifest.
pub(crate) struct Reader<'a> {
    pub(crate) schemas: &'a Schemas,
    /// The names that are being looked into, so that a schema that narrows itself ends.
    inside: Vec<String>,
    /// The types that are being made one of two, so that two that refer to themselves end.
    pub(crate) narrowing: Vec<(Raw, Raw)>,
    /// How deep the schema that is being read nests.
    depth: usize,
}

/// Deeper than any type that somebody wrote.
const DEPTH_MAX: usize = 100;

impl<'a> Reader<'a> {
    pub(crate) const fn new(schemas: &'a Schemas) -> Self {
        Self { schemas, inside: Vec::new(), narrowing: Vec::new(), depth: 0 }
    }

    /// The type that a schema declares; `at` is where it stands.
    pub(crate) fn read(&mut self, schema: &Value, at: &str) -> Result<Raw, Problem> {
        let rules = match schema {
            Value::Bool(true) => return Ok(Raw::Any),
            Value::Bool(false) => return Ok(Raw::Never),
            Value::Object(rules) => rules,
            other => {
                return Err(Problem::new(at, format!("a schema is an object, true or false, not {other}")));
            }
        };
        self.depth += 1;
        let read = if self.depth > DEPTH_MAX {
            Err(Problem::new(at, "schemas nest too deeply"))
        } else {
            self.rules(rules, at)
        };
        self.depth -= 1;
        read
    }

    /// The type of the schema of that name.
    pub(crate) fn named(&mut self, name: &str, at: &str) -> Result<Raw, Problem> {
        if self.inside.iter().any(|it| it == name) {
            return Err(Problem::new(at, format!("schema `{name}` is combined with itself without end")));
        }
        let Some(schema) = self.schemas.get(name) else {
            return Err(Problem::new(at, format!("there is no schema `{name}`")));
        };
        self.inside.push(name.to_owned());
        let read = self.read(schema, &format!("#/schemas/{}", escaped(name)));
        self.inside.pop();
        read
    }

    fn rules(&mut self, rules: &Map<String, Value>, at: &str) -> Result<Raw, Problem> {
        let mut ty = self.kind(rules, at)?;
        if let Some(values) = rules.get("enum") {
            ty = self.both(ty, enumeration(values, at)?, at)?;
        }
        if let Some(value) = rules.get("const") {
            ty = self.both(ty, literal(value), at)?;
        }
        if let Some(target) = rules.get("$ref") {
            let target = self.reference(target, at)?;
            ty = self.both(ty, target, at)?;
        }
        for (index, part) in list(rules, "allOf", at)?.iter().enumerate() {
            let part = self.read(part, &format!("{at}/allOf/{index}"))?;
            ty = self.both(ty, part, at)?;
        }
        for key in ["anyOf", "oneOf"] {
            if rules.contains_key(key) {
                let union = self.union(list(rules, key, at)?, &format!("{at}/{key}"))?;
                ty = self.both(ty, union, at)?;
            }
        }
        Ok(ty)
    }

    fn reference(&self, target: &Value, at: &str) -> Result<Raw, Problem> {
        let name = target.as_str().and_then(|it| it.strip_prefix("#/schemas/"));
        let name = name.map(|it| it.replace("~1", "/").replace("~0", "~"));
        match name {
            Some(name) if self.schemas.contains_key(&name) => Ok(Raw::Reference(name)),
            _ => {
                let message = format!("refers to {target}, which is not among the manifest's schemas");
                Err(Problem::new(format!("{at}/$ref"), message))
            }
        }
    }

    /// What `type` and the keywords that belong to a type say.
    fn kind(&mut self, rules: &Map<String, Value>, at: &str) -> Result<Raw, Problem> {
        let names = match rules.get("type") {
            None => {
                let any = |keys: &[&str]| keys.iter().any(|it| rules.contains_key(*it));
                return match () {
                    () if any(&["properties", "required", "additionalProperties", "patternProperties"]) => {
                        self.object(rules, at)
                    }
                    () if any(&["items", "prefixItems"]) => self.array(rules, at),
                    () => Ok(Raw::Any),
                };
            }
            Some(Value::String(one)) => vec![one.as_str()],
            Some(Value::Array(many)) if many.iter().all(Value::is_string) && !many.is_empty() => {
                many.iter().filter_map(Value::as_str).collect()
            }
            Some(other) => return Err(Problem::new(format!("{at}/type"), format!("{other} is no type"))),
        };
        let mut variants = Vec::new();
        for name in names {
            let ty = match name {
                "array" => self.array(rules, at)?,
                "boolean" => Raw::Boolean,
                "integer" => Raw::Integer,
                "null" => Raw::Null,
                "number" => Raw::Number,
                "object" => self.object(rules, at)?,
                "string" => Raw::Text(format_of(rules)),
                other => {
                    return Err(Problem::new(
                        format!("{at}/type"),
                        format!("{other:?} is no type of JSON Schema"),
                    ));
                }
            };
            variants.push(RawVariant { title: None, doc: Doc::default(), ty });
        }
        Ok(one_or_union(variants))
    }

    fn array(&mut self, rules: &Map<String, Value>, at: &str) -> Result<Raw, Problem> {
        let first = list(rules, "prefixItems", at)?;
        let rest = match rules.get("items") {
            Some(schema) => self.read(schema, &format!("{at}/items"))?,
            None => Raw::Any,
        };
        if first.is_empty() {
            return Ok(Raw::List(Box::new(rest)));
        }
        let mut items = Vec::new();
        for (index, schema) in first.iter().enumerate() {
            items.push(self.read(schema, &format!("{at}/prefixItems/{index}"))?);
        }
        let number = |key: &str| rules.get(key).and_then(Value::as_u64);
        let count = items.len() as u64;
        if number("minItems").is_none_or(|least| least < count) {
            // Fewer items are fine too, for which few languages have a type.
            items.push(rest);
            let variants = items.into_iter().map(|ty| RawVariant { title: None, doc: Doc::default(), ty });
            return Ok(Raw::List(Box::new(one_or_union(variants.collect()))));
        }
        let closed = rest == Raw::Never || number("maxItems").is_some_and(|most| most <= count);
        Ok(Raw::Tuple(items, (!closed).then(|| Box::new(rest))))
    }

    fn object(&mut self, rules: &Map<String, Value>, at: &str) -> Result<Raw, Problem> {
        let required = list(rules, "required", at)?;
        let mut fields: BTreeMap<String, RawField> = BTreeMap::new();
        let none = Map::new();
        let properties = match rules.get("properties") {
            None => &none,
            Some(Value::Object(all)) => all,
            Some(other) => {
                return Err(Problem::new(
                    format!("{at}/properties"),
                    format!("properties are an object, not {other}"),
                ));
            }
        };
        for (name, schema) in properties {
            let ty = self.read(schema, &format!("{at}/properties/{}", escaped(name)))?;
            let rules = schema.as_object().unwrap_or(&none);
            let (doc, default) = (Doc::of_schema(rules), rules.get("default").cloned());
            fields.insert(name.clone(), RawField { name: name.clone(), doc, ty, required: false, default });
        }
        for name in required {
            let Some(name) = name.as_str() else {
                return Err(Problem::new(
                    format!("{at}/required"),
                    format!("{name} is no name of a property"),
                ));
            };
            let unknown = RawField {
                name: name.to_owned(),
                doc: Doc::default(),
                ty: Raw::Any,
                required: true,
                default: None,
            };
            fields.entry(name.to_owned()).or_insert(unknown).required = true;
        }
        let rest = self.rest(rules, at)?;
        Ok(Raw::Object(RawObject { fields: fields.into_values().collect(), rest }))
    }

    fn rest(&mut self, rules: &Map<String, Value>, at: &str) -> Result<Rest, Problem> {
        let others = match rules.get("additionalProperties") {
            None => Rest::Open,
            Some(schema) => match self.read(schema, &format!("{at}/additionalProperties"))? {
                Raw::Never => Rest::Closed,
                ty => Rest::Of(Box::new(ty)),
            },
        };
        let Some(patterns) = rules.get("patternProperties").and_then(Value::as_object) else {
            return Ok(others);
        };
        let mut variants = Vec::new();
        for (pattern, schema) in patterns {
            let ty = self.read(schema, &format!("{at}/patternProperties/{}", escaped(pattern)))?;
            variants.push(RawVariant { title: None, doc: Doc::default(), ty });
        }
        if let Rest::Of(ty) = &others {
            variants.push(RawVariant { title: None, doc: Doc::default(), ty: (**ty).clone() });
        }
        Ok(if variants.is_empty() { others } else { Rest::Of(Box::new(one_or_union(variants))) })
    }

    fn union(&mut self, schemas: &[Value], at: &str) -> Result<Raw, Problem> {
        if schemas.is_empty() {
            return Err(Problem::new(at, "there must be an alternative"));
        }
        let mut variants = Vec::new();
        for (index, schema) in schemas.iter().enumerate() {
            let ty = self.read(schema, &format!("{at}/{index}"))?;
            let doc = schema.as_object().map(Doc::of_schema).unwrap_or_default();
            let title = schema.get("title").and_then(Value::as_str).map(str::to_owned);
            variants.push(RawVariant { title, doc, ty });
        }
        Ok(one_or_union(variants))
    }
}

/// The type itself when there is one only.
pub(crate) fn one_or_union(variants: Vec<RawVariant>) -> Raw {
    match <[RawVariant; 1]>::try_from(variants) {
        // What a single alternative says of itself is rarely more than what is said around it.
        Ok([one]) => one.ty,
        Err(variants) => Raw::Union(variants),
    }
}

fn list<'a>(rules: &'a Map<String, Value>, key: &str, at: &str) -> Result<&'a [Value], Problem> {
    match rules.get(key) {
        None => Ok(&[]),
        Some(Value::Array(all)) => Ok(all),
        Some(other) => Err(Problem::new(format!("{at}/{key}"), format!("`{key}` is a list, not {other}"))),
    }
}

fn enumeration(values: &Value, at: &str) -> Result<Raw, Problem> {
    match values.as_array() {
        Some(values) if !values.is_empty() => Ok(one_or_union(
            values
                .iter()
                .map(|it| RawVariant { title: None, doc: Doc::default(), ty: literal(it) })
                .collect(),
        )),
        _ => Err(Problem::new(format!("{at}/enum"), "an enum is a list of values")),
    }
}

/// The type of one value; of one that no language has a type for, what is nearest.
fn literal(value: &Value) -> Raw {
    match value {
        Value::Null => Raw::Null,
        Value::Bool(it) => Raw::Literal(Literal::Boolean(*it)),
        Value::Number(it) => it.as_i64().map_or(Raw::Number, |it| Raw::Literal(Literal::Integer(it))),
        Value::String(it) => Raw::Literal(Literal::Text(it.clone())),
        Value::Array(_) => Raw::List(Box::new(Raw::Any)),
        Value::Object(_) => Raw::Object(RawObject { fields: Vec::new(), rest: Rest::Open }),
    }
}

fn format_of(rules: &Map<String, Value>) -> Format {
    let text = |key: &str| rules.get(key).and_then(Value::as_str);
    match (text("contentEncoding"), text("format")) {
        (Some("base64" | "base64url"), _) | (_, Some("byte" | "base64")) => Format::Bytes,
        (_, Some("date")) => Format::Date,
        (_, Some("date-time")) => Format::DateTime,
        (_, Some("uuid")) => Format::Uuid,
        _ => Format::Plain,
    }
}

/// A name as part of a JSON pointer.
pub(crate) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
