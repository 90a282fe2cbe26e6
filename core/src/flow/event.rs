//! What goes into the flow and what comes out.

use crate::wire::{
    Artefact, CertificateView, CreateSignature, Custody, Signature, SignatureFormat, SignatureState,
    SignerView, ToSign,
};
use crate::{ErrorCode, Timestamp};

use super::certificate::ListedCertificate;
use super::session::Step;

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
    /// Look again: for the client, or for certificates.
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
    /// Whether the certificate of the device may be used when nothing was found.
    pub offers_local: bool,
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
}

impl Timer {
    /// Every timer.
    pub const ALL: [Self; 12] = [
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
            Self::CertificatePoll => 3_000,
            Self::ReadLimit => 30_000,
            Self::AuthorizeHelp => 20_000,
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
