//! A TCP proxy before PostgreSQL that reads the protocol's message frames: it counts round trips, delays both ways, and
//! cuts a connection at an exact message.
//!
//! On threads of its own, because a runtime's timers are too coarse for a delay of 1 ms.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each target uses a part of this"
)]

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Which way a message travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From the client to the server.
    Request,
    /// From the server to the client.
    Answer,
}

/// The running proxy; dropping it cuts every connection.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    server: SocketAddr,
    stopped: AtomicBool,
    delay_micros: AtomicU64,
    quiet_micros: AtomicU64,
    round_trips: AtomicUsize,
    connections: AtomicUsize,
    cuts: AtomicUsize,
    cut: Mutex<Option<(Way, usize)>>,
    open: Mutex<Vec<(TcpStream, TcpStream)>>,
    tags: Mutex<Vec<u8>>,
}

impl Proxy {
    /// A proxy on a free port before 127.0.0.1:`port`.
    pub fn start(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let shared = Arc::new(Shared {
            server: (Ipv4Addr::LOCALHOST, port).into(),
            stopped: AtomicBool::new(false),
            delay_micros: AtomicU64::new(0),
            quiet_micros: AtomicU64::new(0),
            round_trips: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
            cuts: AtomicUsize::new(0),
            cut: Mutex::new(None),
            open: Mutex::new(Vec::new()),
            tags: Mutex::new(Vec::new()),
        });
        let proxy = Self {
            port: listener.local_addr().unwrap().port(),
            shared: Arc::clone(&shared),
        };
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if shared.stopped.load(SeqCst) {
                    return;
                }
                // A server that is down refuses the connection: the client sees it closed.
                if let Ok(server) = TcpStream::connect(shared.server) {
                    Connection::open(&shared, client, server);
                }
            }
        });
        proxy
    }

    /// Where to connect.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Delays every message by this much, each way.
    pub fn delay(&self, delay: Duration) {
        self.shared.delay_micros.store(micros(delay), SeqCst);
    }

    /// Holds answers back until the client has been silent for this long, so that what it sends without waiting for an
    /// answer counts as one round trip, however slow the machine.
    pub fn count_after_silence(&self, quiet: Duration) {
        self.shared.quiet_micros.store(micros(quiet), SeqCst);
    }

    /// How many round trips began so far: a client that had heard something spoke again.
    pub fn round_trips(&self) -> usize {
        self.shared.round_trips.load(SeqCst)
    }

    /// How many connections were opened so far.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(SeqCst)
    }

    /// The types of the messages that clients sent since this was last asked.
    pub fn take_tags(&self) -> String {
        let tags = std::mem::take(&mut *self.shared.tags.lock().unwrap());
        String::from_utf8(tags).unwrap()
    }

    /// Cuts the connection that carries the message after the next `messages` ones travelling this way; the message
    /// itself is lost, those before it arrive.
    pub fn cut_after(&self, way: Way, messages: usize) {
        *self.shared.cut.lock().unwrap() = Some((way, messages));
    }

    /// Takes back the cut; whether it was still to come.
    pub fn disarm(&self) -> bool {
        self.shared.cut.lock().unwrap().take().is_some()
    }

    /// How many connections were cut so far.
    pub fn cuts(&self) -> usize {
        self.shared.cuts.load(SeqCst)
    }

    /// Cuts every connection now.
    pub fn cut_all(&self) {
        for (client, server) in self.shared.open.lock().unwrap().drain(..) {
            if cut(&client, &server) {
                self.shared.cuts.fetch_add(1, SeqCst);
            }
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.stopped.store(true, SeqCst);
        self.cut_all();
        // Wakes the accepting thread.
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)));
    }
}

/// What the four threads of a connection share.
struct Connection {
    shared: Arc<Shared>,
    client: TcpStream,
    server: TcpStream,
    /// The client heard something since it last spoke.
    answered: AtomicBool,
    last_request: Mutex<Instant>,
}

impl Connection {
    fn open(shared: &Arc<Shared>, client: TcpStream, server: TcpStream) {
        client.set_nodelay(true).unwrap();
        server.set_nodelay(true).unwrap();
        shared.connections.fetch_add(1, SeqCst);
        let pair = (client.try_clone().unwrap(), server.try_clone().unwrap());
        {
            let mut open = shared.open.lock().unwrap();
            open.retain(|(client, _)| client.peer_addr().is_ok());
            open.push(pair);
        }
        let connection = Arc::new(Self {
            shared: Arc::clone(shared),
            client,
            server,
            answered: AtomicBool::new(true),
            last_request: Mutex::new(Instant::now()),
        });
        for way in [Way::Request, Way::Answer] {
            let (sender, receiver) = channel();
            let (reading, writing) = (Arc::clone(&connection), Arc::clone(&connection));
            thread::spawn(move || reading.read(way, &sender));
            thread::spawn(move || writing.write(way, &receiver));
        }
    }

