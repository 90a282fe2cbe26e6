//! The timers of the flow, by name.

use std::cell::RefCell;

use rubrica_core::flow::Timer;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;

use crate::js::{Sure, window};

/// Running timers. Dropping stops them.
#[derive(Debug, Default)]
pub(crate) struct Timers(RefCell<Vec<Running>>);

#[derive(Debug)]
struct Running {
    timer: Timer,
    handle: i32,
    _callback: Closure<dyn FnMut()>,
}

impl Timers {
    /// Starts a timer and stops one of the same name.
    pub(crate) fn set(&self, timer: Timer, after_ms: u32, ring: impl FnOnce() + 'static) {
        let callback = Closure::once(ring);
        let handle = window()
            .set_timeout_with_callback_and_timeout_and_arguments_0(
                callback.as_ref().unchecked_ref(),
                i32::try_from(after_ms).unwrap_or(i32::MAX),
            )
            .sure("a window has timers");
        let mut running = self.0.borrow_mut();
        running.retain(|other| other.timer != timer);
        running.push(Running { timer, handle, _callback: callback });
    }

    /// Stops all of them.
    pub(crate) fn clear(&self) {
        // Taken out first: the closure that runs now must not be dropped while the map is borrowed.
        let running = self.0.take();
        drop(running);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        window().clear_timeout_with_handle(self.handle);
    }
}
