//! Words made of fields, as the register tables of the specification draw them.

/// Declares a 32-bit word with a getter and a `with_` setter for each field.
///
/// `name with_name 5;` is the flag in bit 5; `name with_name 5 + 12;` is the twelve bits from bit 5 on. A setter keeps
/// what fits; bits without a field survive a round trip.
macro_rules! bits {
    ($(#[$about:meta])* $name:ident { $($(#[$said:meta])* $get:ident $with:ident $low:literal $(+ $width:literal)?;)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
        pub struct $name(pub u32);

        impl $name {
            $(bits! { @field [$(#[$said])*] $get $with $low $(+ $width)? })*
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let mut list = f.debug_struct(stringify!($name));
                $(list.field(stringify!($get), &self.$get());)*
                list.finish()
            }
        }
    };
    (@field [$(#[$said:meta])*] $get:ident $with:ident $low:literal) => {
        $(#[$said])*
        #[must_use]
        pub const fn $get(self) -> bool {
            self.0 & (1 << $low) != 0
        }

        #[doc = concat!("With `", stringify!($get), "` on or off.")]
        #[must_use]
        pub const fn $with(self, on: bool) -> Self {
            Self(if on { self.0 | (1 << $low) } else { self.0 & !(1 << $low) })
        }
    };
    (@field [$(#[$said:meta])*] $get:ident $with:ident $low:literal + $width:literal) => {
        $(#[$said])*
        #[must_use]
        pub const fn $get(self) -> u32 {
            (self.0 >> $low) & ((1 << $width) - 1)
        }

        #[doc = concat!("With `", stringify!($get), "` set to what fits of `value`.")]
        #[must_use]
        pub const fn $with(self, value: u32) -> Self {
            const MASK: u32 = ((1 << $width) - 1) << $low;
            Self(self.0 & !MASK | (value << $low) & MASK)
        }
    };
}

pub(crate) use bits;
