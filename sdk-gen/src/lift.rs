//! From a manifest to the model: every object gets a name, unions lie flat, and what refers to itself without an object or
//! a list in between is an error.

use std::collections::BTreeMap;

use eventual_schema::{Manifest, manifest};
use serde_json::Value;

use crate::docs::Doc;
use crate::error::{Problem, SdkError};
use crate::model::{Command, Field, Literal, Message, Model, Named, Object, Shape, Type, Variant, Workflow};
use crate::names::{Taken, pascal};
use crate::raw::{Raw, RawObject, RawVariant, Reader, Rest, escaped};
use crate::sending::sending;

/// The model of a manifest. Names in `reserved`, and those that begin with the service's name as generated ones do, are given
/// to no type.
///
/// # Errors
/// Everything in which the manifest makes no sense.
pub(crate) fn model(manifest: &Manifest, reserved: &[&str]) -> Result<Model, SdkError> {
    let mut problems: Vec<Problem> = manifest.problems().into_iter().map(|it| Problem::new("", it)).collect();
    let title = pascal(manifest.service.as_str());
    let mut reader = Reader::new(&manifest.schemas);
    let mut raws = BTreeMap::new();
    for name in manifest.schemas.keys() {
        match reader.named(name, "") {
            Ok(raw) => drop(raws.insert(name.clone(), raw)),
            Err(problem) => problems.push(problem),
        }
    }
    problems.extend(endless(&raws));
    if !problems.is_empty() {
        return Err(SdkError { problems });
    }
    let mut taken = Taken::new(reserved.iter().copied());
    for word in ["Client", "Execution", "Executions", "Signals"] {
        taken.take(&format!("{title}{word}"), "");
        taken.take(&format!("Async{title}{word}"), "");
    }
    // Errors of commands and workflows are classes of their own.
    manifest
        .commands
        .iter()
        .for_each(|it| drop(taken.take(&format!("{}Failed", pascal(it.name.as_str())), "")));
    let workflows = manifest.workflows.iter().map(|it| pascal(it.name.as_str()));
    workflows.for_each(|it| drop(taken.take(&format!("{it}ExecutionFailed"), "")));
    let mut lift =
        Lift { reader, raws, taken, types: Vec::new(), owner: None, places: BTreeMap::new(), problems };
    lift.schemas(manifest);
    let model = Model {
        service: manifest.service.to_string(),
        title,
        version: manifest.version.clone(),
        commands: manifest.commands.iter().map(|it| lift.command(it)).collect(),
        workflows: manifest.workflows.iter().map(|it| lift.workflow(it)).collect(),
        signals: manifest
            .signals
            .iter()
            .map(|it| lift.message("signals", it.name.as_str(), &it.summary, &it.payload))
            .collect(),
        events: manifest
            .events
            .iter()
            .map(|it| lift.message("events", it.name.as_str(), &it.summary, &it.payload))
            .collect(),
        order: Vec::new(),
        types: Vec::new(),
    };
    if !lift.problems.is_empty() {
        return Err(SdkError { problems: lift.problems });
    }
    // A type is followed by those that were made for it.
    let mut order: Vec<usize> = (0..lift.types.len()).collect();
    order.sort_by_key(|it| lift.types[*it].0);
    let types = lift.types.into_iter().map(|(_, it)| it).collect();
    let mut model = Model { types, ..model };
    // What only tasks see is nobody else's matter.
    let reached = model.reached();
    order.retain(|it| reached.contains(it));
    model.order = order;
    Ok(model)
}

/// The schemas that are themselves, or one of whose alternatives they are.
fn endless(raws: &BTreeMap<String, Raw>) -> Vec<Problem> {
    fn reaches(from: &Raw, name: &str, raws: &BTreeMap<String, Raw>, seen: &mut Vec<String>) -> bool {
        match from {
            Raw::Reference(to) if to == name => true,
            Raw::Reference(to) if !seen.contains(to) => {
                seen.push(to.clone());
                raws.get(to).is_some_and(|it| reaches(it, name, raws, seen))
            }
            Raw::Union(variants) => variants.iter().any(|it| reaches(&it.ty, name, raws, seen)),
            _ => false,
        }
    }
    let endless = raws.iter().filter(|(name, raw)| reaches(raw, name, raws, &mut Vec::new()));
    endless
        .map(|(name, _)| {
            let message = format!("`{name}` is nothing but itself: a type that refers to itself needs an object or a list in between");
            Problem::new(format!("#/schemas/{}", escaped(name)), message)
        })
        .collect()
}

