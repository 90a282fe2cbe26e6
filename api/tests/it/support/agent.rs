//! A token agent without a server: the protocol, written down a second time.

use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::{command, template};

/// What an agent said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// It asks for the PIN.
    PinWanted { flags: u8 },
    /// What became of the login: 0, or the number of an error.
    PinTried(u8),
    /// Logged in, with this many keys.
    Ready { keys: u32 },
    /// Values, or numbers of errors.
    Answers { epoch: u32, retries: u32, answers: Vec<(u32, Result<Vec<u8>, u8>)> },
    /// It ends: the number of an error and its text.
    Ending(u8, String),
    /// The socket is closed.
    Gone,
}

/// Numbers of errors.
pub(crate) const KEY_UNUSABLE: u8 = 2;
pub(crate) const UNAVAILABLE: u8 = 3;
pub(crate) const PIN_REJECTED: u8 = 5;
pub(crate) const PIN_LOCKED: u8 = 6;

/// A running agent.
#[derive(Debug)]
pub(crate) struct Agent {
    child: Child,
    socket: UnixStream,
    pub(crate) pin: String,
}

impl Agent {
    /// Starts an agent on the token of the template and tells it its settings.
    pub(crate) fn start(module: &str, variables: &[(&str, String)]) -> Self {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let data = template().join("data");
        let child = command()
            .arg("token-agent")
            .env("SOFTHSM2_CONF", data.join("softhsm/softhsm2.conf"))
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let secret =
            |name: &str| std::fs::read_to_string(data.join("secrets").join(name)).unwrap().trim().to_owned();
        let mut agent = Self { child, socket: ours, pin: secret("token-pin") };
        let mut frame = vec![1];
        for text in [module, &secret("token-label"), "", "rubrica-canary"] {
            put_text(&mut frame, text.as_bytes());
        }
        // Two sessions, pretty logs, errors only.
        frame.extend_from_slice(&[0, 2, 0, 0]);
        agent.send(&frame);
        agent
    }

    /// The same, with the shim in front of the module.
    pub(crate) fn start_shim(shim: &super::Shim) -> Self {
        let module = super::shim::module().display().to_string();
        Self::start(&module, &shim.variables())
    }

    /// Sends a frame; an agent that is gone is noticed by what it says.
    pub(crate) fn send(&mut self, frame: &[u8]) {
        let length = u32::try_from(frame.len()).unwrap().to_be_bytes();
        let _ = self.socket.write_all(&[&length, frame].concat());
    }

    /// Asks for the signatures of these digests.
    pub(crate) fn ask(&mut self, key: &[u8], digests: &[(u32, [u8; 32])]) {
        let mut frame = vec![3, 0, 1, 1];
        put_text(&mut frame, key);
        frame.extend_from_slice(&u16::try_from(digests.len()).unwrap().to_be_bytes());
        for (id, sha256) in digests {
            frame.extend_from_slice(&id.to_be_bytes());
            frame.extend_from_slice(&[0, 0]);
            frame.extend_from_slice(sha256);
        }
        self.send(&frame);
    }

    /// The next thing it says.
    pub(crate) fn hear(&mut self) -> Said {
        let mut header = [0; 4];
        if self.socket.read_exact(&mut header).is_err() {
            return Said::Gone;
        }
        let mut frame = vec![0; usize::try_from(u32::from_be_bytes(header)).unwrap()];
        self.socket.read_exact(&mut frame).unwrap();
        let mut rest = &frame[1..];
        match frame[0] {
            16 => Said::PinWanted { flags: rest[0] },
            17 => Said::PinTried(rest[0]),
            18 => Said::Ready { keys: number(&mut rest) },
            19 => {
                rest = &rest[2..];
                let (epoch, retries) = (number(&mut rest), number(&mut rest));
                let count = u16::from_be_bytes([rest[0], rest[1]]);
                rest = &rest[2..];
                let mut answer = || {
                    let id = number(&mut rest);
                    let tag = rest[0];
                    rest = &rest[1..];
                    let bytes = take_text(&mut rest);
                    (id, if tag == 0 { Ok(bytes.to_vec()) } else { Err(tag) })
                };
                Said::Answers { epoch, retries, answers: (0..count).map(|_| answer()).collect() }
            }
            20 => {
                let tag = rest[0];
                rest = &rest[1..];
                Said::Ending(tag, String::from_utf8(take_text(&mut rest).to_vec()).unwrap())
            }
            other => panic!("an agent does not say {other}"),
        }
    }

    /// The next thing it says that is not about a login, which it is let have.
    pub(crate) fn hear_with_login(&mut self) -> Said {
        loop {
            match self.hear() {
                Said::PinWanted { .. } => {
                    let mut frame = vec![2, 1];
                    put_text(&mut frame, self.pin.clone().as_bytes());
                    self.send(&frame);
                }
                Said::PinTried(_) => {}
                said @ (Said::Ready { .. } | Said::Answers { .. } | Said::Ending(..) | Said::Gone) => {
                    return said;
                }
            }
        }
    }

    /// Closes the socket and waits for the end.
    pub(crate) fn end(mut self) -> ExitStatus {
        self.socket.shutdown(std::net::Shutdown::Both).unwrap();
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "the agent outlives its socket");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // Nothing to do when it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn put_text(frame: &mut Vec<u8>, text: &[u8]) {
    frame.extend_from_slice(&u16::try_from(text.len()).unwrap().to_be_bytes());
    frame.extend_from_slice(text);
}

fn take_text<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let length = usize::from(u16::from_be_bytes([rest[0], rest[1]]));
    let text = &rest[2..2 + length];
    *rest = &rest[2 + length..];
    text
}

fn number(rest: &mut &[u8]) -> u32 {
    let (head, tail) = rest.split_first_chunk().unwrap();
    *rest = tail;
    u32::from_be_bytes(*head)
}
