//! What the driver must stand, against the model.

mod bring_up;
mod chance;
mod faults;
mod frames;
mod hostile;
mod resets;
mod threads;
