//! VMDK, streamOptimized (VMware "Virtual Disk Format 5.0", sections "Hosted Sparse Extents" and "Stream-Optimized
//! Compressed Sparse Extents").
//!
//! Importers read it from front to end and take the first sector of zeros for its end: nothing may stand behind the
//! end-of-stream marker, and nothing before it may look like one.

mod read;
mod write;

pub use read::{Shape, read};
pub use write::write;

#[cfg(test)]
mod tests;
