//! Orders of operators: what they ask for, and what became of them.

mod action;
mod book;
mod request;

pub use action::{Action, Order};
pub(crate) use book::{Book, Record};
pub(crate) use request::{Invalid, read};
