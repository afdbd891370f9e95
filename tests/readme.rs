//! The code of the READMEs, compiled as their readers compile it.

#![doc = include_str!("../README.md")]
#![doc = include_str!("../circuit-runtime/README.md")]
