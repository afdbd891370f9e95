//! The code of the README, compiled as its readers would compile it.

#![doc = include_str!("../README.md")]
