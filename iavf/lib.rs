//! iavf: the driver for virtual functions of Intel X710, XL710, XXV710 and X722.
//!
//! Gives: bring-up, receive queues as [`frame::RxQueue`], transmit, resets and recovery of one virtual function.
//! Depends on: `frame`, `device`, `avf`.
//! Will never know: how the function is reached (VFIO, socket, model), what a clock is, flows or settings files.

#![forbid(unsafe_code)]
