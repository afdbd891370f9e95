//! A real HTTP service that can fail in three ways.

use std::fmt;
use std::future::pending;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::clients::Client;
use crate::log::Log;
use crate::scenario::WORK;

/// The number of connections that may wait to be accepted.
const BACKLOG: u32 = 1024;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    Healthy,
    /// Connections are refused.
    Refusing,
    /// Every response has status 500.
    Failing,
    /// Requests are accepted but never answered.
    Hanging,
}

impl Condition {
    pub(crate) const OUTAGES: [Self; 3] = [Self::Refusing, Self::Failing, Self::Hanging];
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Healthy => "is healthy",
            Self::Refusing => "refuses connections",
            Self::Failing => "answers 500",
            Self::Hanging => "hangs",
        })
    }
}

/// A request that reached the service.
#[derive(Clone, Copy)]
pub(crate) struct Hit {
    pub(crate) client: Client,
    pub(crate) condition: Condition,
}

pub(crate) struct Service {
    address: SocketAddr,
    listener: TcpListener,
    handler: Handler,
}

impl Service {
    /// Creates a service on a free loopback port. It accepts connections at once, and responds once
    /// it [runs](Self::run).
    pub(crate) fn new(condition: watch::Receiver<Condition>, hits: Log<Hit>) -> io::Result<Self> {
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let listener = reserve(any_port)?.listen(BACKLOG)?;
        Ok(Self {
            address: listener.local_addr()?,
            listener,
            handler: Handler { condition, hits },
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Follows the condition until its sender is dropped.
    pub(crate) async fn run(self) -> io::Result<()> {
        let mut condition = self.handler.condition.clone();
        let mut listener = self.listener;
        loop {
            axum::serve(listener, self.handler.router())
                .with_graceful_shutdown(until_refusing(condition.clone()))
                .await?;
            let socket = reserve(self.address)?;
            if condition
                .wait_for(|now| *now != Condition::Refusing)
                .await
                .is_err()
            {
                return Ok(());
            }
            listener = socket.listen(BACKLOG)?;
        }
    }
}

/// Holds a port without listening on it. Connections are refused, and the system gives the port to
/// no other socket, such as the local end of a client's connection.
fn reserve(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    // Connections of the previous listener may linger on the port.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

async fn until_refusing(mut condition: watch::Receiver<Condition>) {
    // An error means that the sender is dropped and the run is over.
    let _ = condition.wait_for(|now| *now == Condition::Refusing).await;
}

/// Handles requests.
#[derive(Clone)]
struct Handler {
    condition: watch::Receiver<Condition>,
    hits: Log<Hit>,
}

impl Handler {
    /// Routes one path per client, which tells their requests apart.
    fn router(&self) -> Router {
        Client::BOTH
            .into_iter()
            .fold(Router::new(), |router, client| {
                let handler = self.clone();
                router.route(client.path(), get(move || handler.answer(client)))
            })
    }

    async fn answer(self, client: Client) -> StatusCode {
        let condition = *self.condition.borrow();
        self.hits.push(Hit { client, condition });
        match condition {
            // Refusing: the request was accepted just before the port was closed.
            Condition::Healthy | Condition::Refusing => {
                sleep(WORK).await;
                StatusCode::OK
            }
            Condition::Failing => StatusCode::INTERNAL_SERVER_ERROR,
            Condition::Hanging => pending().await,
        }
    }
}