struct Lift<'a> {
    reader: Reader<'a>,
    raws: BTreeMap<String, Raw>,
    taken: Taken,
    /// Each with the type that it was made for, or itself.
    types: Vec<(usize, Named)>,
    /// The named schema that is being lifted.
    owner: Option<usize>,
    /// The named schemas' places in `types`.
    places: BTreeMap<String, usize>,
    problems: Vec<Problem>,
}

impl Lift<'_> {
    /// All schemas of the manifest. Their names are given first, so that none depends on what else is named.
    fn schemas(&mut self, manifest: &Manifest) {
        for (name, schema) in &manifest.schemas {
            let doc = schema.as_object().map(Doc::of_schema).unwrap_or_default();
            let place = self.reserve(name, doc);
            self.places.insert(name.clone(), place);
        }
        for (name, raw) in self.raws.clone() {
            let Some(place) = self.places.get(&name).copied() else { continue };
            let hint = self.types[place].1.name.clone();
            self.owner = Some(place);
            let shape = match raw {
                Raw::Object(object) if is_record(&object) => Shape::Object(self.object(object, &hint)),
                other => Shape::Alias(self.lift(other, &hint)),
            };
            self.types[place].1.shape = shape;
        }
        self.owner = None;
    }

    fn reserve(&mut self, wanted: &str, doc: Doc) -> usize {
        let mut wanted = pascal(wanted);
        if !wanted.starts_with(|c: char| c.is_ascii_uppercase()) {
            wanted.insert(0, 'T');
        }
        if self.taken.has(&wanted) {
            wanted.push_str("Value");
        }
        let name = self.taken.take(&wanted, "");
        let place = self.types.len();
        self.types.push((self.owner.unwrap_or(place), Named { name, doc, shape: Shape::Alias(Type::Any) }));
        place
    }

    fn object(&mut self, object: RawObject, hint: &str) -> Object {
        let mut fields: Vec<Field> = Vec::new();
        for field in object.fields {
            let ty = self.lift(field.ty, &format!("{hint}{}", pascal(&field.name)));
            fields.push(Field { name: field.name, doc: field.doc, ty, required: field.required });
        }
        fields.sort_by_key(|it| !it.required);
        let closed = matches!(object.rest, Rest::Closed);
        let rest = match object.rest {
            Rest::Of(ty) => Some(self.lift(*ty, &format!("{hint}Other"))),
            Rest::Closed | Rest::Open => None,
        };
        Object { fields, rest, closed }
    }

    fn lift(&mut self, raw: Raw, hint: &str) -> Type {
        match raw {
            Raw::Any => Type::Any,
            Raw::Boolean => Type::Boolean,
            Raw::Integer => Type::Integer,
            Raw::List(item) => Type::List(Box::new(self.lift(*item, &format!("{hint}Item")))),
            Raw::Literal(it) => Type::Literal(it),
            Raw::Never => Type::Never,
            Raw::Null => Type::Null,
            Raw::Number => Type::Number,
            Raw::Reference(name) => self.places.get(&name).map_or(Type::Any, |it| Type::Named(*it)),
            Raw::Text(format) => Type::Text(format),
            Raw::Tuple(items, rest) => {
                let numbered = items.into_iter().enumerate();
                let items = numbered.map(|(index, it)| self.lift(it, &format!("{hint}{index}"))).collect();
                Type::Tuple(items, rest.map(|it| Box::new(self.lift(*it, &format!("{hint}Item")))))
            }
            Raw::Object(object) if is_record(&object) => {
                let place = self.reserve(hint, Doc::default());
                let name = self.types[place].1.name.clone();
                let object = self.object(object, &name);
                self.types[place].1.shape = Shape::Object(object);
                Type::Named(place)
            }
            Raw::Object(object) => Type::Map(Box::new(match object.rest {
                Rest::Closed => Type::Never,
                Rest::Of(ty) => self.lift(*ty, &format!("{hint}Entry")),
                Rest::Open => Type::Any,
            })),
            Raw::Union(variants) => self.union(variants, hint),
        }
    }

    fn union(&mut self, variants: Vec<RawVariant>, hint: &str) -> Type {
        let mut lifted: Vec<Variant> = Vec::new();
        let common = common(&variants);
        for (index, variant) in variants.into_iter().enumerate() {
            let part = variant.title.clone().or_else(|| part(&variant.ty, &common)).map(|it| pascal(&it));
            let part = part.filter(|it| !it.is_empty()).unwrap_or_else(|| (index + 1).to_string());
            let before = self.types.len();
            let ty = self.lift(variant.ty, &format!("{hint}{part}"));
            // What is said of a variant is said of the type that was made for it.
            if let Type::Named(place) = &ty
                && *place == before
                && self.types[before].1.doc == Doc::default()
            {
                self.types[before].1.doc = variant.doc.clone();
            }
            let flat = match ty {
                Type::Union(inner) => inner,
                ty => vec![Variant { doc: variant.doc, ty }],
            };
            for variant in flat {
                if !lifted.iter().any(|it| it.ty == variant.ty) {
                    lifted.push(variant);
                }
            }
        }
        if lifted.iter().any(|it| it.ty == Type::Any) {
            return Type::Any;
        }
        lifted.retain(|it| it.ty != Type::Never);
        match <[Variant; 1]>::try_from(lifted) {
            Ok([one]) => one.ty,
            Err(none) if none.is_empty() => Type::Never,
            Err(many) => Type::Union(many),
        }
    }

    /// The type of a schema outside of the named ones.
    fn outside(&mut self, schema: &Value, at: &str, hint: &str) -> (Raw, Type) {
        match self.reader.read(schema, at) {
            Ok(raw) => (raw.clone(), self.lift(raw, hint)),
            Err(problem) => {
                self.problems.push(problem);
                (Raw::Any, Type::Any)
            }
        }
    }

    fn types_of(
        &mut self,
        at: &str,
        name: &str,
        schemas: [&Value; 3],
    ) -> (Option<(Raw, Type)>, Type, Option<Type>) {
        let [input, output, error] = schemas;
        let name = pascal(name);
        let mut one = |schema: &Value, part: &str, word: &str| {
            (!schema.is_null())
                .then(|| self.outside(schema, &format!("{at}/{part}"), &format!("{name}{word}")))
        };
        let input = one(input, "input", "Input");
        let output = one(output, "output", "Output").map_or(Type::Any, |it| it.1);
        (input, output, one(error, "error", "Error").map(|it| it.1))
    }

    fn command(&mut self, command: &manifest::Command) -> Command {
        let name = command.name.to_string();
        let schemas = [&command.input, &command.output, &command.error];
        let (input, output, error) = self.types_of(&format!("#/commands/{name}"), &name, schemas);
        let raws = &self.raws;
        let resolve = |raw: &Raw| {
            let mut raw = raw;
            while let Raw::Reference(name) = raw {
                let Some(target) = raws.get(name) else { break };
                raw = target;
            }
            raw.clone()
        };
        let raw = input.as_ref().map(|it| &it.0);
        let sending = sending(command, raw, self.reader.schemas, &resolve);
        let text = if command.description.is_empty() { &command.summary } else { &command.description };
        let auth = command.auth.clone();
        Command { name, doc: Doc::of(text), input: input.map(|it| it.1), output, error, sending, auth }
    }

    fn workflow(&mut self, workflow: &manifest::Workflow) -> Workflow {
        let name = workflow.name.to_string();
        let schemas = [&workflow.input, &workflow.output, &workflow.error];
        let (input, output, error) = self.types_of(&format!("#/workflows/{name}"), &name, schemas);
        Workflow { name, doc: Doc::of(&workflow.summary), input: input.map(|it| it.1), output, error }
    }

    fn message(&mut self, kind: &str, name: &str, summary: &str, payload: &Value) -> Message {
        let at = format!("#/{kind}/{name}/payload");
        let payload = match payload {
            Value::Null => Type::Any,
            schema => self.outside(schema, &at, &format!("{}Payload", pascal(name))).1,
        };
        Message { name: name.to_owned(), doc: Doc::of(summary), payload }
    }
}

