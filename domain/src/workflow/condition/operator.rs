//! How a rule compares.

use serde::{Deserialize, Serialize};

macro_rules! operators {
    ($($(#[$doc:meta])* $name:ident = $wire:literal),+ $(,)?) => {
        /// How a rule compares. What happens when types do not fit is told in
        /// [`super::evaluate`].
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Operator {
            $($(#[$doc])* $name,)+
        }

        impl Operator {
            /// Every operator.
            pub const ALL: &'static [Operator] = &[$(Operator::$name),+];

            /// The name in the compiled form that public clients read and write.
            ///
            /// A trap: `$exists` is [`Operator::IsNotNull`] and `$doesNotExist` is
            /// [`Operator::IsNull`]; the operators that people see as "exists" and "does not
            /// exist" came later and are `$isNotUndefinedOrNull` and `$isUndefinedOrNull`.
            pub fn wire(self) -> &'static str {
                match self {
                    $(Operator::$name => $wire,)+
                }
            }

            /// The operator of a name in the compiled form. `$none` (a rule that is not finished)
            /// and `$arrayIsIn`, `$arrayIsNotIn`, which no condition can hold, are none.
            pub fn from_wire(wire: &str) -> Option<Self> {
                match wire {
                    $($wire => Some(Operator::$name),)+
                    _ => None,
                }
            }
        }
    };
}

operators! {
    /// Text contains text, or an array has an item.
    Contains = "$stringContains",
    /// Not [`Operator::Contains`].
    DoesNotContain = "$stringDoesNotContain",
    /// Text is text.
    ExactlyMatches = "$stringExactlyMatches",
    /// Not [`Operator::ExactlyMatches`].
    DoesNotExactlyMatch = "$stringDoesNotExactlyMatch",
    /// Text is one of a list.
    IsIn = "$stringIsIn",
    /// Not [`Operator::IsIn`].
    IsNotIn = "$stringIsNotIn",
    /// Text starts with text.
    StartsWith = "$stringStartsWith",
    /// Not [`Operator::StartsWith`].
    DoesNotStartWith = "$stringDoesNotStartWith",
    /// Text ends with text.
    EndsWith = "$stringEndsWith",
    /// Not [`Operator::EndsWith`].
    DoesNotEndWith = "$stringDoesNotEndWith",
    /// Text comes later in the order of code points.
    SortsAfter = "$stringGreaterThan",
    /// Text comes earlier in the order of code points.
    SortsBefore = "$stringLessThan",
    /// Number is greater.
    GreaterThan = "$numberGreaterThan",
    /// Number is less.
    LessThan = "$numberLessThan",
    /// Number is greater or equal.
    AtLeast = "$numberGreaterThanOrEqualTo",
    /// Number is less or equal.
    AtMost = "$numberLessThanOrEqualTo",
    /// Number is equal.
    Equals = "$numberEquals",
    /// Not [`Operator::Equals`].
    DoesNotEqual = "$numberDoesNotEqual",
    /// Moment is later.
    After = "$dateTimeAfter",
    /// Moment is earlier.
    Before = "$dateTimeBefore",
    /// Moment is the same.
    DateEquals = "$dateTimeEquals",
    /// Is `true`.
    IsTrue = "$booleanTrue",
    /// Is `false`.
    IsFalse = "$booleanFalse",
    /// Not [`Operator::IsNull`]; holds for what is not there.
    IsNotNull = "$exists",
    /// Is there, and `null`.
    IsNull = "$doesNotExist",
    /// Is there and not `null`.
    Exists = "$isNotUndefinedOrNull",
    /// Not [`Operator::Exists`].
    DoesNotExist = "$isUndefinedOrNull",
    /// The array has no items.
    IsEmpty = "$arrayIsEmpty",
    /// Not [`Operator::IsEmpty`].
    IsNotEmpty = "$arrayIsNotEmpty",
}
