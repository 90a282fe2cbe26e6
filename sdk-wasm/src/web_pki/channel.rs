//! Requests out, answers in.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::Object;
use rubrica_core::ErrorCode;
use rubrica_core::flow::Reply;
use rubrica_core::flow::protocol::{REQUEST_EVENT, RESPONSE_EVENT};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CustomEvent, CustomEventInit, Event, EventTarget, MessageEvent};

use super::answer::{self, Command};
use crate::js::{self, Sure};

/// How page and extension speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// `CustomEvent` on the document: the Chromium family.
    CustomEvent,
    /// `window.postMessage` to ourselves: all others.
    WindowMessage,
}

impl Transport {
    /// The transport of this browser. Opera counts as Chromium: that is the build of the extension it runs.
    #[must_use]
    pub fn of_user_agent(user_agent: &str) -> Self {
        if user_agent.split(' ').any(|product| product.starts_with("Chrome/")) {
            Self::CustomEvent
        } else {
            Self::WindowMessage
        }
    }
}

type Answered = Box<dyn FnOnce(Result<Reply, ErrorCode>)>;

/// The open line to the extension. Dropping it removes its listener and forgets what is pending.
pub struct Channel {
    transport: Transport,
    pending: Rc<RefCell<Vec<Pending>>>,
    listener: Closure<dyn FnMut(Event)>,
}

impl core::fmt::Debug for Channel {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let pending = self.pending.borrow().len();
        f.debug_struct("Channel").field("transport", &self.transport).field("pending", &pending).finish()
    }
}

struct Pending {
    request_id: String,
    command: Command,
    answered: Answered,
}

impl Channel {
    /// Starts to listen. Nothing is sent.
    ///
    /// # Panics
    /// Outside of a page.
    #[must_use]
    pub fn open(transport: Transport) -> Self {
        let pending = Rc::new(RefCell::new(Vec::new()));
        let heard = Rc::clone(&pending);
        let listener = Closure::<dyn FnMut(Event)>::new(move |event: Event| {
            if let Some(message) = message_of(transport, &event) {
                hear(&heard, &event, &message);
            }
        });
        // In the capture phase: the vendor's own library throws on ids that it does not know, so it must not see ours.
        target(transport)
            .add_event_listener_with_callback_and_bool(event_type(transport), callback(&listener), true)
            .sure("a page takes listeners");
        Self { transport, pending, listener }
    }

    /// Sends a command. `answered` is called at most once, and never when the extension stays silent.
    pub fn send(&self, command: Command, answered: impl FnOnce(Result<Reply, ErrorCode>) + 'static) {
        let Some(request_id) = js::random_hex() else { return answered(Err(ErrorCode::ClientNoResponse)) };
        let message = Object::new();
        js::set(&message, "requestId", &request_id.as_str().into());
        js::set(&message, "license", &JsValue::NULL);
        js::set(&message, "useDomainNativePool", &false.into());
        js::set(&message, "jslibVersion", &answer::JSLIB_VERSION.into());
        js::set(&message, "command", &command.name().into());
        js::set(&message, "request", &command.request());
        self.pending.borrow_mut().push(Pending { request_id, command, answered: Box::new(answered) });
        self.post(&message);
    }

    fn post(&self, message: &Object) {
        let window = js::window();
        match self.transport {
            Transport::CustomEvent => {
                let init = CustomEventInit::new();
                init.set_detail(message);
                let event = CustomEvent::new_with_event_init_dict(REQUEST_EVENT, &init)
                    .sure("a browser makes events");
                target(self.transport).dispatch_event(&event).sure("a fresh event can be dispatched");
            }
            Transport::WindowMessage => {
                let envelope = Object::new();
                js::set(&envelope, "port", &REQUEST_EVENT.into());
                js::set(&envelope, "message", message);
                // A page without an origin of its own (`null`) can only name everybody; the window is ourselves.
                let origin = window.location().origin().ok().filter(|origin| origin != "null");
                window
                    .post_message(&envelope, origin.as_deref().unwrap_or("*"))
                    .sure("plain data can be posted");
            }
        }
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        // Cannot fail for a listener of ours; there would be nobody to tell.
        let _removed = target(self.transport).remove_event_listener_with_callback_and_bool(
            event_type(self.transport),
            callback(&self.listener),
            true,
        );
    }
}

/// The message of the extension in an event, if it is one.
fn message_of(transport: Transport, event: &Event) -> Option<JsValue> {
    match transport {
        Transport::CustomEvent => Some(event.dyn_ref::<CustomEvent>()?.detail()),
        Transport::WindowMessage => {
            let event = event.dyn_ref::<MessageEvent>()?;
            // The content script posts from our own window; frames and openers do not speak for it.
            let is_own = event.source().is_some_and(|source| Object::is(&source, &js::window()));
            let data = event.data();
            (is_own && js::string(&data, "port").as_deref() == Some(RESPONSE_EVENT))
                .then(|| js::member(&data, "message"))
        }
    }
}

fn hear(pending: &RefCell<Vec<Pending>>, event: &Event, message: &JsValue) {
    let Some(request_id) = js::string(message, "requestId") else { return };
    let taken = {
        let mut pending = pending.borrow_mut();
        let own = pending.iter().position(|entry| entry.request_id == request_id);
        own.map(|index| pending.swap_remove(index))
    };
    if let Some(Pending { command, answered, .. }) = taken {
        event.stop_immediate_propagation();
        answered(answer::read(&command, message));
    }
}

fn target(transport: Transport) -> EventTarget {
    match transport {
        Transport::CustomEvent => js::window().document().expect("a page has a document").into(),
        Transport::WindowMessage => js::window().into(),
    }
}

const fn event_type(transport: Transport) -> &'static str {
    match transport {
        Transport::CustomEvent => RESPONSE_EVENT,
        Transport::WindowMessage => "message",
    }
}

fn callback(listener: &Closure<dyn FnMut(Event)>) -> &js_sys::Function {
    listener.as_ref().unchecked_ref()
}
