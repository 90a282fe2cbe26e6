//! An address that is told events, and answers as a test wants.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) method: String,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
    pub(crate) at: Instant,
}

impl Message {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(found, _)| found == name).map_or("", |(_, value)| value)
    }
}

/// Status and headers of an answer.
type Reply = (u16, Vec<(&'static str, String)>);

/// A listening address. Its threads end with the process.
#[derive(Debug)]
pub(crate) struct Receiver {
    pub(crate) url: String,
    messages: mpsc::Receiver<Message>,
    accepted: Arc<Mutex<HashSet<String>>>,
}

impl Receiver {
    /// Answers request number n (from 0) with `reply(n)`.
    pub(crate) fn start(reply: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let (told, messages) = mpsc::channel();
        let accepted = Arc::<Mutex<HashSet<String>>>::default();
        let (reply, number, known) = (Arc::new(reply), Arc::new(AtomicUsize::new(0)), Arc::clone(&accepted));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (reply, number, told) = (Arc::clone(&reply), Arc::clone(&number), told.clone());
                let known = Arc::clone(&known);
                std::thread::spawn(move || {
                    let Ok(message) = read(&stream) else { return };
                    let id = message.header("webhook-id").to_owned();
                    let _ = told.send(message);
                    let (status, headers) = reply(number.fetch_add(1, Ordering::SeqCst));
                    if (200..300).contains(&status) {
                        known.lock().unwrap().insert(id);
                    }
                    let headers: String =
                        headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
                    // The caller may have given up.
                    let _ = write!(
                        &stream,
                        "HTTP/1.1 {status} x\r\n{headers}content-length: 0\r\nconnection: close\r\n\r\n"
                    );
                });
            }
        });
        Self { url, messages, accepted }
    }

    /// The next request.
    #[track_caller]
    pub(crate) fn next(&self, patience: Duration) -> Message {
        self.messages.recv_timeout(patience).expect("a message comes")
    }

    /// Nothing came that was not taken, and nothing comes for a moment.
    #[track_caller]
    pub(crate) fn is_quiet(&self) {
        let came = self.messages.recv_timeout(Duration::from_millis(700));
        assert!(came.is_err(), "{came:?}");
    }

    /// Identifiers of what was answered with 2xx.
    pub(crate) fn accepted(&self) -> HashSet<String> {
        self.accepted.lock().unwrap().clone()
    }
}

fn read(stream: &TcpStream) -> std::io::Result<Message> {
    let at = Instant::now();
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line.trim_end().is_empty() {
            break;
        }
        lines.push(line.trim_end().to_owned());
    }
    let headers: Vec<(String, String)> = lines[1..]
        .iter()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length").map_or("0", |(_, value)| value);
    let mut body = vec![0; length.parse().unwrap()];
    reader.read_exact(&mut body)?;
    let method = lines[0].split(' ').next().unwrap_or_default().to_owned();
    Ok(Message { method, headers, body: String::from_utf8(body).unwrap(), at })
}
