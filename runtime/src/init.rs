//! What a service's `init` may return, and how it becomes the states that handlers take.
//!
//! `init` returns a value, a tuple of values, [`States`], nothing, or a `Result` of one of them. Which one is chosen by
//! method resolution in the generated code (`(&&&&Tag).kind()` takes the impl with the fewest dereferences away), because
//! traits alone cannot say "any type but a tuple".

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

pub use eventual_engine::States;

/// Runs a service's `init`.
pub type InitFn = fn() -> InitFuture;
/// The running `init`.
pub type InitFuture = Pin<Box<dyn Future<Output = Result<States, Box<dyn Error + Send + Sync>>> + Send>>;

/// The type of a value that `init` returned.
pub struct Tag<T>(PhantomData<T>);

impl<T> fmt::Debug for Tag<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tag")
    }
}

/// The tag of a value.
pub const fn tag<T>(_: &T) -> Tag<T> {
    Tag(PhantomData)
}

/// A value alone.
#[derive(Debug)]
pub struct One;
/// A tuple, [`States`], or nothing.
#[derive(Debug)]
pub struct Many;
/// A `Result` of a value alone.
#[derive(Debug)]
pub struct TryOne;
/// A `Result` of a tuple, [`States`], or nothing.
#[derive(Debug)]
pub struct TryMany;

impl One {
    /// The states.
    ///
    /// # Errors
    /// Never.
    pub fn states<T: Send + Sync + 'static>(self, value: T) -> Result<States, String> {
        let mut states = States::default();
        states.insert(Arc::new(value));
        Ok(states)
    }
}

impl Many {
    /// The states.
    ///
    /// # Errors
    /// Never.
    pub fn states<T: IntoStates>(self, value: T) -> Result<States, String> {
        Ok(value.into_states())
    }
}

impl TryOne {
    /// The states.
    ///
    /// # Errors
    /// What `init` said.
    pub fn states<T: Send + Sync + 'static, E: fmt::Display>(
        self,
        value: Result<T, E>,
    ) -> Result<States, String> {
        One.states(value.map_err(|error| error.to_string())?)
    }
}

impl TryMany {
    /// The states.
    ///
    /// # Errors
    /// What `init` said.
    pub fn states<T: IntoStates, E: fmt::Display>(self, value: Result<T, E>) -> Result<States, String> {
        Ok(value.map_err(|error| error.to_string())?.into_states())
    }
}

macro_rules! kinds {
    ($($trait:ident, $kind:ident, $for:ty, [$($generics:tt)*];)*) => {$(
        #[doc = concat!("Chooses `", stringify!($kind), "`.")]
        pub trait $trait {
            /// The kind.
            fn kind(&self) -> $kind {
                $kind
            }
        }
        impl<$($generics)*> $trait for $for {}
    )*};
}

kinds! {
    OneKind, One, Tag<T>, [T];
    ManyKind, Many, &Tag<T>, [T: IntoStates];
    TryOneKind, TryOne, &&Tag<Result<T, E>>, [T, E];
    TryManyKind, TryMany, &&&Tag<Result<T, E>>, [T: IntoStates, E];
}

/// Several states: tuples of up to eight values, [`States`], or nothing.
pub trait IntoStates {
    /// The states.
    fn into_states(self) -> States;
}

impl IntoStates for States {
    fn into_states(self) -> States {
        self
    }
}

impl IntoStates for () {
    fn into_states(self) -> States {
        States::default()
    }
}

macro_rules! tuples {
    ($(($($name:ident)+))*) => {$(
        impl<$($name: Send + Sync + 'static),+> IntoStates for ($($name,)+) {
            fn into_states(self) -> States {
                #[expect(non_snake_case, reason = "one name for type and value")]
                let ($($name,)+) = self;
                let mut states = States::default();
                $(states.insert(Arc::new($name));)+
                states
            }
        }
    )*};
}

tuples! { (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H) }

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! states {
        ($value:expr) => {{
            let value = $value;
            (&&&&tag(&value)).kind().states(value)
        }};
    }

    #[test]
    fn every_form_becomes_states() {
        struct Db(u8);
        assert_eq!(states!(Db(1)).unwrap().get::<Db>().unwrap().0, 1);
        let two = states!((Db(2), "x".to_owned())).unwrap();
        assert_eq!((two.get::<Db>().unwrap().0, two.get::<String>().unwrap().as_str()), (2, "x"));
        assert_eq!(states!(Ok::<_, String>(Db(3))).unwrap().get::<Db>().unwrap().0, 3);
        assert_eq!(states!(Ok::<_, String>((Db(4), 0_u8))).unwrap().get::<Db>().unwrap().0, 4);
        assert_eq!(*states!(Some(5_u8)).unwrap().get::<Option<u8>>().unwrap(), Some(5));
        assert_eq!(states!(Err::<Db, _>("no database")).unwrap_err(), "no database");
        assert!(states!(()).unwrap().get::<()>().is_none());
    }
}
