//! What goes into the flow and what comes out.

use crate::wire::{
    Artefact, CertificateView, CreateSignature, Custody, CustodyOffer, CustodySource, Signature,
    SignatureFormat, SignatureState, SignerView, ToSign,
};
use crate::{ErrorCode, Timestamp};

use super::certificate::ListedCertificate;
use super::session::{Step, Way};

/// Number of a request that the flow handed to its host. The answer carries it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(pub(super) u32);

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// The person, or the page for the person, wants something.
    Act(Action),
    /// A call was answered. Answers to calls that nobody waits for are ignored.
    Answer {
        /// The call.
        call: CallId,
        /// Its outcome.
        result: Result<Reply, ErrorCode>,
    },
    /// A timer of [`Effect::SetTimer`] ran out.
    Timer(Timer),
    /// An element with one of the ids of [`super::protocol::MARKER_IDS`] is in the page.
    MarkerFound,
    /// The person came back to the page, perhaps from the installation of the client.
    PageVisible,
    /// A window on this origin says that somebody came back from a cloud service: perhaps ours.
    CameBack {
        /// The query of its URL.
        query: Query,
    },
}

/// The query of the URL that a person came back to. It holds secrets, so it prints as `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Query(pub String);

impl core::fmt::Debug for Query {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("***")
    }
}

/// What the person can do.
#[derive(Debug, Clone)]
pub enum Action {
    /// Sign this document.
    Start(Job),
    /// Use this certificate.
    Choose {
        /// Thumbprint as the client gave it.
        thumbprint: String,
        /// Whether to propose it the next time.
        remember: bool,
    },
    /// Sign now.
    Confirm,
    /// Choose another certificate: back to the list.
    Back,
    /// Use the certificate of this device although a key was found elsewhere.
    UseLocal,
    /// Go this way to a key.
    Take(Way),
    /// Back to the ways to a key, to take another one.
    OtherWay,
    /// Agree to the text with this digest: one of those shown.
    Agree {
        /// SHA-256, lower-case hexadecimal.
        text_sha256: String,
    },
    /// Go on to the decision: what is shown was read.
    Continue,
    /// Open the window of the service again.
    OpenAgain,
    /// Look again: where the key is, for the client, or for certificates.
    Refresh,
    /// The person needs more time in the client's window.
    KeepWaiting,
    /// Stop. While the client's window is open this abandons the request, it cannot undo it.
    Cancel(CancelledBy),
    /// Take up a failed or cancelled run where it is still valid.
    Retry,
    /// Put the result away and be idle.
    Reset,
}

/// What to sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// File name.
    pub name: String,
    /// Length in bytes.
    pub size_bytes: u64,
    /// Kind of artefact wanted.
    pub format: SignatureFormat,
    /// Thumbprint that the person asked to remember.
    pub remembered: Option<String>,
}

/// Who ended a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelledBy {
    /// The person, in our screens.
    User,
    /// The program that called us.
    Caller,
    /// A time limit.
    Time,
    /// The person, in the window of the client.
    Client,
    /// The person, at the cloud service; the service said so.
    Service,
}

impl CancelledBy {
    /// The string that TypeScript sees.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Caller => "caller",
            Self::Time => "time",
            Self::Client => "client",
            Self::Service => "service",
        }
    }
}

