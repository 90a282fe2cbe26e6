//! The Web PKI channel against a fake extension in the same page.
#![cfg(target_arch = "wasm32")]
#![expect(clippy::unwrap_used, reason = "clippy does not know these tests for tests")]

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Function, JSON, Promise, Reflect};
use rubrica_core::ErrorCode;
use rubrica_core::flow::{HolderKind, Initialized, Reply};
use rubrica_sdk::web_pki::{Channel, Command, Transport, Watcher};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

type Heard = Rc<RefCell<Vec<Result<Reply, ErrorCode>>>>;

#[wasm_bindgen_test]
async fn a_command_has_the_documented_shape_and_a_random_id() {
    let fake = Fake::start(Transport::CustomEvent, "null");
    let channel = Channel::open(Transport::CustomEvent);
    channel.send(Command::SignHash { thumbprint: "T=".into(), digest: "RA==".into() }, |_| ());
    channel.send(Command::Initialize, |_| ());
    pause(20).await;
    let seen = fake.seen();
    let first = seen.get(0);
    assert_eq!(text(&first, "command"), "signHash");
    assert_eq!(
        String::from(JSON::stringify(&get(&first, "request")).unwrap()),
        r#"{"certificateThumbprint":"T=","hash":"RA==","digestAlgorithm":"SHA-256"}"#
    );
    assert!(get(&first, "license").is_null());
    let ids = [text(&first, "requestId"), text(&seen.get(1), "requestId")];
    assert!(ids.iter().all(|id| id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit())), "{ids:?}");
    assert_ne!(ids[0], ids[1]);
    assert!(get(&seen.get(1), "request").is_null());
}

#[wasm_bindgen_test]
async fn both_transports_carry_an_answer() {
    for transport in [Transport::CustomEvent, Transport::WindowMessage] {
        let _fake = Fake::start(transport, r#"[{ success: true, response: "2.17.1" }]"#);
        let channel = Channel::open(transport);
        let heard = send(&channel, Command::GetExtensionVersion);
        pause(50).await;
        assert!(
            matches!(&heard.borrow()[..], [Ok(Reply::ExtensionVersion(v))] if v == "2.17.1"),
            "{transport:?}"
        );
    }
}

#[wasm_bindgen_test]
async fn an_answer_counts_once_and_strangers_see_only_what_is_not_ours() {
    let _fake = Fake::start(
        Transport::CustomEvent,
        r#"[{ success: true, response: "1.0" }, { success: true, response: "2.0" },
            { requestId: "of-somebody-else", success: true, response: "3.0" }]"#,
    );
    let channel = Channel::open(Transport::CustomEvent);
    let stranger = js(
        "const seen = [];
         document.addEventListener('com.lacunasoftware.WebPKI.ResponseEvent', e => seen.push(e.detail.response));
         return seen;",
    );
    let heard = send(&channel, Command::GetExtensionVersion);
    pause(50).await;
    assert_eq!(heard.borrow().len(), 1);
    // The second answer has an id that nobody waits for any more, so it is nobody's.
    assert_eq!(String::from(JSON::stringify(&stranger).unwrap()), r#"["2.0","3.0"]"#);
}

#[wasm_bindgen_test]
async fn a_frame_does_not_speak_for_the_extension() {
    let channel = Channel::open(Transport::WindowMessage);
    // The frame learns the id, as any script of the page could tell it, and answers in its own name.
    let _spy = js("addEventListener('message', e => {
           if (e.data?.port !== 'com.lacunasoftware.WebPKI.RequestEvent') return;
           const frame = document.createElement('iframe'); document.body.append(frame);
           const id = e.data.message.requestId;
           frame.contentWindow.eval(`parent.postMessage({ port: 'com.lacunasoftware.WebPKI.ResponseEvent',
             message: { requestId: '${id}', success: true, response: '9.9.9' } }, '*')`);
         }, { once: true }); return null;");
    let heard = send(&channel, Command::GetExtensionVersion);
    pause(80).await;
    assert!(heard.borrow().is_empty());
}

#[wasm_bindgen_test]
async fn what_the_protocol_does_not_allow_is_refused() {
    for answer in [
        "{ success: 'yes', response: '2.17.1' }",
        "{ response: '2.17.1' }",
        "{ success: true }",
        "{ success: true, response: 2.17 }",
        "{ success: true, response: { toString: () => '2.17.1' } }",
    ] {
        let _fake = Fake::start(Transport::CustomEvent, &format!("[{answer}]"));
        let channel = Channel::open(Transport::CustomEvent);
        let heard = send(&channel, Command::GetExtensionVersion);
        pause(20).await;
        assert!(matches!(&heard.borrow()[..], [Err(ErrorCode::ClientProtocol)]), "{answer}: {heard:?}");
    }
}

