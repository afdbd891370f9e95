//! The verdict on the result of a service.

mod classifier;
mod errors;
mod grpc;
mod http_status;
mod reached;
mod retry_after;

pub use classifier::Classify;
pub use errors::Errors;
pub use grpc::Grpc;
pub use http_status::HttpStatus;
