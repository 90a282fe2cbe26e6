//! Runs the flow: performs its effects and feeds their answers back.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::{Rc, Weak};

use js_sys::{Error, Function, Promise};
use rubrica_core::ErrorCode;
use rubrica_core::flow::{
    Action, CallId, CancelledBy, Effect, Event, Flow, Job, Platform, Reply, Timer, Way,
};
use rubrica_core::wire::{Artefact, SignatureFormat};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Blob, VisibilityState};

use crate::api::{Request, Service, Session, Work, request};
use crate::document::Document;
use crate::js::{self, Sure};
use crate::service_window::ServiceWindow;
use crate::timers::Timers;
use crate::web_pki::{Channel, Command, Transport, Watcher};

/// Key in the local storage: only the thumbprint of a certificate is kept, and only after the person asked for it.
const REMEMBERED: &str = "rubrica.certificate";

/// The signer of a page.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Signer(Rc<Host>);

struct Host {
    own: Weak<Self>,
    flow: RefCell<Flow>,
    api: String,
    open_session: Function,
    request_certificate: Option<Function>,
    return_url: Option<String>,
    changed: Function,
    window: ServiceWindow,
    session: RefCell<Option<Session>>,
    work: Work,
    timers: Timers,
    papers: RefCell<Option<Papers>>,
    line: RefCell<Option<Line>>,
    disposed: Cell<bool>,
}

