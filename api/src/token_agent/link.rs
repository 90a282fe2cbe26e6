//! The agent's end of the socket.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};

use zeroize::Zeroize;

use super::protocol::{
    self, Ending, PinFlags, ProtocolError, Ready, ToAgent, put_ending, put_pin_tried, put_pin_wanted,
    put_ready,
};
use crate::adapters::pkcs11::return_code::{Problem, Remedy};
use crate::ports::SigningKeyError;
use crate::secret::Secret;

/// What goes to the server, from any thread.
#[derive(Debug)]
pub(super) struct Link {
    socket: Mutex<UnixStream>,
    pins: Mutex<Receiver<Option<Secret>>>,
}

/// What comes from the server, on one thread.
#[derive(Debug)]
pub(super) struct Received {
    socket: UnixStream,
    /// `None` once the server is gone: whoever waits for a PIN then hears that none will come.
    pins: Option<Sender<Option<Secret>>>,
    frame: Vec<u8>,
}

impl Link {
    pub(super) fn over(socket: UnixStream) -> io::Result<(Arc<Self>, Received)> {
        let (handed_over, pins) = mpsc::channel();
        let received = Received { socket: socket.try_clone()?, pins: Some(handed_over), frame: Vec::new() };
        Ok((Arc::new(Self { socket: Mutex::new(socket), pins: Mutex::new(pins) }), received))
    }

    /// Sends whole frames.
    pub(super) fn send(&self, frames: &[u8]) {
        // A server that is gone ends the other direction too, where it is noticed.
        let _ = self.socket.lock().unwrap_or_else(PoisonError::into_inner).write_all(frames);
    }

    /// Asks for the PIN, for one login, and waits for it.
    pub(super) fn ask_for_pin(&self, flags: PinFlags) -> Result<Secret, Problem> {
        let pins = self.pins.lock().unwrap_or_else(PoisonError::into_inner);
        let mut frame = Vec::new();
        put_pin_wanted(&mut frame, flags);
        self.send(&frame);
        let none = || Problem::Mend(Remedy::Respawn, "the server allows no login".to_owned());
        pins.recv().ok().flatten().ok_or_else(none)
    }

    /// Tells what became of a login.
    pub(super) fn tell_login(&self, result: &Result<(), SigningKeyError>) {
        let mut frame = Vec::new();
        put_pin_tried(&mut frame, result);
        self.send(&frame);
    }

    /// Tells what a login brought.
    pub(super) fn tell_ready(&self, ready: &Ready) {
        let mut frame = Vec::new();
        put_ready(&mut frame, ready);
        self.send(&frame);
    }

    /// Tells why this agent ends. The server ends it then.
    pub(super) fn tell_ending(&self, ending: &Ending) {
        let mut frame = Vec::new();
        put_ending(&mut frame, ending);
        self.send(&frame);
    }
}

impl Received {
    /// The next message; `None` when the server is gone or does not speak our protocol.
    pub(super) fn next(&mut self) -> Option<ToAgent> {
        match self.read() {
            Ok(message) => Some(message),
            Err(error) if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => {
                None
            }
            Err(error) => {
                tracing::error!(%error, "the server cannot be understood");
                None
            }
        }
    }

    /// Gives the PIN to the thread that asked for it.
    pub(super) fn hand_over(&self, pin: Option<Secret>) {
        if let Some(pins) = &self.pins {
            // Whoever asked has ended.
            let _ = pins.send(pin);
        }
    }

    /// No PIN will come any more.
    pub(super) fn end(&mut self) {
        self.pins = None;
    }

    fn read(&mut self) -> io::Result<ToAgent> {
        let malformed = |error: ProtocolError| io::Error::new(ErrorKind::InvalidData, error);
        let mut header = [0; 4];
        self.socket.read_exact(&mut header)?;
        let length = protocol::frame_length(header).map_err(malformed)?;
        self.frame.clear();
        // Grows before anything is read into it, so that no copy of a PIN stays behind.
        self.frame.resize(length, 0);
        self.socket.read_exact(&mut self.frame)?;
        let message = ToAgent::decode(&self.frame).map_err(malformed);
        if matches!(message, Ok(ToAgent::Pin(_) | ToAgent::Change { .. }) | Err(_)) {
            self.frame.zeroize();
        }
        message
    }
}
