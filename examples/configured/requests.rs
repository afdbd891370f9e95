//! Requests to read the settings again.

use std::io;

/// The requests to read the file again: the signal SIGHUP.
#[cfg(unix)]
pub(crate) struct Requests(tokio::signal::unix::Signal);

#[cfg(unix)]
impl Requests {
    pub(crate) fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};

        println!("reads the file again on: kill -HUP {}", std::process::id());
        Ok(Self(signal(SignalKind::hangup())?))
    }

    pub(crate) async fn next(&mut self) {
        self.0.recv().await;
    }
}

/// The requests to read the file again: one every ten seconds, where there is no such signal.
#[cfg(not(unix))]
pub(crate) struct Requests;

#[cfg(not(unix))]
impl Requests {
    pub(crate) fn new() -> io::Result<Self> {
        println!("reads the file again every ten seconds");
        Ok(Self)
    }

    pub(crate) async fn next(&mut self) {
        tokio::time::sleep(std::time::Duration::from_secs(10)).await;
    }
}