/// Whether an object has fields, and is more than a map.
const fn is_record(object: &RawObject) -> bool {
    !object.fields.is_empty()
}

/// The fields that all variants have that are objects.
fn common(variants: &[RawVariant]) -> Vec<String> {
    let mut objects = variants.iter().filter_map(|it| match &it.ty {
        Raw::Object(object) => Some(object),
        _ => None,
    });
    let names = |object: &RawObject| object.fields.iter().map(|it| it.name.clone()).collect::<Vec<_>>();
    let (Some(first), Some(second)) = (objects.next(), objects.next()) else { return Vec::new() };
    let mut common = names(first);
    for object in [second].into_iter().chain(objects) {
        let names = names(object);
        common.retain(|it| names.contains(it));
    }
    common
}

/// What tells a variant from the others: its tag, or its only field that not all have.
fn part(ty: &Raw, common: &[String]) -> Option<String> {
    let Raw::Object(object) = ty else { return None };
    let tag = object.fields.iter().find_map(|it| match &it.ty {
        Raw::Literal(Literal::Text(tag)) if it.required => Some(tag.clone()),
        _ => None,
    });
    let mut own = object.fields.iter().filter(|it| it.required && !common.contains(&it.name));
    tag.or_else(|| match (own.next(), own.next()) {
        (Some(one), None) => Some(one.name.clone()),
        _ => None,
    })
}
