//! The connection to the store: how it is made, kept and found lost.

pub(crate) mod endpoint;
pub(crate) mod pushes;
pub(crate) mod supervisor;

use redis::ScriptInvocation;
use redis::aio::MultiplexedConnection;

use crate::error::Reason;
use crate::scripts::SCHEMA;
use crate::scripts::answer::Answer;

/// A connection that many requests share. A clone is another handle to it.
#[derive(Clone)]
pub(crate) enum Connection {
    Single(MultiplexedConnection),
    #[cfg(feature = "cluster")]
    Cluster(redis::cluster_async::ClusterConnection),
}

impl Connection {
    /// Runs a script. One that the store has forgotten is loaded once.
    pub(crate) async fn run(&mut self, call: &ScriptInvocation<'_>) -> Result<Answer, Reason> {
        let lines: Result<Vec<String>, _> = match self {
            Self::Single(connection) => call.invoke_async(connection).await,
            #[cfg(feature = "cluster")]
            Self::Cluster(connection) => call.invoke_async(connection).await,
        };
        let lines = lines.map_err(|error| Reason::from_redis(&error, SCHEMA))?;
        Answer::parse(&lines).ok_or_else(|| {
            let first = lines.into_iter().next().unwrap_or_default();
            Reason::Malformed(first.into())
        })
    }

    pub(crate) async fn subscribe(&mut self, channel: &str) -> Result<(), Reason> {
        let subscribed = match self {
            Self::Single(connection) => connection.subscribe(channel).await,
            #[cfg(feature = "cluster")]
            Self::Cluster(connection) => connection.subscribe(channel).await,
        };
        subscribed.map_err(|error| Reason::from_redis(&error, SCHEMA))
    }
}
