//! Runs the flow: performs its effects and feeds their answers back.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use js_sys::{Error, Function, Promise};
use rubrica_core::ErrorCode;
use rubrica_core::flow::{
    Action, CallId, CancelledBy, Effect, Event, Flow, Job, Platform, Reply, Resolved, Timer,
};
use rubrica_core::wire::SignatureFormat;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Blob, VisibilityState};

use crate::api::{Service, Session, Work};
use crate::document::{Document, sleep};
use crate::js::{self, Sure};
use crate::timers::Timers;
use crate::web_pki::{Channel, Command, Transport, Watcher};

/// Key in the local storage: only the thumbprint of a certificate is kept, and only after the person asked for it.
const REMEMBERED: &str = "rubrica.certificate";

/// Least time between two looks at a signature, for a service that does not hold the request.
const LEAST_HOLD_MS: f64 = 500.0;

/// The signer of a page.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Signer(Rc<Host>);

struct Host {
    own: Weak<Self>,
    flow: RefCell<Flow>,
    api: String,
    open_session: Function,
    changed: Function,
    session: RefCell<Option<Session>>,
    work: Work,
    timers: Timers,
    papers: RefCell<Option<Papers>>,
    line: RefCell<Option<Line>>,
    disposed: Cell<bool>,
}

/// What belongs to one document.
#[derive(Debug, Clone)]
struct Papers {
    blob: Blob,
    name: String,
    format: SignatureFormat,
    document: Option<Rc<Document>>,
    released: Option<Blob>,
}

/// What is needed to reach the client of the device. Made when it is wanted for the first time.
#[derive(Debug)]
struct Line {
    channel: Channel,
    watcher: Option<Watcher>,
    _visibility: Visibility,
}

#[derive(Debug)]
struct Visibility(Closure<dyn FnMut()>);

impl core::fmt::Debug for Host {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Host").field("step", &self.flow.borrow().step()).finish_non_exhaustive()
    }
}

#[wasm_bindgen]
impl Signer {
    /// A signer that has not started anything.
    ///
    /// `api` is the address before `/v1`, `open_session` gives the token or the answer of `POST /v1/sessions`
    /// (or a promise of it), `changed` is called after every change of [`Signer::view`].
    #[wasm_bindgen(constructor)]
    pub fn new(api: String, is_mobile: bool, open_session: Function, changed: Function) -> Self {
        let platform = if is_mobile { Platform::Mobile } else { Platform::Desktop };
        Self(Rc::new_cyclic(|own| Host {
            own: own.clone(),
            flow: RefCell::new(Flow::new(platform)),
            api,
            open_session,
            changed,
            session: RefCell::default(),
            work: Work::default(),
            timers: Timers::default(),
            papers: RefCell::default(),
            line: RefCell::default(),
            disposed: Cell::new(false),
        }))
    }

    /// Starts to sign a document. `format` is `pades` or `cades`.
    ///
    /// # Errors
    /// `busy` while another document is being signed, thrown as an `Error` with a `code`.
    pub fn start(&self, blob: Blob, name: String, format: &str) -> Result<(), JsValue> {
        let format = if format == "cades" { SignatureFormat::Cades } else { SignatureFormat::Pades };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a Blob has less than 2^53 bytes"
        )]
        let size_bytes = blob.size() as u64;
        let job = Job { name: name.clone(), size_bytes, format, remembered: remembered() };
        let papers = Papers { blob, name, format, document: None, released: None };
        // The flow asks for the document before it returns, so the papers must be there; a refusal puts the old back.
        let before = self.0.papers.replace(Some(papers));
        self.act(Action::Start(job)).inspect_err(|_| {
            self.0.papers.replace(before);
        })
    }

    /// Chooses a certificate by its id in the view.
    ///
    /// # Errors
    /// `step_refused`, thrown as an `Error` with a `code`; so do the methods below.
    pub fn choose(&self, id: String, remember: bool) -> Result<(), JsValue> {
        self.act(Action::Choose { thumbprint: id, remember })
    }

    /// Does what `action` names: `confirm`, `back`, `use_local`, `refresh`, `keep_waiting`, `retry`, `reset`,
    /// `cancel` (by the person) or `cancel_by_caller`.
    ///
    /// # Errors
    /// `step_refused`, thrown as an `Error` with a `code`.
    pub fn act_by_name(&self, action: &str) -> Result<(), JsValue> {
        self.act(match action {
            "confirm" => Action::Confirm,
            "back" => Action::Back,
            "use_local" => Action::UseLocal,
            "refresh" => Action::Refresh,
            "keep_waiting" => Action::KeepWaiting,
            "retry" => Action::Retry,
            "reset" => Action::Reset,
            "cancel" => Action::Cancel(CancelledBy::User),
            "cancel_by_caller" => Action::Cancel(CancelledBy::Caller),
            _ => return Err(thrown(ErrorCode::StepRefused)),
        })
    }

    /// The present view, a plain object.
    #[must_use]
    pub fn view(&self) -> JsValue {
        let flow = self.0.flow.borrow();
        crate::view::object(&flow.view(), flow.step())
    }

    /// The signed bytes, once the step is `done`.
    #[must_use]
    pub fn released(&self) -> Option<Blob> {
        self.0.papers.borrow().as_ref()?.released.clone()
    }

    /// Stops everything and removes every listener, observer and timer. What comes later is dropped.
    pub fn dispose(&self) {
        self.0.disposed.set(true);
        self.0.work.stop();
        self.0.timers.clear();
        let line = self.0.line.take();
        drop(line);
        self.0.papers.take();
        self.0.session.take();
    }

    fn act(&self, action: Action) -> Result<(), JsValue> {
        self.0.handle(Event::Act(action)).map_err(thrown)
    }
}

