//! Reading values that come from outside: every access may find anything.

use js_sys::{Array, Date, Reflect};
use rubrica_core::Timestamp;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::Window;

use crate::document::hex;

/// The window. The crate runs in pages only; the TypeScript side starts it there.
pub(crate) fn window() -> Window {
    web_sys::window().expect("the signer is started in a window")
}

/// A member of an object; undefined when there is none or `value` is no object.
pub(crate) fn member(value: &JsValue, name: &str) -> JsValue {
    if value.is_object() { Reflect::get(value, &name.into()).unwrap_or_default() } else { JsValue::UNDEFINED }
}

/// A member that is a string.
pub(crate) fn string(value: &JsValue, name: &str) -> Option<String> {
    member(value, name).as_string()
}

/// A member that is an array; empty when it is something else.
pub(crate) fn array(value: &JsValue, name: &str) -> Array {
    member(value, name).dyn_into().unwrap_or_default()
}

/// The present time by the clock of the device.
pub(crate) fn now() -> Timestamp {
    timestamp(Date::now()).unwrap_or(Timestamp::MAX)
}

/// A time from milliseconds; `None` for what is no time. Times before 1970 become 1970.
pub(crate) fn timestamp(unix_ms: f64) -> Option<Timestamp> {
    if unix_ms.is_nan() {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
    Timestamp::from_unix_ms(unix_ms as u64).ok()
}

/// 16 random bytes in hexadecimal, where the browser has randomness.
pub(crate) fn random_hex() -> Option<String> {
    let mut bytes = [0; 16];
    window().crypto().ok()?.get_random_values_with_u8_array(&mut bytes).ok()?;
    Some(hex(&bytes))
}

/// A time as RFC 3339 with milliseconds. The browser writes it: a second calendar would be a visible part of the module.
pub(crate) fn text_of(time: Timestamp) -> JsValue {
    #[expect(clippy::cast_precision_loss, reason = "a Timestamp is below 2^53")]
    let unix_ms = time.unix_ms() as f64;
    Date::new(&unix_ms.into()).to_iso_string().into()
}

/// Sets a member of an object that we made ourselves.
pub(crate) fn set(object: &js_sys::Object, name: &str, value: &JsValue) {
    Reflect::set(object, &name.into(), value).sure("a plain object takes members");
}

/// `expect` for what a page cannot refuse. It leaves the value of the exception out: printing one costs more code
/// than everything else here.
pub(crate) trait Sure<T> {
    /// The value; `invariant` says why it is there.
    fn sure(self, invariant: &'static str) -> T;
}

impl<T> Sure<T> for Result<T, JsValue> {
    fn sure(self, invariant: &'static str) -> T {
        self.unwrap_or_else(|_| unreachable!("{invariant}"))
    }
}
