//! Bodies of the HTTP contract. Snake case on the wire, the same words as in SQL, logs and events.
//!
//! Requests refuse unknown members; answers are read tolerantly, so that a new member breaks no old SDK.

mod api_key;
mod authorization;
mod batch;
mod certificate;
mod custody;
mod document;
mod enrolment;
mod expiring;
mod health;
mod key;
mod kind;
mod order;
mod pdf;
mod problem;
mod receipt;
mod session;
mod signature;
mod state;
mod to_sign;
mod validation;
mod webhook;

pub use api_key::{ApiKey, ApiKeyList, CreateApiKey};
pub use authorization::{
    Authorization, AuthorizationScope, AuthorizationState, CompleteAuthorization, CreateAuthorization,
};
pub use batch::{
    Batch, BatchContent, BatchCounts, BatchHeader, BatchItem, BatchItemList, BatchLine, BatchLineError,
    BatchList, BatchResult, BatchState,
};
pub use certificate::{CertificateView, KeyView, SignerView};
pub use custody::{Custody, CustodyAnswer, CustodyDoubt, CustodyOffer, CustodyOutcome, CustodySource};
pub use document::Document;
pub use enrolment::{
    CertifyEnrolment, Consent, ConsentText, ConsentTextList, CreateConsent, CreateEnrolment, Enrolment,
    EnrolmentAlgorithm, EnrolmentList, EnrolmentMethod, EnrolmentState, Pkcs12File, SecretText,
};
pub use expiring::{Expiring, ExpiringKey, ExpiringList, NoticeKind, UnknownWatchedKind, WatchedKind};
pub use health::{Health, HealthCheck};
pub use key::{Key, KeyList, KeyState, UnknownKeyState};
pub use kind::{SignatureFormat, SignatureLevel, SignaturePolicy};
pub use order::{
    CancelOrder, CancellationCause, CreateOrder, CreateParticipant, Order, OrderCancellation, OrderFlow,
    OrderList, OrderRules, OrderSignature, OrderState, Participant, ParticipantState,
};
pub use pdf::{PdfAppearance, PdfCertification, PdfOptions, PdfPlacement, PdfSubFilter};
pub use problem::{Problem, ProblemMember};
pub use receipt::{ConsistencyProof, ReceiptKey};
pub use session::{CreateSession, Session, SessionSigner};
pub use signature::{
    Artefact, CompleteSignature, CreateSignature, Signature, SignatureProblem, SignatureRequest,
};
pub use state::SignatureState;
pub use to_sign::{RevisionToSign, ToSign};
pub use validation::{NotFetched, Validation};
pub use webhook::{
    CreateWebhook, DeliveryState, Webhook, WebhookDelivery, WebhookDeliveryList, WebhookList, WebhookState,
    WebhookTest,
};

pub use crate::receipt::Receipt;
