//! A proxy between a process and the store, which can lose what passes through it.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

const OPEN: u8 = 0;
/// All that the process sends is lost.
const TO_STORE: u8 = 1;
/// All that the store sends is lost.
const FROM_STORE: u8 = 2;
const BOTH: u8 = 3;

/// Passes on what comes, unless it is told to lose it. Connections stay open.
pub struct Proxy {
    address: SocketAddr,
    state: Arc<State>,
}

struct State {
    to: Mutex<SocketAddr>,
    lost: AtomicU8,
    /// Each piece is passed on after so many milliseconds.
    delay: AtomicU64,
    streams: Mutex<Vec<TcpStream>>,
}

impl Proxy {
    pub fn start(to: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            to: Mutex::new(to),
            lost: AtomicU8::new(OPEN),
            delay: AtomicU64::new(0),
            streams: Mutex::default(),
        });
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let to = *shared.to.lock().unwrap();
                let Ok(store) = TcpStream::connect(to) else {
                    continue;
                };
                let _ = (stream.set_nodelay(true), store.set_nodelay(true));
                let mut streams = shared.streams.lock().unwrap();
                streams.extend([stream.try_clone().unwrap(), store.try_clone().unwrap()]);
                pass(
                    &shared,
                    stream.try_clone().unwrap(),
                    store.try_clone().unwrap(),
                    TO_STORE,
                );
                pass(&shared, store, stream, FROM_STORE);
            }
        });
        Self { address, state }
    }

    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// Loses everything in both directions.
    pub fn partition(&self) {
        self.state.lost.store(BOTH, Ordering::SeqCst);
    }

    /// Loses what the process sends.
    pub fn lose_requests(&self) {
        self.state.lost.store(TO_STORE, Ordering::SeqCst);
    }

    /// Loses what the store sends.
    pub fn lose_answers(&self) {
        self.state.lost.store(FROM_STORE, Ordering::SeqCst);
    }

    pub fn heal(&self) {
        self.state.lost.store(OPEN, Ordering::SeqCst);
        // As after a partition that lost parts of a stream: its connections are of no use.
        for stream in self.state.streams.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Connects to another store from now on.
    pub fn switch(&self, to: SocketAddr) {
        *self.state.to.lock().unwrap() = to;
    }

    /// Passes each piece on after this time.
    pub fn delay(&self, time: Duration) {
        let millis = u64::try_from(time.as_millis()).unwrap();
        self.state.delay.store(millis, Ordering::SeqCst);
    }
}

fn pass(state: &Arc<State>, mut from: TcpStream, mut to: TcpStream, direction: u8) {
    let state = Arc::clone(state);
    thread::spawn(move || {
        let mut bytes = [0; 16 * 1024];
        while let Ok(read) = from.read(&mut bytes) {
            if read == 0 {
                break;
            }
            let delay = state.delay.load(Ordering::SeqCst);
            if delay > 0 {
                thread::sleep(Duration::from_millis(delay));
            }
            if state.lost.load(Ordering::SeqCst) & direction != 0 {
                continue;
            }
            if to.write_all(&bytes[..read]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    });
}