/// Something that is being performed. Boxed, so that what waits for it is compiled once.
type Performed = Pin<Box<dyn Future<Output = Result<Reply, ErrorCode>>>>;

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
    /// (or a promise of it), `changed` is called after every change of [`Signer::view`]. `request_certificate` takes
    /// a PKCS#10 request and gives a certificate, both PEM (or a promise of it); without it somebody else brings the
    /// certificate of a new key to the service. `return_url` is where a cloud service sends people back to; this page
    /// when absent.
    #[wasm_bindgen(constructor)]
    pub fn new(
        api: String,
        is_mobile: bool,
        open_session: Function,
        changed: Function,
        request_certificate: Option<Function>,
        return_url: Option<String>,
    ) -> Self {
        let platform = if is_mobile { Platform::Mobile } else { Platform::Desktop };
        Self(Rc::new_cyclic(|own| Host {
            own: own.clone(),
            flow: RefCell::new(Flow::new(platform)),
            api,
            open_session,
            request_certificate,
            return_url,
            changed,
            window: ServiceWindow::default(),
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

    /// Takes a way to a key by its kind in the view; `service` names the cloud service.
    ///
    /// # Errors
    /// `step_refused`, thrown as an `Error` with a `code`.
    pub fn take(&self, kind: &str, service: Option<String>) -> Result<(), JsValue> {
        self.act(Action::Take(match (kind, service) {
            ("enrol", None) => Way::Enrol,
            ("device", None) => Way::Device,
            ("service", Some(service)) => Way::Service(service),
            _ => return Err(thrown(ErrorCode::StepRefused)),
        }))
    }

    /// Agrees to the text with this digest.
    ///
    /// # Errors
    /// `step_refused`, thrown as an `Error` with a `code`.
    pub fn agree(&self, text_sha256: String) -> Result<(), JsValue> {
        self.act(Action::Agree { text_sha256 })
    }

    /// Does what `action` names: `confirm`, `back`, `use_local`, `other_way`, `continue`, `open_again`, `refresh`,
    /// `keep_waiting`, `retry`, `reset`, `cancel` (by the person) or `cancel_by_caller`.
    ///
    /// # Errors
    /// `step_refused`, thrown as an `Error` with a `code`.
    pub fn act_by_name(&self, action: &str) -> Result<(), JsValue> {
        self.act(match action {
            "confirm" => Action::Confirm,
            "back" => Action::Back,
            "use_local" => Action::UseLocal,
            "other_way" => Action::OtherWay,
            "continue" => Action::Continue,
            "open_again" => Action::OpenAgain,
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
        crate::view::object(&flow.view(), flow.step(), flow.may_take_other_way())
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
        self.0.window.close();
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
                self.spawn(call, |host| Box::pin(async move { host.read_document().await }));
            }
            Effect::CheckToSign { call, to_sign, thumbprint } => {
                let checked = self.read_papers().and_then(|(papers, document)| {
                    document.check(&to_sign, papers.format, &thumbprint).map(|()| Reply::ToSignChecked)
                });
                self.spawn(call, |_| Box::pin(std::future::ready(checked)));
            }
            Effect::Fetch { call, signature_id, artefact } => {
                self.spawn(call, |host| Box::pin(async move { host.fetch(&signature_id, &artefact).await }));
            }
            Effect::RequestCertificate { call, csr } => {
                self.spawn(call, |host| Box::pin(async move { host.request_certificate(&csr).await }));
            }
            Effect::OpenWindow => {
                let own = self.own.clone();
                self.window.open(move |query| {
                    if let Some(host) = own.upgrade() {
                        host.tell(Event::CameBack { query });
                    }
                });
            }
            Effect::CloseWindow => self.window.close(),
            Effect::VisitService { call, url } => {
                self.spawn(call, |host| {
                    Box::pin(async move { Ok(Reply::Window(host.window.visit(&url).await)) })
                });
            }
            Effect::Upload { call } => match self.upload() {
                Ok(request) => self.ask(call, request),
                Err(code) => self.spawn(call, move |_| Box::pin(std::future::ready(Err(code)))),
            },
            Effect::ResolveCustody { call } => self.ask(call, request::custody()),
            Effect::CreateSignature { call, request } => {
                self.ask(call, request::create_signature(&request));
            }
            Effect::AwaitRelease { call, signature_id } => {
                self.ask(call, request::await_signature(&signature_id));
            }
            Effect::Complete { call, signature_id, value } => {
                self.ask(call, request::complete_signature(&signature_id, &value));
            }
            Effect::FetchConsentTexts { call } => self.ask(call, request::consent_texts()),
            Effect::GiveConsent { call, text } => self.ask(call, request::give_consent(&text)),
            Effect::CreateEnrolment { call, consent_id } => {
                self.ask(call, request::create_enrolment(&consent_id));
            }
            Effect::CertifyEnrolment { call, enrolment_id, certificate } => {
                self.ask(call, request::certify_enrolment(&enrolment_id, &certificate));
            }
            Effect::LookAtEnrolment { call, enrolment_id } => {
                self.ask(call, request::look_at_enrolment(&enrolment_id));
            }
            Effect::RequestAuthorization { call, service, document_id } => {
                let url = self.return_url.clone().unwrap_or_else(this_page);
                self.ask(call, request::request_authorization(&service, &document_id, &url));
            }
            Effect::CompleteAuthorization { call, authorization_id, query } => {
                self.ask(call, request::complete_authorization(&authorization_id, &query.0));
            }
            Effect::LookAtAuthorization { call, authorization_id } => {
                self.ask(call, request::look_at_authorization(&authorization_id));
            }
        }
    }

    /// Makes a request and answers the call with what comes of it.
    fn ask(&self, call: CallId, request: Request) {
        self.spawn(call, |host| Box::pin(async move { host.service().await?.ask(request).await }));
    }

    /// Performs a call in the background and answers it.
    fn spawn(&self, call: CallId, perform: impl FnOnce(Rc<Self>) -> Performed) {
        let Some(host) = self.own.upgrade() else { return };
        let performed = perform(Rc::clone(&host));
        spawn_local(async move {
            let result = performed.await;
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

    /// Lets the page fetch the certificate of a new key, when it does that.
    async fn request_certificate(&self, csr: &str) -> Result<Reply, ErrorCode> {
        let Some(request) = &self.request_certificate else { return Ok(Reply::CertificateElsewhere) };
        // The page says nothing of why: it is asked again when the person wants that.
        let given = request.call1(&JsValue::UNDEFINED, &csr.into()).map_err(|_| ErrorCode::Unavailable)?;
        let given = JsFuture::from(Promise::resolve(&given)).await.map_err(|_| ErrorCode::Unavailable)?;
        given.as_string().map(Reply::CertificateIssued).ok_or(ErrorCode::Unavailable)
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

    fn upload(&self) -> Result<Request, ErrorCode> {
        let (papers, document) = self.read_papers()?;
        let media_type =
            if document.facts().starts_as_pdf { "application/pdf" } else { "application/octet-stream" };
        Ok(request::upload(&papers.name, media_type, &document.content_digest(), &papers.blob))
    }

    async fn fetch(&self, signature_id: &str, artefact: &Artefact) -> Result<Reply, ErrorCode> {
        let (papers, document) = self.read_papers()?;
        let released = self.service().await?.content(signature_id).await?;
        document.check_artefact(&released, artefact, papers.format, self.is_wanted()).await?;
        if let Some(papers) = self.papers.borrow_mut().as_mut() {
            papers.released = Some(released);
        }
        Ok(Reply::Fetched)
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

/// The address of this page without query and fragment.
fn this_page() -> String {
    let location = js::window().location();
    format!("{}{}", location.origin().unwrap_or_default(), location.pathname().unwrap_or_default())
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
