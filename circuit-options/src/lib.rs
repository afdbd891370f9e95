//! Support code of [`circuit-runtime`] and its attribute: the names, values and rules of the
//! options, which both of them read. Depend on `circuit-runtime`, not on this crate: its items
//! change with any release.
//!
//! - [`names`]: the options,
//! - [`aliases`]: their names in other libraries,
//! - [`places`]: where they are written, in code or in a file,
//! - [`suggest`]: the option that a misspelled word stands for,
//! - [`kinds`] and [`values`]: what an option takes, and its value,
//! - [`durations`] and [`rates`]: values that are written as text,
//! - [`defaults`]: the values of options that are not written,
//! - [`settings`]: the values, as far as they are known,
//! - [`rules`]: which values are valid, alone and together,
//! - [`written`]: values as they are written, and what they mean.
//!
//! # Examples
//!
//! ```
//! use circuit_options::names::OptionName;
//! use circuit_options::rules::Rule;
//! use circuit_options::settings::{Setting, Settings};
//!
//! let mut settings = Settings::NONE;
//! settings.failure_rate = Setting::Known(0.5);
//!
//! assert!(Rule::FailureRateWithoutWindow.is_broken(&settings));
//! assert_eq!(Rule::FailureRateWithoutWindow.option(&settings), OptionName::FailureRate);
//! ```
//!
//! [`circuit-runtime`]: https://docs.rs/circuit-runtime

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod aliases;
pub mod defaults;
pub mod durations;
pub mod kinds;
pub mod names;
pub mod places;
pub mod rates;
pub mod rules;
pub mod settings;
pub mod suggest;
pub mod values;
pub mod written;
