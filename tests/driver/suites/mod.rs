//! What the driver must stand, against the model.

mod bring_up;
mod frames;
mod resets;
