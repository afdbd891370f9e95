//! A real HTTP service, which goes down in the ways that services do.

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

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    Healthy,
    /// Nobody listens on the port.
    Refusing,
    /// Every answer is a 500.
    Failing,
    /// Requests are accepted and never answered.
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

/// A request that reached the service during an outage.
#[derive(Clone, Copy)]
pub(crate) struct Hit {
    pub(crate) client: Client,
    pub(crate) condition: Condition,
}

pub(crate) struct Service {
    address: SocketAddr,
    listener: TcpListener,
    desk: Desk,
}

impl Service {
    /// A service on a loopback port that the system chooses. It accepts connections at once, and
    /// answers when it [runs](Self::run).
    pub(crate) fn new(condition: watch::Receiver<Condition>, hits: Log<Hit>) -> io::Result<Self> {
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let listener = reserve(any_port)?.listen(BACKLOG)?;
        Ok(Self {
            address: listener.local_addr()?,
            listener,
            desk: Desk { condition, hits },
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Follows the condition until nobody can change it any more.
    pub(crate) async fn run(self) -> io::Result<()> {
        let mut condition = self.desk.condition.clone();
        let mut listener = self.listener;
        loop {
            axum::serve(listener, self.desk.router())
                .with_graceful_shutdown(closing_time(condition.clone()))
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

/// Holds a port without listening on it. Connections are refused, and nobody else is given the
/// port, above all no client as the local end of its connection.
fn reserve(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    // The last connections of the listener before may linger on the port.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

async fn closing_time(mut condition: watch::Receiver<Condition>) {
    // An error says that the run is over, which is closing time as well.
    let _ = condition.wait_for(|now| *now == Condition::Refusing).await;
}

/// Where requests are answered.
#[derive(Clone)]
struct Desk {
    condition: watch::Receiver<Condition>,
    hits: Log<Hit>,
}

impl Desk {
    /// One path for each client tells whose requests they are.
    fn router(&self) -> Router {
        Client::BOTH
            .into_iter()
            .fold(Router::new(), |router, client| {
                let desk = self.clone();
                router.route(client.path(), get(move || desk.answer(client)))
            })
    }

    async fn answer(self, client: Client) -> StatusCode {
        let condition = *self.condition.borrow();
        let hit = Hit { client, condition };
        match condition {
            // Refusing: the request was accepted just before the port was closed.
            Condition::Healthy | Condition::Refusing => {
                sleep(WORK).await;
                StatusCode::OK
            }
            Condition::Failing => {
                self.hits.push(hit);
                StatusCode::INTERNAL_SERVER_ERROR
            }
            Condition::Hanging => {
                self.hits.push(hit);
                pending().await
            }
        }
    }
}