/// A successful answer.
#[derive(Debug, Clone)]
pub enum Reply {
    /// To [`Effect::ReadDocument`].
    Document(DocumentRead),
    /// To [`Effect::ResolveCustody`].
    Custody(Box<Resolved>),
    /// To [`Effect::GetExtensionVersion`]: dotted numbers.
    ExtensionVersion(String),
    /// To [`Effect::Initialize`].
    Initialized(Initialized),
    /// To [`Effect::PollNative`]: the native part is there and new enough.
    NativeFound,
    /// To [`Effect::ListCertificates`].
    Certificates(Vec<ListedCertificate>),
    /// To [`Effect::ReadCertificate`].
    Certificate {
        /// DER in standard base64.
        certificate: String,
        /// Base64 SHA-256 of that DER, computed by the host.
        thumbprint: String,
    },
    /// To [`Effect::Upload`]: the id of the document.
    Uploaded(String),
    /// To [`Effect::CreateSignature`], [`Effect::AwaitRelease`] and [`Effect::Complete`].
    Signature(Box<SignatureSeen>),
    /// To [`Effect::CheckToSign`]: every digest is that of the document shown.
    ToSignChecked,
    /// To [`Effect::SignHash`]: raw signature value, standard base64.
    HashSigned(String),
    /// To [`Effect::Fetch`]: the host holds the signed bytes.
    Fetched,
    /// To [`Effect::FetchConsentTexts`]: one for each language.
    ConsentTexts(Vec<ConsentText>),
    /// To [`Effect::GiveConsent`]: the id of the consent.
    ConsentGiven(String),
    /// To [`Effect::CreateEnrolment`], [`Effect::CertifyEnrolment`] and [`Effect::LookAtEnrolment`].
    Enrolment(Box<EnrolmentSeen>),
    /// To [`Effect::RequestCertificate`]: the certificate, PEM or base64 of its DER.
    CertificateIssued(String),
    /// To [`Effect::RequestCertificate`]: the page fetches none; somebody else brings it to the service.
    CertificateElsewhere,
    /// To [`Effect::RequestAuthorization`], [`Effect::CompleteAuthorization`] and [`Effect::LookAtAuthorization`].
    Authorization(Box<AuthorizationSeen>),
    /// To [`Effect::VisitService`].
    Window(WindowEnd),
}

/// A text that people agree to before a key of theirs is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentText {
    /// Version of the text.
    pub version: String,
    /// BCP 47.
    pub language: String,
    /// Plain text, paragraphs divided by empty lines.
    pub text: String,
    /// SHA-256 of the text in UTF-8, lower-case hexadecimal, as the service says. The flow recomputes it.
    pub sha256: String,
}

/// What the service says of an enrolment: the part that leads on.
#[derive(Debug, Clone)]
pub struct EnrolmentSeen {
    /// `enr_…`
    pub id: String,
    /// Where it stands.
    pub progress: EnrolmentProgress,
}

/// Where an enrolment stands.
#[derive(Debug, Clone)]
pub enum EnrolmentProgress {
    /// The key is being made, or waits for its certificate.
    Open {
        /// Request for the certificate, PEM, once the key is there.
        csr: Option<String>,
    },
    /// The key may sign.
    Completed {
        /// Its certificate.
        certificate: Box<CertificateView>,
    },
    /// It ended without a key.
    Ended(ErrorCode),
}

/// What the service says of a permission to use a key at a cloud service: the part that leads on.
#[derive(Debug, Clone)]
pub struct AuthorizationSeen {
    /// `aut_…`
    pub id: String,
    /// Where it stands.
    pub progress: AuthorizationProgress,
    /// Where to send the person, in the answer to the request only.
    pub auth_url: Option<String>,
    /// Until when it may be given, then until when it may be used.
    pub expires_at: Timestamp,
}

/// Where a permission stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthorizationProgress {
    /// The person is at the service.
    Requested,
    /// The key may be used.
    Granted,
    /// The person said no there.
    Refused,
    /// Its time is over, or it was used.
    Over,
    /// It failed otherwise.
    Failed(ErrorCode),
}

/// How the visit to a service ended, as far as the page can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WindowEnd {
    /// The browser opened no window.
    Blocked,
    /// The window is gone. What the person did there, only the service knows.
    Closed,
    /// The person came back, with this query of the URL.
    Returned(Query),
}

/// What reading the document told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentRead {
    /// SHA-256, lower-case hexadecimal.
    pub sha256: String,
    /// Whether `%PDF-` stands within the first kilobyte.
    pub starts_as_pdf: bool,
}