#[wasm_bindgen_test]
async fn errors_become_codes_even_when_they_are_new() {
    for (exception, code) in [
        ("{ code: 'user_cancelled' }", ErrorCode::UserCancelled),
        ("{ code: 'license_domain_not_allowed' }", ErrorCode::ClientLicence),
        ("{ code: 'p11_token_not_found' }", ErrorCode::ClientTokenMissing),
        ("{ code: 'a_code_of_next_year' }", ErrorCode::ClientSignFailed),
        ("{ code: 42 }", ErrorCode::ClientSignFailed),
        ("null", ErrorCode::ClientSignFailed),
    ] {
        let _fake =
            Fake::start(Transport::CustomEvent, &format!("[{{ success: false, exception: {exception} }}]"));
        let channel = Channel::open(Transport::CustomEvent);
        let heard = send(&channel, Command::ListCertificates);
        pause(20).await;
        assert!(matches!(&heard.borrow()[..], [Err(got)] if *got == code), "{exception}: {heard:?}");
    }
}

#[wasm_bindgen_test]
async fn a_list_is_read_without_what_is_personal_and_without_broken_entries() {
    let _fake = Fake::start(
        Transport::CustomEvent,
        r#"[{ success: true, response: [
          { subjectName: "ANA TEST:52998224725", issuerName: "AC TEST", thumbprint: "QUJD", keyUsage: 224,
            certificatePolicies: [{ id: "2.16.76.1.2.3.7" }], pkiBrazil: { cpf: "52998224725", cnpj: null },
            validityStart: "2026-01-01T00:00:00-03:00", validityEnd: "2029-01-01T00:00:00Z" },
          null, 7, { subjectName: "NO THUMBPRINT TEST" },
          { subjectName: "NO DATE TEST", thumbprint: "QUJE", validityStart: "yesterday", validityEnd: "2029-01-01" },
        ] }]"#,
    );
    let channel = Channel::open(Transport::CustomEvent);
    let heard = send(&channel, Command::ListCertificates);
    pause(20).await;
    let heard = heard.borrow();
    let [Ok(Reply::Certificates(list))] = &heard[..] else { panic!("{heard:?}") };
    let [only] = &list[..] else { panic!("{list:?}") };
    assert_eq!(only.holder.name, "ANA TEST");
    assert_eq!(only.holder.identifier_masked.as_deref(), Some("***.982.247-**"));
    assert_eq!((only.kind, only.icp_type.as_deref()), (HolderKind::Person, Some("A3")));
    assert_eq!(only.not_before.to_string(), "2026-01-01T03:00:00Z");
    assert!(!format!("{list:?}").contains("52998224725"));
}

