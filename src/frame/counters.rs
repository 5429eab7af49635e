//! Counters as a catalogue: each room declares its own, each with the text that users read.

/// One counter as it is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counter {
    /// Dotted name, room first: `decode.ipv4`.
    pub name: &'static str,
    /// One sentence.
    pub text: &'static str,
    /// Value now.
    pub value: u64,
}

/// Declares a struct of `u64` counters with name and text for each.
///
/// ```
/// frame::counters! {
///     /// What the door counts.
///     pub struct Door("door") {
///         /// How often it opened.
///         opened: "times the door was opened",
///     }
/// }
/// let mut door = Door::default();
/// door.opened += 2;
/// let mut seen = Vec::new();
/// door.each(&mut |c| seen.push((c.name, c.value)));
/// assert_eq!(seen, [("door.opened", 2)]);
/// ```
#[macro_export]
macro_rules! counters {
    ($(#[$meta:meta])* $vis:vis struct $name:ident($room:literal) {
        $($(#[$fmeta:meta])* $field:ident : $text:literal,)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        $vis struct $name {
            $(#[doc = $text] $(#[$fmeta])* pub $field: u64,)*
        }
        impl $name {
            /// Shows every counter, in catalogue order.
            pub fn each(&self, show: &mut dyn FnMut($crate::Counter)) {
                $(show($crate::Counter {
                    name: concat!($room, ".", stringify!($field)),
                    text: $text,
                    value: self.$field,
                });)*
            }
            /// Adds another worker's counters.
            pub fn add(&mut self, other: &Self) {
                $(self.$field += other.$field;)*
            }
        }
    };
}
