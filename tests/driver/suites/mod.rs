//! What the driver must stand, against the model.

mod bring_up;
mod chance;
mod descriptors;
mod faults;
mod frames;
mod hostile;
mod large;
mod resets;
mod spreading;
mod steering;
mod threads;

use model::Persona;

/// Every kind of function: X710 and X722 for one driver, E810 for the other. What a suite says of one it says of all.
fn personas() -> [Persona; 3] {
    [Persona::i40e(), Persona::x722(), Persona::ice()]
}
