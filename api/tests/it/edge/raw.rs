//! Connections below the level of HTTP clients.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::support::Instance;

pub(crate) fn address(instance: &Instance) -> &str {
    instance.url().trim_start_matches("http://")
}

pub(crate) fn connect(instance: &Instance) -> TcpStream {
    let stream = TcpStream::connect(address(instance)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream
}

/// Sends bytes and reads until the server closes. The client keeps its side open.
pub(crate) fn exchange(instance: &Instance, sent: &[u8]) -> String {
    let mut stream = connect(instance);
    // A server that refuses early may close while we still write.
    let _ = stream.write_all(sent);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// The status lines among what was received.
pub(crate) fn statuses(answer: &str) -> Vec<&str> {
    answer.split("HTTP/1.1 ").skip(1).map(|rest| &rest[..3]).collect()
}

/// Whether the server has closed this connection. Throws away what it had sent.
pub(crate) fn is_closed(stream: &mut TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let mut thrown = [0; 4096];
    loop {
        match stream.read(&mut thrown) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() != ErrorKind::WouldBlock,
        }
    }
}

/// Waits until something holds.
#[track_caller]
pub(crate) fn wait_until(what: &str, longest: Duration, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < longest, "{what}: not within {longest:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
