//! Vectors, their throttles, and when completed descriptors are posted (reference section 12.4).