/// What the service knows about the signer: the part of [`crate::wire::CustodyAnswer`] that leads on.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// Where the key is.
    pub custody: Option<Custody>,
    /// Certificate of the key, when the custody is `hsm`.
    pub certificate: Option<CertificateView>,
    /// Cloud services that hold a certificate of the signer.
    pub services: Vec<String>,
    /// Ways to a key when nothing was found, in the order in which to show them.
    pub offers: Vec<CustodyOffer>,
    /// The offer that the bank prefers.
    pub preselected: Option<CustodyOffer>,
    /// Every source that was asked, in order.
    pub sources: Vec<CustodySource>,
    /// False when nothing was found and a source could not tell.
    pub certain: bool,
    /// For whom the session was opened, when the page was told.
    pub signer: Option<SignerView>,
}

/// What the service says of a signature: the part of [`Signature`] that leads on.
#[derive(Debug, Clone)]
pub struct SignatureSeen {
    /// `sig_…`
    pub id: String,
    /// Where it stands.
    pub state: SignatureState,
    /// Until when it may be completed.
    pub expires_at: Timestamp,
    /// What has to be signed, while it is the person's turn.
    pub to_sign: Option<ToSign>,
    /// The result, once released.
    pub artefact: Option<Artefact>,
    /// Why it failed.
    pub problem: Option<ErrorCode>,
}

impl From<Signature> for SignatureSeen {
    fn from(signature: Signature) -> Self {
        Self {
            id: signature.id,
            state: signature.state,
            expires_at: signature.expires_at,
            to_sign: signature.to_sign,
            artefact: signature.artefact,
            problem: signature.problem.map(|problem| problem.code),
        }
    }
}

/// Answer of the client's `initialize`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Initialized {
    /// The native part answers.
    Ready {
        /// `Windows`, `Linux` or `Darwin`.
        os: String,
        /// Dotted numbers.
        version: String,
    },
    /// There is no native part.
    NativeMissing,
    /// The native part is too old to tell its version.
    NativeOutdated,
}

