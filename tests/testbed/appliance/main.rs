//! The appliance on boards of several hypervisors: what first boots, updates and accidents do to it.
//!
//! Tests need the image that `VIGIE_IMAGE` names, root, and the folders that `images/builder.sh` and `peers/guest.sh`
//! make; without, each says so and passes. `make image-test` runs all of them.

mod boots;
mod builds;
mod stage;
mod traffic;
mod updates;
