//! A service as generators see it: types that have a name, and what can be called. Every form that a JSON Schema has for
//! the same thing is one form here, so that a language is a matter of printing.

use std::collections::BTreeSet;

use eventual_schema::Auth;

use crate::docs::Doc;
use crate::sending::Sending;

/// A service.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Model {
    /// Name of the service: `orders-2`.
    pub(crate) service: String,
    /// The name, UpperCamelCase.
    pub(crate) title: String,
    /// Version of the service.
    pub(crate) version: String,
    /// All types. [`Type::Named`] points in here.
    pub(crate) types: Vec<Named>,
    /// The places in `types` in the order in which types are written.
    pub(crate) order: Vec<usize>,
    /// Commands, in the order of the manifest.
    pub(crate) commands: Vec<Command>,
    /// Workflows, in the order of the manifest.
    pub(crate) workflows: Vec<Workflow>,
    /// Signals, in the order of the manifest.
    pub(crate) signals: Vec<Message>,
    /// Events, in the order of the manifest.
    pub(crate) events: Vec<Message>,
}

/// A type with a name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Named {
    /// UpperCamelCase, unique, no reserved word of any language.
    pub(crate) name: String,
    /// What it is.
    pub(crate) doc: Doc,
    /// How it looks.
    pub(crate) shape: Shape,
}

/// How a named type looks.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    /// As another type.
    Alias(Type),
    /// An object with named fields.
    Object(Object),
}

/// An object with named fields.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Object {
    /// Its fields: those that must be there first, each group by name.
    pub(crate) fields: Vec<Field>,
    /// What other members are, when their type is declared.
    pub(crate) rest: Option<Type>,
    /// Whether there are no other members, so that having a field tells it from other objects.
    pub(crate) closed: bool,
}

/// A field of an object.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Field {
    /// Its name on the wire.
    pub(crate) name: String,
    /// What it is.
    pub(crate) doc: Doc,
    /// Its type.
    pub(crate) ty: Type,
    /// Whether it must be there.
    pub(crate) required: bool,
}

/// A type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Type {
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
    /// Values of one type by keys.
    Map(Box<Self>),
    /// A type with a name, by its place in [`Model::types`].
    Named(usize),
    /// No value at all.
    Never,
    /// `null`.
    Null,
    /// A number.
    Number,
    /// Text.
    Text(Format),
    /// Values of these types in order, and perhaps more of another type.
    Tuple(Vec<Self>, Option<Box<Self>>),
    /// One of these; two at least, none of them a union.
    Union(Vec<Variant>),
}

/// One of several types.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Variant {
    /// What it stands for.
    pub(crate) doc: Doc,
    /// Its type.
    pub(crate) ty: Type,
}

/// A value that is a type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Literal {
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// Text.
    Text(String),
}

/// What a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Format {
    /// Base64.
    Bytes,
    /// A day: `2026-11-21`.
    Date,
    /// A moment: `2026-11-21T15:50:00Z`.
    DateTime,
    /// Nothing in particular.
    Plain,
    /// A UUID.
    Uuid,
}

/// A command.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Command {
    /// Name on the wire.
    pub(crate) name: String,
    /// What it does.
    pub(crate) doc: Doc,
    /// Its input; absent when it takes none.
    pub(crate) input: Option<Type>,
    /// Its result.
    pub(crate) output: Type,
    /// The error that it declares.
    pub(crate) error: Option<Type>,
    /// How it is sent when not as RPC.
    pub(crate) sending: Option<Sending>,
    /// Who may call it, when the code says so.
    pub(crate) auth: Option<Auth>,
}

/// A workflow.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Workflow {
    /// Name on the wire.
    pub(crate) name: String,
    /// What it does.
    pub(crate) doc: Doc,
    /// Its input; absent when it takes none.
    pub(crate) input: Option<Type>,
    /// Its result.
    pub(crate) output: Type,
    /// The error that it declares.
    pub(crate) error: Option<Type>,
}

/// A signal or an event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Message {
    /// Name on the wire.
    pub(crate) name: String,
    /// What it says.
    pub(crate) doc: Doc,
    /// What is in it.
    pub(crate) payload: Type,
}

impl Model {
    /// What a client sees: the types of commands, workflows, signals and events.
    pub(crate) fn surface(&self) -> impl Iterator<Item = &Type> {
        fn all<'a>(
            input: &'a Option<Type>,
            output: &'a Type,
            error: &'a Option<Type>,
        ) -> impl Iterator<Item = &'a Type> {
            input.iter().chain([output]).chain(error)
        }
        let commands = self.commands.iter().flat_map(|it| all(&it.input, &it.output, &it.error));
        let workflows = self.workflows.iter().flat_map(|it| all(&it.input, &it.output, &it.error));
        let messages = self.signals.iter().chain(&self.events).map(|it| &it.payload);
        commands.chain(workflows).chain(messages)
    }

    /// The places of the types that the surface is made of.
    pub(crate) fn reached(&self) -> BTreeSet<usize> {
        let mut reached = BTreeSet::new();
        let mut open = Vec::new();
        self.surface().for_each(|it| it.named(&mut open));
        while let Some(place) = open.pop() {
            if reached.insert(place) {
                self.types[place].shape.types().for_each(|it| it.named(&mut open));
            }
        }
        reached
    }

    /// Whether `wanted` is a part of any type that is written.
    pub(crate) fn has(&self, wanted: &Type) -> bool {
        let mut found = false;
        let written = self.order.iter().flat_map(|it| self.types[*it].shape.types());
        self.surface().chain(written).for_each(|it| it.walk(&mut |part| found |= part == wanted));
        found
    }
}

impl Shape {
    /// The types of its parts.
    pub(crate) fn types(&self) -> impl Iterator<Item = &Type> {
        let (alias, object) = match self {
            Self::Alias(ty) => (Some(ty), None),
            Self::Object(object) => (None, Some(object)),
        };
        let fields =
            object.into_iter().flat_map(|it| it.fields.iter().map(|field| &field.ty).chain(&it.rest));
        alias.into_iter().chain(fields)
    }
}

impl Type {
    fn named(&self, into: &mut Vec<usize>) {
        self.walk(&mut |it| {
            if let Self::Named(place) = it {
                into.push(*place);
            }
        });
    }

    /// Looks at the type and every part of it, not into named ones.
    pub(crate) fn walk(&self, look: &mut dyn FnMut(&Self)) {
        look(self);
        match self {
            Self::List(inner) | Self::Map(inner) => inner.walk(look),
            Self::Tuple(items, rest) => {
                items.iter().for_each(|it| it.walk(look));
                rest.iter().for_each(|it| it.walk(look));
            }
            Self::Union(variants) => variants.iter().for_each(|it| it.ty.walk(look)),
            _ => {}
        }
    }
}
