//! The dashboard by itself, for a program without a server.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs, lookup_host};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tower_service::Service;

use crate::access::Token;
use crate::dashboard::Dashboard;
use crate::error::ServeError;

/// The most connections at a time; others wait to be accepted.
const MAX_CONNECTIONS: usize = 256;

/// How long the head of a request may take to arrive.
const MAX_WAIT: Duration = Duration::from_secs(10);

/// The pause after a connection could not be accepted, as when the process has too many files.
const PAUSE: Duration = Duration::from_millis(100);

/// The most bytes of a connection that are buffered.
const BUFFER: usize = 64 * 1024;

impl Dashboard {
    /// Serves the dashboard by itself, over HTTP/1.1, until the returned future is dropped.
    ///
    /// For TLS, HTTP/2 and authentication, make it a part of the program's own server, or put a
    /// proxy before it.
    ///
    /// # Errors
    ///
    /// Returns an error if the address is not one of loopback and reading needs no
    /// [`bearer_token`](Self::bearer_token), unless the program
    /// [allows](Self::allow_unauthenticated) that; if the token is empty; or if the system refuses
    /// to listen.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use circuit_dashboard::Dashboard;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// tokio::spawn(async {
    ///     if let Err(error) = Dashboard::new().serve("127.0.0.1:9470").await {
    ///         eprintln!("no dashboard: {error}");
    ///     }
    /// });
    /// # }
    /// ```
    pub async fn serve(self, address: impl ToSocketAddrs) -> Result<(), ServeError> {
        self.bind(address).await?.run().await;
        Ok(())
    }

    /// Listens on an address, whose port may be 0 for any that is free; [`Server::run`] serves.
    ///
    /// # Errors
    ///
    /// Returns an error as [`serve`](Self::serve) does.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_dashboard::{Dashboard, ServeError};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), ServeError> {
    /// let server = Dashboard::new().bind("127.0.0.1:0").await?;
    /// println!("The dashboard is at http://{}/", server.local_addr());
    /// tokio::spawn(server.run());
    ///
    /// let exposed = Dashboard::new().bind("0.0.0.0:0").await;
    /// assert!(matches!(exposed, Err(ServeError::Unauthenticated(_))));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn bind(mut self, address: impl ToSocketAddrs) -> Result<Server, ServeError> {
        if self.settings.token.as_ref().is_some_and(Token::is_empty) {
            return Err(ServeError::EmptyToken);
        }
        let addresses: Vec<_> = lookup_host(address).await?.collect();
        let is_open = self.settings.token.is_some() || self.settings.allows_unauthenticated;
        let is_exposed = |address: &&SocketAddr| !address.ip().to_canonical().is_loopback();
        if let Some(exposed) = addresses.iter().find(is_exposed).filter(|_| !is_open) {
            return Err(ServeError::Unauthenticated(*exposed));
        }
        let listener = TcpListener::bind(addresses.as_slice()).await?;
        let local = listener.local_addr()?;
        if !local.ip().is_unspecified() {
            self = self.host(local.ip().to_string());
        }
        Ok(Server {
            listener,
            local,
            dashboard: self,
        })
    }
}

/// A dashboard that listens.
///
/// # Examples
///
/// ```
/// use circuit_dashboard::Dashboard;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = Dashboard::new().bind("127.0.0.1:0").await?;
/// println!("The dashboard is at http://{}/", server.local_addr());
/// tokio::spawn(server.run());
/// # Ok(())
/// # }
/// ```
pub struct Server {
    listener: TcpListener,
    local: SocketAddr,
    dashboard: Dashboard,
}

impl Server {
    /// Returns the address that it listens on.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_dashboard::Dashboard;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = Dashboard::new().bind("127.0.0.1:0").await?;
    /// assert_ne!(server.local_addr().port(), 0);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Serves until the returned future is dropped, which closes all connections.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the server. An order that was read is carried out or is not.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_dashboard::Dashboard;
    /// use tokio::net::TcpStream;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = Dashboard::new().bind("127.0.0.1:0").await?;
    /// let address = server.local_addr();
    /// let task = tokio::spawn(server.run());
    /// assert!(TcpStream::connect(address).await.is_ok());
    ///
    /// task.abort(); // stops serving, and closes all connections
    /// # Ok(())
    /// # }
    /// ```
    pub async fn run(self) {
        let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let mut connections = JoinSet::new();
        loop {
            while connections.try_join_next().is_some() {}
            // The semaphore is never closed.
            let slot = Arc::clone(&slots).acquire_owned().await.ok();
            match self.listener.accept().await {
                Ok((connection, _)) => {
                    let dashboard = self.dashboard.clone();
                    connections.spawn(async move {
                        let _slot = slot;
                        // An error is that of one client, which has left.
                        let _ = serve_connection(connection, dashboard).await;
                    });
                }
                Err(error) if is_of_connection(&error) => {}
                Err(_) => sleep(PAUSE).await,
            }
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("local", &self.local)
            .finish_non_exhaustive()
    }
}

async fn serve_connection(connection: TcpStream, dashboard: Dashboard) -> hyper::Result<()> {
    // Each event is sent at once.
    let _ = connection.set_nodelay(true);
    let service = service_fn(move |request| dashboard.clone().call(request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(MAX_WAIT)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(connection), service);
    connection.await
}

/// Returns whether an error is that of one connection, not of the listener.
fn is_of_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}
