//! Types that are said to be two things at once: fields that are flattened into an object, tags that are added to a variant,
//! alternatives beside common fields. They become one type here, because not every language can say "both".

use crate::error::Problem;
use crate::model::{Format, Literal};
use crate::raw::{Raw, RawField, RawObject, RawVariant, Reader, Rest};

impl Reader<'_> {
    /// The values that are of both types.
    pub(crate) fn both(&mut self, one: Raw, other: Raw, at: &str) -> Result<Raw, Problem> {
        if one == other {
            return Ok(one);
        }
        Ok(match (one, other) {
            (Raw::Any, it) | (it, Raw::Any) => it,
            (Raw::Never, _) | (_, Raw::Never) => Raw::Never,
            // An object of which nothing more is said narrows no reference to an object.
            (Raw::Object(object), Raw::Reference(name)) | (Raw::Reference(name), Raw::Object(object))
                if object.says_nothing() && self.is_object(&name, at)? =>
            {
                Raw::Reference(name)
            }
            (Raw::Reference(name), it) => {
                self.with_named(name, it, |reader, named, it| reader.both(named, it, at), at)?
            }
            (it, Raw::Reference(name)) => {
                self.with_named(name, it, |reader, named, it| reader.both(it, named, at), at)?
            }
            (Raw::Union(variants), it) => {
                self.each(variants, |reader, ty| reader.both(ty, it.clone(), at))?
            }
            (it, Raw::Union(variants)) => {
                self.each(variants, |reader, ty| reader.both(it.clone(), ty, at))?
            }
            (Raw::Object(one), Raw::Object(other)) => Raw::Object(self.members(one, other, at)?),
            (Raw::List(one), Raw::List(other)) => Raw::List(Box::new(self.both(*one, *other, at)?)),
            (Raw::List(_), tuple @ Raw::Tuple(..)) | (tuple @ Raw::Tuple(..), Raw::List(_)) => tuple,
            (Raw::Text(Format::Plain), it @ Raw::Text(_)) | (it @ Raw::Text(_), Raw::Text(_)) => it,
            (Raw::Integer, Raw::Number) | (Raw::Number, Raw::Integer) => Raw::Integer,
            (Raw::Literal(literal), ty) | (ty, Raw::Literal(literal)) if fits(&literal, &ty) => {
                Raw::Literal(literal)
            }
            _ => Raw::Never,
        })
    }

    /// Narrows a named type by another one, unless that is what it is at already.
    fn with_named(
        &mut self,
        name: String,
        other: Raw,
        narrow: impl FnOnce(&mut Self, Raw, Raw) -> Result<Raw, Problem>,
        at: &str,
    ) -> Result<Raw, Problem> {
        let target = self.named(&name, at)?;
        let pair = (Raw::Reference(name), other);
        if self.narrowing.contains(&pair) {
            let (Raw::Reference(name), _) = pair else { return Ok(Raw::Never) };
            let message = format!(
                "schema `{name}` is combined with another that refers to itself as well: write one schema that says both"
            );
            return Err(Problem::new(at, message));
        }
        let other = pair.1.clone();
        self.narrowing.push(pair);
        let both = narrow(self, target, other);
        self.narrowing.pop();
        both
    }

    fn each(
        &mut self,
        variants: Vec<RawVariant>,
        mut narrow: impl FnMut(&mut Self, Raw) -> Result<Raw, Problem>,
    ) -> Result<Raw, Problem> {
        let mut left = Vec::new();
        for RawVariant { title, doc, ty } in variants {
            let ty = narrow(self, ty)?;
            if ty != Raw::Never {
                left.push(RawVariant { title, doc, ty });
            }
        }
        Ok(match left.len() {
            0 => Raw::Never,
            _ => crate::raw::one_or_union(left),
        })
    }

    fn members(&mut self, one: RawObject, other: RawObject, at: &str) -> Result<RawObject, Problem> {
        let mut fields = one.fields;
        for field in other.fields {
            let Some(known) = fields.iter_mut().find(|it| it.name == field.name) else {
                fields.push(field);
                continue;
            };
            known.ty = self.both(known.ty.clone(), field.ty, at)?;
            known.required |= field.required;
            if known.doc.text.is_empty() {
                known.doc = field.doc;
            }
        }
        fields.sort_by(|a: &RawField, b| a.name.cmp(&b.name));
        let rest = match (one.rest, other.rest) {
            (Rest::Open, it) | (it, Rest::Open) => it,
            (Rest::Closed, _) | (_, Rest::Closed) => Rest::Closed,
            (Rest::Of(one), Rest::Of(other)) => Rest::Of(Box::new(self.both(*one, *other, at)?)),
        };
        Ok(RawObject { fields, rest })
    }

    fn is_object(&mut self, name: &str, at: &str) -> Result<bool, Problem> {
        fn all(ty: &Raw) -> bool {
            match ty {
                Raw::Object(_) => true,
                Raw::Union(variants) => variants.iter().all(|it| all(&it.ty)),
                _ => false,
            }
        }
        Ok(all(&self.named(name, at)?))
    }
}

impl RawObject {
    const fn says_nothing(&self) -> bool {
        self.fields.is_empty() && matches!(self.rest, Rest::Open)
    }
}

fn fits(literal: &Literal, ty: &Raw) -> bool {
    matches!(
        (literal, ty),
        (Literal::Boolean(_), Raw::Boolean)
            | (Literal::Integer(_), Raw::Integer | Raw::Number)
            | (Literal::Text(_), Raw::Text(_))
    )
}
