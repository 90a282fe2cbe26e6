//! Finding the extension: its element may be there already or come at any later moment.

use std::cell::RefCell;
use std::rc::Rc;

use rubrica_core::flow::protocol::MARKER_IDS;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{MutationObserver, MutationObserverInit};

use crate::js::{self, Sure};

/// Looks for the marker at once and then at every change of the page, until it is found or this is dropped.
pub struct Watcher(Rc<RefCell<Option<Observation>>>);

struct Observation {
    observer: MutationObserver,
    _callback: Closure<dyn FnMut()>,
}

impl core::fmt::Debug for Watcher {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("Watcher").field(&self.0.borrow().is_some()).finish()
    }
}

impl Watcher {
    /// Calls `found` once: before this returns when the marker is there, else when it comes.
    ///
    /// # Panics
    /// Outside of a page.
    #[must_use]
    pub fn start(found: impl Fn() + 'static) -> Self {
        let observation = Rc::new(RefCell::new(None));
        if is_present() {
            found();
            return Self(observation);
        }
        let own = Rc::downgrade(&observation);
        let callback = Closure::<dyn FnMut()>::new(move || {
            if is_present() {
                if let Some(own) = own.upgrade() {
                    stop(&own);
                }
                found();
            }
        });
        let observer =
            MutationObserver::new(callback.as_ref().unchecked_ref()).sure("a browser observes mutations");
        let options = MutationObserverInit::new();
        options.set_child_list(true);
        options.set_subtree(true);
        let document = js::window().document().expect("a page has a document");
        observer.observe_with_options(&document, &options).sure("a document can be observed");
        *observation.borrow_mut() = Some(Observation { observer, _callback: callback });
        Self(observation)
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        stop(&self.0);
    }
}

/// Ends the observation. The closure itself stays until the watcher goes: it may be the one that runs.
fn stop(observation: &RefCell<Option<Observation>>) {
    if let Some(running) = &*observation.borrow() {
        running.observer.disconnect();
    }
}

fn is_present() -> bool {
    let document = js::window().document().expect("a page has a document");
    MARKER_IDS.iter().any(|id| document.get_element_by_id(id).is_some())
}
