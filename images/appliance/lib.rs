//! Appliance: the machine around the sensor, for images that are imported and never installed.
//!
//! Gives: [`provision`] (what a machine was given becomes its configuration), [`prepare`] (what capturing needs of root),
//! [`console`] (the page on a screen or a serial line), [`support`] (what somebody needs who is to help).
//! Depends on: sensor (the catalogue of keys), capture (the system's view of virtual functions).
//! Will never know: frames, flows, the running sensor but through what it is handed. Everything is read and written below
//! a root folder, and every foreign command goes through one door, so that a made-up machine serves a test.

#![forbid(unsafe_code)]

pub mod console;
pub mod document;
mod hands;
mod nic;
mod place;
pub mod prepare;
mod problem;
pub mod provision;
pub mod source;
pub mod support;

pub use hands::{Hands, Machine};
pub use nic::Nic;
pub use place::Place;
pub use problem::Problem;
