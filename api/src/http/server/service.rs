//! Each request on its way in, each answer on its way out: where it comes from, how fast its body flows, when it ends.

use std::convert::Infallible;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::http::header::{CONNECTION, EXPECT};
use axum::http::{HeaderValue, Request, Response};
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use tokio::time::Instant;
use tower_service::Service as _;

use super::flow::{Flow, FlowLimits, Timer};
use super::head::ambiguity;
use super::pace::Pace;
use crate::http::client_address::Proxies;
use crate::http::drain::Rest;
use crate::http::held::Held;

/// A request that can be read in two ways, and why. An extension; the envelope refuses it.
#[derive(Debug, Clone, Copy)]
pub(in crate::http) struct Ambiguous(pub(in crate::http) &'static str);

/// The service of one connection.
#[derive(Debug, Clone)]
pub(super) struct Requests {
    pub(super) router: Router,
    pub(super) pace: Arc<Pace>,
    pub(super) peer: IpAddr,
    pub(super) proxies: Arc<Proxies>,
    pub(super) bodies: FlowLimits,
}

impl hyper::service::Service<Request<Incoming>> for Requests {
    type Response = Response<Held<UnderWay>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let head = self.pace.request_begins();
        let refused = ambiguity(&head, request.version(), request.headers()).map(Ambiguous);
        drop(head);
        let client = self.proxies.client(self.peer, request.headers());
        request.extensions_mut().insert(client);
        if let Some(refused) = refused {
            request.extensions_mut().insert(refused);
        }
        // A client that waits for a go-ahead sends nothing until it is asked.
        let waits = request.headers().contains_key(EXPECT);
        let (parts, body) = request.into_parts();
        let (body, rest) = Rest::split(Body::new(PacedBody::new(body, self.bodies)));
        let (mut router, pace) = (self.router.clone(), Arc::clone(&self.pace));
        Box::pin(async move {
            let Ok(mut response) = router.call(Request::from_parts(parts, body)).await;
            // After a refusal because of the form of a request, nothing else on the connection can be believed.
            if refused.is_some() || (!rest.is_read() && (waits || !rest.drain_what_is_there().await)) {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                pace.leave_body();
            }
            Ok(response.map(|body| Held::new(body, UnderWay(pace))))
        })
    }
}

/// A request body that does not wait longer for its client than was agreed.
#[derive(Debug)]
struct PacedBody {
    body: Incoming,
    flow: Flow,
    timer: Timer,
    /// Also for a chunked body, whose end is only known when it was read.
    ended: bool,
}

/// The client gives the body too slowly.
#[derive(Debug, thiserror::Error)]
#[error("the body arrives too slowly")]
pub(in crate::http) struct TooSlow;

impl PacedBody {
    fn new(body: Incoming, limits: FlowLimits) -> Self {
        Self { body, flow: Flow::new(limits), timer: Timer::default(), ended: false }
    }
}

impl HttpBody for PacedBody {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = self.get_mut();
        let frame = Pin::new(&mut this.body).poll_frame(cx);
        let now = Instant::now();
        match frame {
            Poll::Ready(Some(Ok(frame))) => {
                this.flow.progress(frame.data_ref().map_or(0, Bytes::len), now);
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(error.into()))),
            Poll::Ready(None) => {
                this.ended = true;
                Poll::Ready(None)
            }
            Poll::Pending => {
                let deadline = this.flow.stalled(now);
                this.timer.poll(deadline, cx).map(|()| Some(Err(TooSlow.into())))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// An answer that is on its way; over when dropped.
#[derive(Debug)]
pub(super) struct UnderWay(Arc<Pace>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.answer_ends(Instant::now());
    }
}
