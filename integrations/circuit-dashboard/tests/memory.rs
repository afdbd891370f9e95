//! A stream of a million changes takes no more memory than one of a few thousand, whether its
//! clients keep up or not.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot continue fails"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use circuit_dashboard::Dashboard;
use circuit_runtime::{CircuitBreaker, Config};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

/// The memory that a million changes may take more than some thousands: half a byte for each.
const SLACK: usize = 512 * 1024;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// Changes that are made before the client that keeps up has to receive some of them.
const BATCH: u32 = 1_000;

struct Counting;

// SAFETY: every call is forwarded unchanged to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let live = LIVE.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(live, Ordering::Relaxed);
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Signals that the client which keeps up has received something.
type Received = Arc<Mutex<Receiver<()>>>;

/// Opens a stream. For a slow client, the buffers of the system are small.
async fn stream(address: SocketAddr, is_slow: bool) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    if is_slow {
        socket.set_recv_buffer_size(4096).unwrap();
    }
    let mut stream = socket.connect(address).await.unwrap();
    let request = b"GET /api/stream HTTP/1.1\r\nHost: localhost\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut first = [0; 12];
    stream.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    stream
}

/// Makes changes on a thread of its own, and returns the most memory that was in use meanwhile.
async fn peak_during(changes: u32, breaker: &CircuitBreaker, received: &Received) -> usize {
    PEAK.store(LIVE.load(Ordering::Relaxed), Ordering::Relaxed);
    let (breaker, received) = (breaker.clone(), Arc::clone(received));
    let make = move || {
        let received = received.lock().unwrap();
        for _ in 0..changes / BATCH {
            for _ in 0..BATCH / 2 {
                breaker.trip();
                breaker.reset();
            }
            received.recv().unwrap();
        }
    };
    tokio::task::spawn_blocking(make).await.unwrap();
    PEAK.load(Ordering::Relaxed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_million_changes_take_no_more_memory_than_some_thousands() {
    let breaker = CircuitBreaker::new("restless", Config::default());
    let server = Dashboard::new().bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr();
    tokio::spawn(server.run());
    let mut slow = stream(address, true).await;
    let mut quick = stream(address, false).await;
    let (progress, received) = mpsc::sync_channel(1);
    let received = Arc::new(Mutex::new(received));
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&sent);
    tokio::spawn(async move {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(read @ 1..) = quick.read(&mut buffer).await {
            counter.fetch_add(read, Ordering::Relaxed);
            // If one waits already, that is enough.
            let _ = progress.try_send(());
        }
    });

    // Until the backlog of the slow client is full, and the system's buffers.
    peak_during(50_000, &breaker, &received).await;
    let few = peak_during(20_000, &breaker, &received).await;
    sent.store(0, Ordering::Relaxed);
    let many = peak_during(1_000_000, &breaker, &received).await;
    let sent = sent.load(Ordering::Relaxed);
    println!("{few} bytes at most in 20 000 changes, {many} in 1 000 000; {sent} bytes were sent");
    assert!(many <= few + SLACK, "{many} bytes, {few} before");
    assert!(sent > SLACK, "the other client receives: {sent} bytes");

    // The slow client finds what was sent to it long ago, and then a snapshot of now.
    breaker.force_open();
    let mut text = String::new();
    let mut buffer = [0; 4096];
    let catch_up = async {
        loop {
            let read = slow.read(&mut buffer).await.unwrap();
            assert!(read > 0, "the stream has ended");
            text.push_str(&String::from_utf8_lossy(&buffer[..read]));
            let snapshots = text.matches("event: snapshot\n").count();
            if snapshots > 1 && text.contains("\"cause\":\"forced_open\"") {
                return;
            }
        }
    };
    let caught_up = timeout(Duration::from_secs(60), catch_up).await;
    assert!(caught_up.is_ok(), "no snapshot in {} bytes", text.len());
}
