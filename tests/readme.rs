//! The code of the README, compiled as its readers compile it.

#![doc = include_str!("../README.md")]