    /// Splits what comes in into messages.
    fn read(&self, way: Way, queue: &Sender<(Instant, Option<Vec<u8>>)>) {
        let mut source = match way {
            Way::Request => &self.client,
            Way::Answer => &self.server,
        };
        let (mut pending, mut chunk) = (Vec::new(), [0; 16 * 1024]);
        let mut framing = Framing::new(way);
        while let Ok(count @ 1..) = source.read(&mut chunk) {
            if way == Way::Request {
                *self.last_request.lock().unwrap() = Instant::now();
                if self.answered.swap(false, SeqCst) {
                    self.shared.round_trips.fetch_add(1, SeqCst);
                }
            }
            pending.extend_from_slice(&chunk[..count]);
            let (mut whole, mut is_cut) = (0, false);
            while let Some(length) = framing.next(&pending[whole..]) {
                if self.is_cut_now(way) {
                    is_cut = true;
                    break;
                }
                if way == Way::Request && pending[whole] != 0 {
                    self.shared.tags.lock().unwrap().push(pending[whole]);
                }
                whole += length;
            }
            let messages: Vec<u8> = pending.drain(..whole).collect();
            if queue.send((Instant::now(), Some(messages))).is_err() || is_cut {
                break;
            }
        }
        drop(queue.send((Instant::now(), None)));
    }

    fn is_cut_now(&self, way: Way) -> bool {
        let mut cut = self.shared.cut.lock().unwrap();
        match &mut *cut {
            Some((wanted, 0)) if *wanted == way => {
                *cut = None;
                self.shared.cuts.fetch_add(1, SeqCst);
                true
            }
            Some((wanted, left)) if *wanted == way => {
                *left -= 1;
                false
            }
            _ => false,
        }
    }

    fn write(&self, way: Way, queue: &Receiver<(Instant, Option<Vec<u8>>)>) {
        let mut target = match way {
            Way::Request => &self.server,
            Way::Answer => &self.client,
        };
        while let Ok((arrived, messages)) = queue.recv() {
            sleep_until(arrived + Duration::from_micros(self.shared.delay_micros.load(SeqCst)));
            let Some(messages) = messages else { break };
            if way == Way::Answer {
                let quiet = Duration::from_micros(self.shared.quiet_micros.load(SeqCst));
                loop {
                    let due = *self.last_request.lock().unwrap() + quiet;
                    if quiet.is_zero() || due <= Instant::now() {
                        break;
                    }
                    sleep_until(due);
                }
                self.answered.store(true, SeqCst);
            }
            if target.write_all(&messages).is_err() {
                break;
            }
        }
        cut(&self.client, &self.server);
    }
}

/// Ends a connection; whether it was open. The server still reads what was sent to it, and then sees the end.
fn cut(client: &TcpStream, server: &TcpStream) -> bool {
    let was_open = client.shutdown(Shutdown::Both).is_ok();
    drop(server.shutdown(Shutdown::Write));
    was_open
}

fn sleep_until(due: Instant) {
    let left = due.saturating_duration_since(Instant::now());
    if !left.is_zero() {
        thread::sleep(left);
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap()
}

/// Where a message ends. The first messages of a client have no type byte, and the answer to its question for TLS is a
/// single byte.
struct Framing {
    way: Way,
    begun: bool,
}

impl Framing {
    fn new(way: Way) -> Self {
        Self { way, begun: false }
    }

    /// The length of the first message, once it is complete.
    fn next(&mut self, bytes: &[u8]) -> Option<usize> {
        const TLS_REQUEST: u32 = 80_877_103;
        let number = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().unwrap()));
        let length = match self.way {
            Way::Answer if !self.begun && matches!(bytes.first(), Some(b'N' | b'S')) => 1,
            Way::Request if !self.begun => {
                let (length, code) = (number(0)?, number(4)?);
                if code != TLS_REQUEST && bytes.len() >= length as usize {
                    self.begun = true;
                }
                length as usize
            }
            _ => {
                self.begun = true;
                1 + number(1)? as usize
            }
        };
        (bytes.len() >= length).then_some(length)
    }
}
