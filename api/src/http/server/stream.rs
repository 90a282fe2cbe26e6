//! A TCP stream that does not wait longer for its client than was agreed.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::flow::{Flow, FlowLimits, Timer};
use super::pace::Pace;

/// What the kernel may hold for a client that does not take it. It bounds memory and, above all, shows a slow reader: with
/// the usual buffers of some megabytes the first seconds of slowness are invisible.
const MOST_UNSENT: u32 = 128 * 1024;

/// Most that is thrown away of a body nobody wants, in bytes and time.
const MOST_LINGERED: usize = 32 << 20;
const LONGEST_LINGER: Duration = Duration::from_secs(5);

/// One connection.
#[derive(Debug)]
pub(super) struct PacedStream {
    stream: TcpStream,
    pace: Arc<Pace>,
    reading: Timer,
    writing: Timer,
    answers: Flow,
    /// Since when it only throws away, and how much is left to throw.
    lingering: Option<(Instant, usize)>,
}

impl PacedStream {
    pub(super) fn new(stream: TcpStream, pace: Arc<Pace>, answers: FlowLimits) -> Self {
        // Answers are small and complete: waiting to fill a packet only delays them. Neither option is needed to work.
        let _ = stream.set_nodelay(true);
        let _ = socket2::SockRef::from(&stream).set_tcp_notsent_lowat(MOST_UNSENT);
        Self {
            stream,
            pace,
            reading: Timer::default(),
            writing: Timer::default(),
            answers: Flow::new(answers),
            lingering: None,
        }
    }

    /// Notes what a write came to.
    fn written(&mut self, written: Poll<io::Result<usize>>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let now = Instant::now();
        match written {
            Poll::Ready(Ok(bytes)) => {
                self.answers.progress(bytes, now);
                self.pace.sent(now);
                Poll::Ready(Ok(bytes))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                let deadline = self.answers.stalled(now);
                ready!(self.writing.poll(deadline, cx));
                Poll::Ready(Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "the client does not take the answer",
                )))
            }
        }
    }

    /// Reads and forgets.
    ///
    /// A server that closes while the client still sends resets the connection, and the client, browsers above all, loses
    /// the answer that says why.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut space = [0; 16 * 1024];
        loop {
            let (since, left) = self.lingering.get_or_insert_with(|| (Instant::now(), MOST_LINGERED));
            if self.reading.poll(*since + LONGEST_LINGER, cx).is_ready() {
                return Poll::Ready(());
            }
            let mut thrown = ReadBuf::new(&mut space);
            let read = ready!(Pin::new(&mut self.stream).poll_read(cx, &mut thrown));
            let bytes = thrown.filled().len();
            if read.is_err() || bytes == 0 || bytes >= *left {
                return Poll::Ready(());
            }
            *left -= bytes;
        }
    }
}

impl AsyncRead for PacedStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = into.filled().len();
        if let Poll::Ready(read) = Pin::new(&mut this.stream).poll_read(cx, into) {
            let received = &into.filled()[before..];
            if !received.is_empty() {
                this.pace.received(received, Instant::now());
            }
            return Poll::Ready(read);
        }
        let Some(deadline) = this.pace.read_deadline(cx.waker()) else { return Poll::Pending };
        ready!(this.reading.poll(deadline, cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client sends no request")))
    }
}

impl AsyncWrite for PacedStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.written(written, cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(cx, slices);
        this.written(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.lingering.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
        }
        if this.pace.left_body() {
            ready!(this.poll_linger(cx));
        }
        Poll::Ready(Ok(()))
    }
}
