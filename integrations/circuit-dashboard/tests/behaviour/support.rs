//! A served dashboard, and a client that sends what it is told, byte by byte.

use std::fmt::Write;
use std::net::SocketAddr;
use std::time::Duration;

use circuit_dashboard::{Actor, Dashboard};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// The headers of an order from the page.
pub(crate) const FROM_PAGE: &[(&str, &str)] = &[
    ("Content-Type", "application/json"),
    ("X-Circuit-Dashboard", "1"),
    ("Sec-Fetch-Site", "same-origin"),
];

/// No test waits for longer: then it has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// A dashboard that takes orders from anyone.
pub(crate) fn open_dashboard() -> Dashboard {
    Dashboard::new().controls(|_, _| Ok(Actor::new("alice")))
}

/// A served dashboard, which ends with this value.
pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    server: JoinHandle<()>,
}

impl Drop for Site {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Site {
    pub(crate) async fn new(dashboard: Dashboard) -> Self {
        let server = dashboard.bind("127.0.0.1:0").await.unwrap();
        Self {
            address: server.local_addr(),
            server: tokio::spawn(server.run()),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.send("GET", path, &[], "").await
    }

    /// Requests JSON, which must be there.
    pub(crate) async fn json(&self, path: &str) -> Value {
        let response = self.get(path).await;
        assert_eq!(response.status, 200, "{path}: {}", response.body);
        response.json()
    }

    /// Gives an order as the page does.
    pub(crate) async fn order(&self, breaker: &str, order: &str, body: &str) -> Response {
        let path = format!("/api/breakers/{breaker}/{order}");
        self.send("POST", &path, FROM_PAGE, body).await
    }

    /// Sends a request for `localhost`, unless there is another `Host` among the headers.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response {
        let mut request = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        if headers.iter().all(|(name, _)| *name != "Host") {
            request.push_str("Host: localhost\r\n");
        }
        for (name, value) in headers {
            let _ = write!(request, "{name}: {value}\r\n");
        }
        if !body.is_empty() {
            let _ = write!(request, "Content-Length: {}\r\n", body.len());
        }
        self.raw(format!("{request}\r\n{body}").as_bytes()).await
    }

    /// Sends these bytes.
    pub(crate) async fn raw(&self, request: &[u8]) -> Response {
        let exchange = async {
            let mut socket = TcpStream::connect(self.address).await.unwrap();
            socket.write_all(request).await.unwrap();
            let mut received = Vec::new();
            let mut buffer = vec![0; 64 * 1024];
            // A server that refuses a body may reset the connection after its response.
            while let Ok(read @ 1..) = socket.read(&mut buffer).await {
                received.extend_from_slice(&buffer[..read]);
            }
            Response::parse(&received)
        };
        timeout(PATIENCE, exchange).await.expect("no response")
    }

    /// Begins a stream, with these headers besides `Host`.
    pub(crate) async fn stream(&self, headers: &[(&str, &str)]) -> Stream {
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        let mut request = "GET /api/stream HTTP/1.1\r\nHost: localhost\r\n".to_owned();
        for (name, value) in headers {
            let _ = write!(request, "{name}: {value}\r\n");
        }
        request.push_str("\r\n");
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut stream = Stream {
            socket,
            received: Vec::new(),
            text: String::new(),
            head: String::new(),
        };
        stream.head = stream.read_head().await;
        stream
    }
}

/// A response, taken apart.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Response {
    fn parse(received: &[u8]) -> Self {
        let text = String::from_utf8(received.to_vec()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").expect(&text);
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self {
            status,
            head: head.to_owned(),
            body: body.to_owned(),
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect(&self.body)
    }

    /// Returns the sentence of an error.
    pub(crate) fn error(&self) -> String {
        self.json()["error"].as_str().unwrap().to_owned()
    }
}

fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    let (_, value) = lines.find(|(it, _)| it.eq_ignore_ascii_case(name))?;
    Some(value)
}

/// A stream of events.
pub(crate) struct Stream {
    socket: TcpStream,
    /// Bytes that are not taken apart yet.
    received: Vec<u8>,
    /// Text of events that are not complete yet.
    text: String,
    head: String,
}

/// An event of a stream.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) id: Option<String>,
    pub(crate) data: Value,
}

impl Event {
    /// Returns the entry of this name.
    pub(crate) fn entry(&self, name: &str) -> Option<&Value> {
        entry(&self.data, name)
    }

    /// Returns whether this is a change of the breaker of this name.
    pub(crate) fn is_change_of(&self, breaker: &str) -> bool {
        self.name == "change" && self.data["breaker"] == breaker
    }
}

/// Returns the entry of this name in a list or an update.
pub(crate) fn entry<'l>(list: &'l Value, name: &str) -> Option<&'l Value> {
    let entries = list["breakers"].as_array()?;
    entries.iter().find(|entry| entry["name"] == name)
}

impl Stream {
    pub(crate) fn status(&self) -> u16 {
        self.head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }

    pub(crate) fn all_headers(&self) -> &str {
        &self.head
    }

    /// Returns the next event.
    pub(crate) async fn next(&mut self) -> Event {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                if let Some(event) = parse(&block) {
                    return event;
                }
            } else if !self.take_chunk() {
                self.read().await;
            }
        }
    }

    /// Returns the next event for which this holds.
    pub(crate) async fn next_where(&mut self, is_meant: impl Fn(&Event) -> bool) -> Event {
        let search = async {
            loop {
                let event = self.next().await;
                if is_meant(&event) {
                    return event;
                }
            }
        };
        timeout(PATIENCE, search).await.expect("no such event")
    }

    async fn read_head(&mut self) -> String {
        loop {
            let end = self.received.windows(4).position(|it| it == b"\r\n\r\n");
            if let Some(end) = end {
                let head = self.received.drain(..end + 4).collect();
                return String::from_utf8(head).unwrap();
            }
            self.read().await;
        }
    }

    async fn read(&mut self) {
        let mut buffer = vec![0; 64 * 1024];
        let read = timeout(PATIENCE, self.socket.read(&mut buffer));
        let read = read.await.expect("silence").unwrap();
        assert!(read > 0, "the stream has ended");
        self.received.extend_from_slice(&buffer[..read]);
    }

    /// Takes the next chunk of the body, if it is complete.
    fn take_chunk(&mut self) -> bool {
        let Some(line) = self.received.windows(2).position(|it| it == b"\r\n") else {
            return false;
        };
        let size = std::str::from_utf8(&self.received[..line]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        let (begin, end) = (line + 2, line + 2 + size);
        if self.received.len() < end + 2 {
            return false;
        }
        self.text
            .push_str(std::str::from_utf8(&self.received[begin..end]).unwrap());
        self.received.drain(..end + 2);
        true
    }
}

fn parse(block: &str) -> Option<Event> {
    let field = |name: &str| {
        let mut lines = block.lines().filter_map(|line| line.split_once(": "));
        let (_, value) = lines.find(|(it, _)| *it == name)?;
        Some(value.to_owned())
    };
    Some(Event {
        name: field("event")?,
        id: field("id"),
        data: serde_json::from_str(&field("data")?).unwrap(),
    })
}
