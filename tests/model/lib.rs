//! Model: a software NIC, its physical function and a virtual function of it.
//!
//! Gives: configuration space, registers, mailbox, virtchnl, filters, RSS, receive and transmit, resets, and a plan of
//! faults. Depends on: `frame`, `device` (the bus alone), `avf`.
//! Will never know: a driver, a clock (time is an argument), or chance (a seed is an argument).

#![forbid(unsafe_code)]