impl Host {
    fn handle(&self, event: Event) -> Result<(), ErrorCode> {
        if self.disposed.get() {
            return Err(ErrorCode::StepRefused);
        }
        let effects = {
            let mut flow = self.flow.borrow_mut();
            let (next, effects) = flow.clone().handle(event, js::now()).map_err(|refusal| refusal.code)?;
            *flow = next;
            effects
        };
        for effect in effects {
            self.perform(effect);
        }
        // A page that throws in its own callback must not break the flow.
        let _outcome = self.changed.call0(&JsValue::UNDEFINED);
        Ok(())
    }

    /// Feeds an event that cannot be refused.
    fn tell(&self, event: Event) {
        let _ignored_after_dispose = self.handle(event);
    }

    fn perform(&self, effect: Effect) {
        match effect {
            Effect::SetTimer { timer, after_ms } => self.set_timer(timer, after_ms),
            Effect::StopWork => self.work.stop(),
            Effect::Remember { thumbprint } => remember(Some(&thumbprint)),
            Effect::Forget => remember(None),
            Effect::Watch => self.watch(),
            Effect::GetExtensionVersion { call } => self.command(call, Command::GetExtensionVersion),
            Effect::Initialize { call } => self.command(call, Command::Initialize),
            Effect::PollNative { call } => self.command(call, Command::PollNative),
            Effect::ListCertificates { call } => self.command(call, Command::ListCertificates),
            Effect::ReadCertificate { call, thumbprint } => {
                self.command(call, Command::ReadCertificate { thumbprint });
            }
            Effect::SignHash { call, thumbprint, digest } => {
                self.command(call, Command::SignHash { thumbprint, digest });
            }
            Effect::ReadDocument { call } => {
                self.spawn(call, |host| async move { host.read_document().await })
            }
            Effect::ResolveCustody { call } => self.spawn(call, |host| async move {
                let service = host.service().await?;
                let signer = service.session.signer.clone();
                Ok(Reply::Custody(Box::new(Resolved { signer, ..service.custody().await? })))
            }),
            Effect::Upload { call } => self.spawn(call, |host| async move { host.upload().await }),
            Effect::CreateSignature { call, request } => self.spawn(call, |host| async move {
                Ok(Reply::Signature(Box::new(host.service().await?.create_signature(&request).await?)))
            }),
            Effect::CheckToSign { call, to_sign, thumbprint } => self.spawn(call, |host| async move {
                let (papers, document) = host.read_papers()?;
                document.check(&to_sign, papers.format, &thumbprint).map(|()| Reply::ToSignChecked)
            }),
            Effect::AwaitRelease { call, signature_id } => self.spawn(call, |host| async move {
                let begun = js_sys::Date::now();
                let signature = host.service().await?.await_signature(&signature_id).await?;
                if !signature.state.is_final() && js_sys::Date::now() - begun < LEAST_HOLD_MS {
                    sleep(500).await;
                }
                Ok(Reply::Signature(Box::new(signature)))
            }),
            Effect::Complete { call, signature_id, value } => self.spawn(call, |host| async move {
                Ok(Reply::Signature(Box::new(host.service().await?.complete(&signature_id, &value).await?)))
            }),
            Effect::Fetch { call, signature_id, artefact } => self.spawn(call, |host| async move {
                let (papers, document) = host.read_papers()?;
                let released = host.service().await?.content(&signature_id).await?;
                document.check_artefact(&released, &artefact, papers.format, host.is_wanted()).await?;
                if let Some(papers) = host.papers.borrow_mut().as_mut() {
                    papers.released = Some(released);
                }
                Ok(Reply::Fetched)
            }),
        }
    }

