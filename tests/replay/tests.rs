//! Suites over the real binary. Those that need public captures look for them in `VIGIE_CORPORA` and say so without it.

#![forbid(unsafe_code)]

mod suites {
    mod accord;
    mod bundled;
    mod community;
    mod corpora;
    mod determinism;
    mod faults;
    mod flood;
    mod ja4;
    mod mirror;
    mod packets;
    mod signals;
}
