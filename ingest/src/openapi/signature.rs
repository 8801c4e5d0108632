//! What the signature of a handler says of its operation.

use super::Operation;
use crate::door::Shared;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use serde_json::Value;

/// An argument of a handler: something of the request.
pub(crate) trait Input {
    /// Tells what must or may be sent for it; nothing, unless it says otherwise.
    fn describe(_: &mut Operation<'_>) {}
}

/// What a handler gives.
pub(crate) trait Output {
    /// Tells what is answered.
    fn describe(operation: &mut Operation<'_>);
}

/// A handler with `Arguments`, as a tuple.
pub(crate) trait Handler<Arguments> {
    /// Tells what its arguments and its output tell.
    fn describe(&self, operation: &mut Operation<'_>);
}

macro_rules! handlers {
    ($(($($argument:ident)*))*) => {$(
        impl<F, Given, Answer, $($argument),*> Handler<($($argument,)*)> for F
        where
            F: Fn($($argument),*) -> Given,
            Given: Future<Output = Answer>,
            Answer: Output,
            $($argument: Input,)*
        {
            fn describe(&self, operation: &mut Operation<'_>) {
                $($argument::describe(operation);)*
                Answer::describe(operation);
            }
        }
    )*};
}

handlers! { () (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E G) }

impl<A: Input, B: Input> Input for (A, B) {
    fn describe(operation: &mut Operation<'_>) {
        A::describe(operation);
        B::describe(operation);
    }
}

impl Input for State<Shared> {}

impl Input for HeaderMap {}

/// Whatever is sent.
impl Input for Body {
    fn describe(operation: &mut Operation<'_>) {
        operation.takes::<Value>();
    }
}

impl<T: Output, E> Output for Result<T, E> {
    fn describe(operation: &mut Operation<'_>) {
        T::describe(operation);
    }
}