    /// Performs a call in the background and answers it.
    fn spawn<F>(&self, call: CallId, perform: impl FnOnce(Rc<Self>) -> F + 'static)
    where
        F: Future<Output = Result<Reply, ErrorCode>> + 'static,
    {
        let Some(host) = self.own.upgrade() else { return };
        spawn_local(async move {
            let result = perform(Rc::clone(&host)).await;
            if matches!(result, Err(ErrorCode::Unauthorized | ErrorCode::SessionExpired)) {
                // Taking the run up again asks the page for a new session.
                host.session.take();
            }
            host.tell(Event::Answer { call, result });
        });
    }

    fn command(&self, call: CallId, command: Command) {
        let own = self.own.clone();
        self.open_line();
        if let Some(line) = &*self.line.borrow() {
            line.channel.send(command, move |result| {
                if let Some(host) = own.upgrade() {
                    host.tell(Event::Answer { call, result });
                }
            });
        }
    }

    fn watch(&self) {
        self.open_line();
        let own = self.own.clone();
        let watcher = Watcher::start(move || {
            if let Some(host) = own.upgrade() {
                host.tell(Event::MarkerFound);
            }
        });
        let before = self.line.borrow_mut().as_mut().and_then(|line| line.watcher.replace(watcher));
        drop(before);
    }

    fn open_line(&self) {
        if self.line.borrow().is_some() {
            return;
        }
        let user_agent = js::window().navigator().user_agent().unwrap_or_default();
        let channel = Channel::open(Transport::of_user_agent(&user_agent));
        let own = self.own.clone();
        let visibility = Visibility::listen(move || {
            if let Some(host) = own.upgrade() {
                host.tell(Event::PageVisible);
            }
        });
        *self.line.borrow_mut() = Some(Line { channel, watcher: None, _visibility: visibility });
    }

    fn set_timer(&self, timer: Timer, after_ms: u32) {
        let own = self.own.clone();
        self.timers.set(timer, after_ms, move || {
            if let Some(host) = own.upgrade() {
                host.tell(Event::Timer(timer));
            }
        });
    }

    /// The service, with the session that the page opens when there is none.
    async fn service(&self) -> Result<Service, ErrorCode> {
        let known = self.session.borrow().clone();
        let session = match known {
            Some(session) => session,
            None => {
                let given =
                    self.open_session.call0(&JsValue::UNDEFINED).map_err(|_| ErrorCode::Unauthorized)?;
                let given =
                    JsFuture::from(Promise::resolve(&given)).await.map_err(|_| ErrorCode::Unauthorized)?;
                let session = Session::read(&given).ok_or(ErrorCode::Unauthorized)?;
                self.session.replace(Some(session.clone()));
                session
            }
        };
        Ok(Service { base: self.api.clone(), session, work: self.work.clone() })
    }

    async fn read_document(&self) -> Result<Reply, ErrorCode> {
        let papers = self.papers.borrow().clone().ok_or(ErrorCode::Internal)?;
        let document = match papers.document {
            Some(document) => document,
            None => {
                let document = Rc::new(Document::read(&papers.blob, self.is_wanted()).await?);
                if let Some(papers) = self.papers.borrow_mut().as_mut() {
                    papers.document = Some(Rc::clone(&document));
                }
                document
            }
        };
        Ok(Reply::Document(document.facts()))
    }

    async fn upload(&self) -> Result<Reply, ErrorCode> {
        let (papers, document) = self.read_papers()?;
        let media_type =
            if document.facts().starts_as_pdf { "application/pdf" } else { "application/octet-stream" };
        let digest = document.content_digest();
        let id = self.service().await?.upload(&papers.name, media_type, &digest, &papers.blob).await?;
        Ok(Reply::Uploaded(id))
    }

    fn read_papers(&self) -> Result<(Papers, Rc<Document>), ErrorCode> {
        let papers = self.papers.borrow().clone().ok_or(ErrorCode::Internal)?;
        let document = papers.document.clone().ok_or(ErrorCode::Internal)?;
        Ok((papers, document))
    }

    /// Whether work that starts now is still wanted later.
    fn is_wanted(&self) -> impl Fn() -> bool + use<> {
        let (work, generation) = (self.work.clone(), self.work.generation());
        move || work.generation() == generation
    }
}

impl Visibility {
    fn listen(visible: impl Fn() + 'static) -> Self {
        let document = js::window().document().expect("a page has a document");
        let watched = document.clone();
        let listener = Closure::<dyn FnMut()>::new(move || {
            if watched.visibility_state() == VisibilityState::Visible {
                visible();
            }
        });
        document
            .add_event_listener_with_callback("visibilitychange", listener.as_ref().unchecked_ref())
            .sure("a document takes listeners");
        Self(listener)
    }
}

impl Drop for Visibility {
    fn drop(&mut self) {
        if let Some(document) = js::window().document() {
            // Cannot fail for a listener of ours; there would be nobody to tell.
            let _removed = document
                .remove_event_listener_with_callback("visibilitychange", self.0.as_ref().unchecked_ref());
        }
    }
}

fn thrown(code: ErrorCode) -> JsValue {
    let error = Error::new(code.as_str());
    js::set(&error, "code", &code.as_str().into());
    error.into()
}

/// Storage may be forbidden; then nothing is remembered and nothing breaks.
fn remembered() -> Option<String> {
    js::window().local_storage().ok()??.get_item(REMEMBERED).ok()?
}

fn remember(thumbprint: Option<&str>) {
    if let Ok(Some(storage)) = js::window().local_storage() {
        let _stored = match thumbprint {
            Some(thumbprint) => storage.set_item(REMEMBERED, thumbprint),
            None => storage.remove_item(REMEMBERED),
        };
    }
}
