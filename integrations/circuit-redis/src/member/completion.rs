//! The results of the work that the task waits for.

use std::sync::Arc;

use circuit_runtime::remote::Probed;
use redis::PushInfo;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::connection::endpoint::Dialed;
use crate::error::Reason;
use crate::scripts::Request;
use crate::scripts::answer::Answer;

/// The result of work that has ended.
pub(crate) enum Completion {
    Dialed {
        /// The number of the connection.
        number: u64,
        dialed: Result<Dialed, Reason>,
        pushes: UnboundedReceiver<PushInfo>,
    },
    Answered {
        number: u64,
        request: Request,
        answer: Result<Answer, Reason>,
    },
    Probed {
        name: Arc<str>,
        token: Arc<str>,
        probed: Probed,
    },
}
