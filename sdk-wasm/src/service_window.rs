//! The window of a cloud service: opened in the click, sent there, watched until the person comes back.
//!
//! What comes back is a query that only the service can make sense of: nothing is believed here.
//!
//! Browsers cut the tie to a window on another origin when this page has a `Cross-Origin-Opener-Policy`. Then the page that
//! the service sends people back to tells us over a channel of this origin (`@rubrica/web/return`).

use std::cell::RefCell;

use rubrica_core::flow::{Query, WindowEnd};
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{BroadcastChannel, MessageEvent, UrlSearchParams, Window};

use crate::document::sleep;
use crate::js;

/// Name of the channel. `npm/src/return.ts` has it too.
const CHANNEL: &str = "rubrica.return";

/// How often a window is looked at, in milliseconds.
const LOOK_MS: i32 = 400;

/// A window that is gone so soon after it was sent to the service was not closed by a person, in milliseconds.
const TIE_CUT_MS: f64 = 3_000.0;

/// Size and look of the window, as `window.open` takes them.
const FEATURES: &str = "popup,width=520,height=720";

/// At most one window.
#[derive(Debug, Default)]
pub(crate) struct ServiceWindow {
    window: RefCell<Option<Window>>,
    returns: RefCell<Option<Returns>>,
}

/// Listens until it is dropped.
#[derive(Debug)]
struct Returns {
    channel: BroadcastChannel,
    _listener: Closure<dyn FnMut(MessageEvent)>,
}

impl ServiceWindow {
    /// Opens an empty window. The browser refuses outside of a click, which shows when it is to be sent somewhere.
    pub(crate) fn open(&self, came_back: impl Fn(Query) + 'static) {
        self.close();
        let opened = js::window().open_with_url_and_target_and_features("about:blank", "_blank", FEATURES);
        self.window.replace(opened.ok().flatten());
        self.returns.replace(Returns::listen(came_back));
    }

    /// Closes the window, if it is there, and listens no more.
    pub(crate) fn close(&self) {
        self.returns.take();
        if let Some(window) = self.window.take() {
            // Nobody is left to tell, and the person can close it.
            let _closed = window.close();
        }
    }

    /// Sends the window to a service and waits for its end.
    pub(crate) async fn visit(&self, url: &str) -> WindowEnd {
        let Some(window) = self.window.borrow().clone().filter(is_open) else { return WindowEnd::Blocked };
        // Nothing but a page of the web: a script would run as ours.
        if !(url.starts_with("https://") || url.starts_with("http://"))
            || window.location().replace(url).is_err()
        {
            return WindowEnd::Closed;
        }
        let sent = js_sys::Date::now();
        let mut is_watched = true;
        while self.window.borrow().as_ref() == Some(&window) {
            if is_watched && !is_open(&window) {
                if js_sys::Date::now() - sent > TIE_CUT_MS {
                    return WindowEnd::Closed;
                }
                is_watched = false;
            }
            if is_watched && let Some(query) = returned(&window) {
                return WindowEnd::Returned(query);
            }
            sleep(LOOK_MS).await;
        }
        WindowEnd::Closed
    }
}

impl Returns {
    /// Browsers without such channels have no policy that cuts the tie either.
    fn listen(came_back: impl Fn(Query) + 'static) -> Option<Self> {
        let channel = BroadcastChannel::new(CHANNEL).ok()?;
        let listener = Closure::<dyn FnMut(MessageEvent)>::new(move |message: MessageEvent| {
            if let Some(query) = message.data().as_string().filter(|query| has_state(query)) {
                came_back(Query(query));
            }
        });
        channel.set_onmessage(Some(listener.as_ref().unchecked_ref()));
        Some(Self { channel, _listener: listener })
    }
}

impl Drop for Returns {
    fn drop(&mut self) {
        self.channel.set_onmessage(None);
        self.channel.close();
    }
}

fn is_open(window: &Window) -> bool {
    window.closed().is_ok_and(|is_closed| !is_closed)
}

/// The query of the window, once it is back on our origin with a `state`. While it is elsewhere, reading it throws.
fn returned(window: &Window) -> Option<Query> {
    let location = window.location();
    if location.origin().ok()? != js::window().location().origin().ok()? {
        return None;
    }
    location.search().ok().filter(|query| has_state(query)).map(Query)
}

fn has_state(query: &str) -> bool {
    UrlSearchParams::new_with_str(query).is_ok_and(|query| query.has("state"))
}
