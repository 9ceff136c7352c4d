//! What a handler may take besides its input. The macros tell these types by their names.

use std::any::type_name;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use eventual_core::Outcome;
use eventual_engine::{HandlerContext, Worker};
use serde::de::DeserializeOwned;

use crate::codec;
use crate::error::{Error, Result};
use crate::execution::Execution;

/// A value that the service's `init` built, looked up by its type. Cheap to clone.
pub struct State<T>(Arc<T>);

impl<T> State<T> {
    /// A state, for calling a handler's helpers in tests.
    pub fn new(value: T) -> Self {
        Self(Arc::new(value))
    }
}

impl<T> Clone for State<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Deref for State<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for State<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "State<{}>", type_name::<T>())
    }
}

/// What is known of the call that a handler serves.
#[derive(Clone, Debug)]
pub struct Ctx {
    context: HandlerContext,
}

impl Ctx {
    /// Name of the handler that runs, as it is on the wire: `placeOrder`.
    #[must_use]
    pub fn handler(&self) -> &str {
        &self.context.handler
    }

    /// The same for every attempt of a task's call, and for no other call, also not for one of a later execution that is given
    /// the same name: pass it on to whatever must happen once.
    /// Empty in commands and subscriptions.
    #[must_use]
    pub fn idempotency_key(&self) -> &str {
        &self.context.idempotency_key
    }

    /// Number of the attempt, from 1.
    #[must_use]
    pub const fn attempt(&self) -> u32 {
        self.context.attempt
    }

    /// The execution that called the task; `None` in commands and subscriptions.
    #[must_use]
    pub fn execution(&self) -> Option<Execution> {
        self.context.execution.clone().map(Execution::from_id)
    }

    pub(crate) const fn worker(&self) -> Option<&Arc<Worker>> {
        self.context.worker.as_ref()
    }

    /// When the call was made.
    #[must_use]
    pub fn scheduled(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(self.context.scheduled)
    }
}

/// Who called a command, as the authorizer of its `auth` found out. A command that takes it answers 401 to callers
/// that nobody vouches for; take `Option<User>` to serve them too.
#[derive(Clone, Debug)]
pub struct User {
    user: eventual_engine::User,
}

impl User {
    /// `sub` of the token, or the ARN of the signer.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.user.subject
    }

    /// The claims that the authorizer vouches for.
    ///
    /// # Errors
    /// When the claims are of another shape than `T`.
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T> {
        codec::decode(&eventual_core::Payload::from(self.user.claims_json.as_str())).map_err(|problem| {
            Error::new("UnexpectedClaims", format!("the claims of {}: {problem}", self.subject()))
                .with_status(403)
        })
    }
}

mod sealed {
    pub trait Sealed {}
    impl<T> Sealed for super::State<T> {}
    impl Sealed for super::Ctx {}
    impl Sealed for crate::completion::Completion {}
    impl Sealed for super::User {}
    impl Sealed for Option<super::User> {}
}

/// What a handler may take besides its input: [`State`], [`Ctx`], [`Completion`](crate::Completion), [`User`] and
/// `Option<User>`.
#[diagnostic::on_unimplemented(
    message = "a handler cannot take `{Self}`",
    label = "is neither eventual::State, eventual::Ctx nor eventual::User",
    note = "arguments of these names are taken for eventual's: write your own type with its path, `crate::User`, or import eventual's"
)]
pub trait Extract: sealed::Sealed + Sized {
    /// Takes it from the context.
    #[doc(hidden)]
    fn extract(context: &HandlerContext) -> std::result::Result<Self, Outcome>;
}

impl<T: Send + Sync + 'static> Extract for State<T> {
    fn extract(context: &HandlerContext) -> std::result::Result<Self, Outcome> {
        context.states.get::<T>().map(Self).ok_or_else(|| {
            let name = type_name::<T>();
            Outcome::Crashed(format!(
                "there is no state {name}: the function that `eventual::main!(..., init = ...)` names must return it, \
                 alone or in a tuple"
            ))
        })
    }
}

impl Extract for Ctx {
    fn extract(context: &HandlerContext) -> std::result::Result<Self, Outcome> {
        Ok(Self { context: context.clone() })
    }
}

impl Extract for User {
    fn extract(context: &HandlerContext) -> std::result::Result<Self, Outcome> {
        let nobody =
            || Error::new("Unauthenticated", "this command needs an authenticated caller").with_status(401);
        context.user.clone().map(|user| Self { user }).ok_or_else(|| nobody().into_outcome())
    }
}

impl Extract for Option<User> {
    fn extract(context: &HandlerContext) -> std::result::Result<Self, Outcome> {
        Ok(context.user.clone().map(|user| User { user }))
    }
}
