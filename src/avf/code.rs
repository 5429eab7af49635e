//! Codes from outside: open enums, where the unknown prints and survives.

/// Makes a newtype over a raw code, with a constant and a name for each value its specification knows.
macro_rules! codes {
    ($(#[$meta:meta])* $name:ident($raw:ty) { $($constant:ident = $value:literal, $text:literal;)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub $raw);

        impl $name {
            $(
                #[doc = $text]
                pub const $constant: Self = Self($value);
            )*

            /// Every value that has a name.
            pub const KNOWN: &[Self] = &[$(Self::$constant),*];

            /// The specification's name, where it has one.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some(stringify!($constant)),)*
                    _ => None,
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{} ({})", self.name().unwrap_or("unknown"), self.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{self}")
            }
        }
    };
}

pub(crate) use codes;