/// What the host has to do.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Hash the document of the run and look at its first bytes.
    ReadDocument {
        /// Answered by [`Reply::Document`].
        call: CallId,
    },
    /// Open the session and ask `GET /v1/custody`.
    ResolveCustody {
        /// Answered by [`Reply::Custody`].
        call: CallId,
    },
    /// Look for the client's marker now and from now on; each find is an [`Event::MarkerFound`].
    Watch,
    /// Ask the extension for its version.
    GetExtensionVersion {
        /// Answered by [`Reply::ExtensionVersion`].
        call: CallId,
    },
    /// Connect extension and native part.
    Initialize {
        /// Answered by [`Reply::Initialized`].
        call: CallId,
    },
    /// Let the extension wait for a native part that is new enough. May take for ever.
    PollNative {
        /// Answered by [`Reply::NativeFound`].
        call: CallId,
    },
    /// List the certificates of the device.
    ListCertificates {
        /// Answered by [`Reply::Certificates`].
        call: CallId,
    },
    /// Read one certificate.
    ReadCertificate {
        /// Answered by [`Reply::Certificate`].
        call: CallId,
        /// Which one.
        thumbprint: String,
    },
    /// Sign a SHA-256 digest with a key of the device. The person may be asked for a PIN.
    SignHash {
        /// Answered by [`Reply::HashSigned`].
        call: CallId,
        /// Whose key.
        thumbprint: String,
        /// Digest, standard base64.
        digest: String,
    },
    /// Send the document to the service.
    Upload {
        /// Answered by [`Reply::Uploaded`].
        call: CallId,
    },
    /// `POST /v1/signatures`.
    CreateSignature {
        /// Answered by [`Reply::Signature`].
        call: CallId,
        /// The body.
        request: CreateSignature,
    },
    /// Recompute every digest of what is to be signed from the document of the run.
    CheckToSign {
        /// Answered by [`Reply::ToSignChecked`] or by `to_sign_mismatch`.
        call: CallId,
        /// What the service asks to sign.
        to_sign: Box<ToSign>,
        /// Base64 SHA-256 of the chosen certificate.
        thumbprint: String,
    },
    /// Wait until the service has signed.
    AwaitRelease {
        /// Answered by [`Reply::Signature`].
        call: CallId,
        /// Which signature.
        signature_id: String,
    },
    /// `POST /v1/signatures/{id}/complete`.
    Complete {
        /// Answered by [`Reply::Signature`].
        call: CallId,
        /// Which signature.
        signature_id: String,
        /// Raw signature value, standard base64.
        value: String,
    },
    /// Fetch the signed bytes and compare them with the digest of the artefact.
    Fetch {
        /// Answered by [`Reply::Fetched`].
        call: CallId,
        /// Which signature.
        signature_id: String,
        /// What to expect.
        artefact: Box<Artefact>,
    },
    /// `GET /v1/consents/texts`.
    FetchConsentTexts {
        /// Answered by [`Reply::ConsentTexts`].
        call: CallId,
    },
    /// `POST /v1/consents`.
    GiveConsent {
        /// Answered by [`Reply::ConsentGiven`].
        call: CallId,
        /// The text that was shown.
        text: ConsentText,
    },
    /// `POST /v1/enrolments`: the same consent again gives the same enrolment.
    CreateEnrolment {
        /// Answered by [`Reply::Enrolment`].
        call: CallId,
        /// Under which consent.
        consent_id: String,
    },
    /// Let the page fetch the certificate from the bank's authority.
    RequestCertificate {
        /// Answered by [`Reply::CertificateIssued`] or [`Reply::CertificateElsewhere`].
        call: CallId,
        /// PKCS#10 in PEM.
        csr: String,
    },
    /// `POST /v1/enrolments/{id}/certificate`.
    CertifyEnrolment {
        /// Answered by [`Reply::Enrolment`].
        call: CallId,
        /// Which enrolment.
        enrolment_id: String,
        /// PEM, or base64 of the DER.
        certificate: String,
    },
    /// `GET /v1/enrolments/{id}`.
    LookAtEnrolment {
        /// Answered by [`Reply::Enrolment`].
        call: CallId,
        /// Which enrolment.
        enrolment_id: String,
    },
    /// Open an empty window at once: browsers allow it only within the click.
    OpenWindow,
    /// Close the window of the service, if it is open.
    CloseWindow,
    /// `POST /v1/authorizations`, for one use.
    RequestAuthorization {
        /// Answered by [`Reply::Authorization`].
        call: CallId,
        /// Name of the service.
        service: String,
        /// The document that may be signed.
        document_id: String,
    },
    /// Send the open window to the service and watch it.
    VisitService {
        /// Answered by [`Reply::Window`].
        call: CallId,
        /// Where the person permits.
        url: String,
    },
    /// `POST /v1/authorizations/{id}/complete`.
    CompleteAuthorization {
        /// Answered by [`Reply::Authorization`].
        call: CallId,
        /// Which permission.
        authorization_id: String,
        /// The query of the URL that the person came back to.
        query: Query,
    },
    /// `GET /v1/authorizations/{id}`.
    LookAtAuthorization {
        /// Answered by [`Reply::Authorization`].
        call: CallId,
        /// Which permission.
        authorization_id: String,
    },
    /// Propose this certificate the next time.
    Remember {
        /// Thumbprint; no name and no CPF is kept.
        thumbprint: String,
    },
    /// Forget the proposed certificate.
    Forget,
    /// Start a timer; one of the same name that still runs is replaced.
    SetTimer {
        /// Comes back as [`Event::Timer`].
        timer: Timer,
        /// Milliseconds.
        after_ms: u32,
    },
    /// Stop hashing and requests to the service that still run.
    StopWork,
}