#[wasm_bindgen_test]
async fn a_certificate_comes_with_the_thumbprint_of_its_own_bytes() {
    let _fake = Fake::start(Transport::CustomEvent, r#"[{ success: true, response: "YWJj" }]"#);
    let channel = Channel::open(Transport::CustomEvent);
    let heard = send(&channel, Command::ReadCertificate { thumbprint: "whatever".into() });
    pause(20).await;
    let heard = heard.borrow();
    let [Ok(Reply::Certificate { thumbprint, .. })] = &heard[..] else { panic!("{heard:?}") };
    assert_eq!(thumbprint, "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=", "SHA-256 of `abc`");
}

#[wasm_bindgen_test]
async fn initialize_tells_ready_missing_and_outdated_apart() {
    for (response, expected) in [
        (
            "{ isReady: true, status: 0, nativeInfo: { os: 'Linux', installedVersion: '2.9.0' } }",
            Ok(Initialized::Ready { os: "Linux".into(), version: "2.9.0".into() }),
        ),
        ("{ isReady: false, status: 3 }", Ok(Initialized::NativeMissing)),
        ("{ isReady: false, status: 4 }", Ok(Initialized::NativeOutdated)),
        ("{ isReady: false, status: 9 }", Err(ErrorCode::ClientProtocol)),
        ("{ isReady: true }", Err(ErrorCode::ClientProtocol)),
    ] {
        let _fake =
            Fake::start(Transport::CustomEvent, &format!("[{{ success: true, response: {response} }}]"));
        let channel = Channel::open(Transport::CustomEvent);
        let heard = send(&channel, Command::Initialize);
        pause(20).await;
        match (&heard.borrow()[..], expected) {
            ([Ok(Reply::Initialized(got))], Ok(expected)) => assert_eq!(*got, expected),
            ([Err(got)], Err(expected)) => assert_eq!(*got, expected),
            (got, _) => panic!("{response}: {got:?}"),
        }
    }
}

#[wasm_bindgen_test]
async fn a_closed_channel_hears_nothing() {
    let _fake = Fake::start(Transport::CustomEvent, r#"[{ success: true, response: "2.17.1" }]"#);
    let channel = Channel::open(Transport::CustomEvent);
    let heard = send(&channel, Command::GetExtensionVersion);
    drop(channel);
    pause(20).await;
    assert!(heard.borrow().is_empty());
}

#[wasm_bindgen_test]
async fn the_marker_is_found_at_once_or_when_it_comes() {
    let count = Rc::new(RefCell::new(0));
    let counting = |count: &Rc<RefCell<i32>>| {
        let count = Rc::clone(count);
        move || *count.borrow_mut() += 1
    };
    let watcher = Watcher::start(counting(&count));
    assert_eq!(*count.borrow(), 0);
    js(
        "const m = document.createElement('meta'); m.id = 'nedeegdmhlnmboboahchfpkmdnnemapd'; document.head.append(m);",
    );
    pause(20).await;
    assert_eq!(*count.borrow(), 1);
    js("document.head.append(document.createElement('meta'))");
    pause(20).await;
    assert_eq!(*count.borrow(), 1, "found once");
    drop(watcher);
    let _again = Watcher::start(counting(&count));
    assert_eq!(*count.borrow(), 2, "already there");
    js("document.getElementById('nedeegdmhlnmboboahchfpkmdnnemapd').remove()");
}

#[wasm_bindgen_test]
fn the_chromium_family_is_known_by_its_user_agent() {
    for (user_agent, transport) in [
        (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
            Transport::CustomEvent,
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36 Edg/120.0",
            Transport::CustomEvent,
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36 OPR/100.0",
            Transport::CustomEvent,
        ),
        ("Mozilla/5.0 (Windows NT 10.0; rv:130.0) Gecko/20100101 Firefox/130.0", Transport::WindowMessage),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Safari/605.1.15",
            Transport::WindowMessage,
        ),
    ] {
        assert_eq!(Transport::of_user_agent(user_agent), transport, "{user_agent}");
    }
}

// ---- helpers

/// An extension that answers every request with fixed messages, each with the id of the request unless it has one.
struct Fake(JsValue);

impl Fake {
    fn start(transport: Transport, answers: &str) -> Self {
        let body = format!(
            "const seen = [], end = new AbortController(), answers = {answers} ?? [];
             const REQ = 'com.lacunasoftware.WebPKI.RequestEvent', RES = 'com.lacunasoftware.WebPKI.ResponseEvent';
             const reply = (message, post) => {{
               seen.push(message);
               for (const answer of answers) setTimeout(() => post({{ requestId: message.requestId, ...answer }}));
             }};
             if ({is_event}) document.addEventListener(REQ, e => reply(e.detail,
               detail => document.dispatchEvent(new CustomEvent(RES, {{ detail }}))), {{ signal: end.signal }});
             else addEventListener('message', e => {{ if (e.data?.port === REQ) reply(e.data.message,
               message => postMessage({{ port: RES, message }}, '*')); }}, {{ signal: end.signal }});
             return {{ seen, stop: () => end.abort() }};",
            is_event = transport == Transport::CustomEvent,
        );
        Self(js(&body))
    }

    fn seen(&self) -> Array {
        get(&self.0, "seen").unchecked_into()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        get(&self.0, "stop").unchecked_into::<Function>().call0(&JsValue::UNDEFINED).unwrap();
    }
}

fn send(channel: &Channel, command: Command) -> Heard {
    let heard = Heard::default();
    let own = Rc::clone(&heard);
    channel.send(command, move |result| own.borrow_mut().push(result));
    heard
}

fn js(body: &str) -> JsValue {
    Function::new_no_args(body).call0(&JsValue::UNDEFINED).unwrap()
}

fn get(value: &JsValue, name: &str) -> JsValue {
    Reflect::get(value, &name.into()).unwrap()
}

fn text(value: &JsValue, name: &str) -> String {
    get(value, name).as_string().unwrap()
}

async fn pause(ms: i32) {
    let promise = Promise::new(&mut |resolve, _| {
        web_sys::window()
            .unwrap()
            .set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, ms)
            .unwrap();
    });
    JsFuture::from(promise).await.unwrap();
}
