//! Access: which requests are answered, and whose orders are carried out.

mod actor;
mod host;
mod limit;
mod origin;
mod token;

pub use actor::{Actor, Denied};
pub(crate) use host::{Hosts, Misdirected};
pub(crate) use limit::Limit;
pub(crate) use origin::{is_from_elsewhere, order_refusal};
pub(crate) use token::Token;