impl Effect {
    /// The call whose answer the flow waits for, when it waits for one.
    #[must_use]
    pub const fn call(&self) -> Option<CallId> {
        match self {
            Self::ReadDocument { call }
            | Self::ResolveCustody { call }
            | Self::GetExtensionVersion { call }
            | Self::Initialize { call }
            | Self::PollNative { call }
            | Self::ListCertificates { call }
            | Self::ReadCertificate { call, .. }
            | Self::SignHash { call, .. }
            | Self::Upload { call }
            | Self::CreateSignature { call, .. }
            | Self::CheckToSign { call, .. }
            | Self::AwaitRelease { call, .. }
            | Self::Complete { call, .. }
            | Self::Fetch { call, .. }
            | Self::FetchConsentTexts { call }
            | Self::GiveConsent { call, .. }
            | Self::CreateEnrolment { call, .. }
            | Self::RequestCertificate { call, .. }
            | Self::CertifyEnrolment { call, .. }
            | Self::LookAtEnrolment { call, .. }
            | Self::RequestAuthorization { call, .. }
            | Self::VisitService { call, .. }
            | Self::CompleteAuthorization { call, .. }
            | Self::LookAtAuthorization { call, .. } => Some(*call),
            Self::OpenWindow
            | Self::CloseWindow
            | Self::Watch
            | Self::Remember { .. }
            | Self::Forget
            | Self::SetTimer { .. }
            | Self::StopWork => None,
        }
    }
}

/// The timers of the flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Timer {
    /// Guidance is shown although the marker may still come.
    MarkerSoon,
    /// The marker will hardly come by itself.
    MarkerFinal,
    /// Extension or native part should have answered.
    Handshake,
    /// Ask the native part again.
    Recheck,
    /// A client that fell silent is asked once more.
    LostRetry,
    /// The list takes long.
    ListSlow,
    /// Look again for certificates.
    CertificatePoll,
    /// The certificate should have been read.
    ReadLimit,
    /// Offer help with the client's window.
    AuthorizeHelp,
    /// Ask whether the person needs more time.
    AuthorizeLimit,
    /// The question stayed without answer.
    AuthorizeAbandon,
    /// The service should have finished.
    ServiceLimit,
    /// The key takes long: the person may leave meanwhile.
    EnrolmentSlow,
    /// Look whether the certificate of the new key has come.
    EnrolmentPoll,
    /// Look whether the permission was given.
    ApprovalPoll,
}

impl Timer {
    /// Every timer.
    pub const ALL: [Self; 15] = [
        Self::MarkerSoon,
        Self::MarkerFinal,
        Self::Handshake,
        Self::Recheck,
        Self::LostRetry,
        Self::ListSlow,
        Self::CertificatePoll,
        Self::ReadLimit,
        Self::AuthorizeHelp,
        Self::AuthorizeLimit,
        Self::AuthorizeAbandon,
        Self::ServiceLimit,
        Self::EnrolmentSlow,
        Self::EnrolmentPoll,
        Self::ApprovalPoll,
    ];

    /// How long it runs, in milliseconds.
    #[must_use]
    pub const fn after_ms(self) -> u32 {
        match self {
            Self::MarkerSoon => 1_200,
            Self::MarkerFinal => 4_000,
            Self::Handshake => 5_000,
            Self::Recheck => 2_000,
            Self::LostRetry => 1_000,
            Self::ListSlow => 15_000,
            Self::CertificatePoll | Self::EnrolmentPoll => 3_000,
            // The first look; each later one waits longer.
            Self::ApprovalPoll => 2_000,
            Self::ReadLimit => 30_000,
            Self::AuthorizeHelp | Self::EnrolmentSlow => 20_000,
            Self::AuthorizeLimit => 120_000,
            Self::AuthorizeAbandon | Self::ServiceLimit => 60_000,
        }
    }
}

/// An event that does not belong to the present step; nothing has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not possible in step {}", step.as_str())]
#[non_exhaustive]
pub struct Refusal {
    /// The step.
    pub step: Step,
    /// [`ErrorCode::Busy`] for a second document, else [`ErrorCode::StepRefused`].
    pub code: ErrorCode,
}

/// When a prepared signature can no longer be completed with confidence: this long before its end.
pub(super) const PREPARED_MARGIN: core::time::Duration = core::time::Duration::from_secs(30);

/// Whether something prepared can still be used.
pub(super) fn is_still_open(expires_at: Timestamp, now: Timestamp) -> bool {
    now.plus(PREPARED_MARGIN) < expires_at
}
