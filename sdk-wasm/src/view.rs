//! The view of the flow as a plain object. Members are camelCase: this is where TypeScript begins.
//!
//! `npm/src/snapshot.ts` declares the same shapes.

use js_sys::{Array, Object};
use rubrica_core::Timestamp;
use rubrica_core::flow::{
    CertificateChoice, CertificateShown, ConsentText, DocumentShown, Failure, ResultShown, Step, View, Way,
};
use rubrica_core::wire::{CustodyDoubt, CustodyOutcome, CustodySource};
use wasm_bindgen::JsValue;

use crate::api::read::{custody_name, format_name};
use crate::js::{self, set};

/// An object that is being filled.
struct Members(Object);

impl Members {
    fn new() -> Self {
        Self(Object::new())
    }

    fn of(step: Step) -> Self {
        Self::new().with("step", step.as_str())
    }

    fn with(self, name: &str, value: impl Into<JsValue>) -> Self {
        set(&self.0, name, &value.into());
        self
    }

    fn time(self, name: &str, value: Timestamp) -> Self {
        self.with(name, js::text_of(value))
    }

    fn number(self, name: &str, value: u64) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "sizes are below 2^53")]
        self.with(name, value as f64)
    }

    /// Null when there is none.
    fn maybe(self, name: &str, value: Option<impl Into<JsValue>>) -> Self {
        self.with(name, value.map_or(JsValue::NULL, Into::into))
    }

    /// Null when there is none.
    fn text(self, name: &str, value: Option<&str>) -> Self {
        self.with(name, value.map_or(JsValue::NULL, JsValue::from_str))
    }
}

impl From<Members> for JsValue {
    fn from(members: Members) -> Self {
        members.0.into()
    }
}

pub(crate) fn object(view: &View, step: Step, may_take_other_way: bool) -> JsValue {
    let members = Members::of(step).with("mayTakeOtherWay", may_take_other_way);
    match view {
        View::Idle => members,
        View::Resolving { document: shown }
        | View::Probing { document: shown }
        | View::Unsupported { document: shown }
        | View::Lost { document: shown }
        | View::NoCertificate { document: shown } => members.with("document", document(shown)),
        View::Offer { document: shown, ways, preselected, sources, certain } => members
            .with("document", document(shown))
            .with("ways", ways.iter().map(way).collect::<Array>())
            .maybe("preselected", preselected.as_ref().map(way))
            .with("sources", sources.iter().map(source).collect::<Array>())
            .with("certain", *certain),
        View::Consent { document: shown, texts } => members
            .with("document", document(shown))
            .with("texts", texts.iter().map(consent_text).collect::<Array>()),
        View::Enrolling { document: shown, stage, slow } => {
            members.with("document", document(shown)).with("stage", stage.as_str()).with("slow", *slow)
        }
        View::Stored { document: shown, certificate: stored } => {
            members.with("document", document(shown)).with("certificate", certificate(stored))
        }
        View::Redirecting { document: shown, service } => {
            members.with("document", document(shown)).with("service", service.as_str())
        }
        View::WaitingApproval { document: shown, service, window, expires_at } => members
            .with("document", document(shown))
            .with("service", service.as_str())
            .with("window", window.as_str())
            .time("expiresAt", *expires_at),
        View::Absent { document: shown, provisional } => {
            members.with("document", document(shown)).with("provisional", *provisional)
        }
        View::Outdated { document: shown, part, installed, required } => members
            .with("document", document(shown))
            .with("part", part.as_str())
            .text("installed", installed.as_deref())
            .with("required", *required),
        View::Blocked { document: shown, reason } => {
            members.with("document", document(shown)).with("reason", reason.as_str())
        }
        View::Listing { document: shown, slow } => {
            members.with("document", document(shown)).with("slow", *slow)
        }
        View::Choosing { document: shown, certificates } => members
            .with("document", document(shown))
            .with("certificates", certificates.iter().map(choice).collect::<Array>()),
        View::Confirming {
            document: shown,
            custody,
            certificate: chosen,
            service,
            refused_in_client,
            may_choose_another,
            may_use_local,
        } => members
            .with("document", document(shown))
            .with("custody", custody_name(*custody))
            .maybe("certificate", chosen.as_ref().map(certificate))
            .text("service", service.as_deref())
            .with("refusedInClient", *refused_in_client)
            .with("mayChooseAnother", *may_choose_another)
            .with("mayUseLocal", *may_use_local),
        View::Preparing { document: shown, custody } | View::Finishing { document: shown, custody } => {
            members.with("document", document(shown)).with("custody", custody_name(*custody))
        }
        View::Authorizing { document: shown, certificate: chosen, since, patience, waits_for_previous } => {
            members
                .with("document", document(shown))
                .with("certificate", certificate(chosen))
                .time("since", *since)
                .with("patience", patience.as_str())
                .with("waitsForPrevious", *waits_for_previous)
        }
        View::Signing { document: shown, custody, certificate: chosen } => members
            .with("document", document(shown))
            .with("custody", custody_name(*custody))
            .maybe("certificate", chosen.as_ref().map(certificate)),
        View::Done { document: shown, custody, certificate: chosen, result: released } => members
            .with("document", document(shown))
            .with("custody", custody_name(*custody))
            .maybe("certificate", chosen.as_ref().map(certificate))
            .with("result", result(released)),
        View::Cancelled { by, abandoned } => members.with("by", by.as_str()).with("abandoned", *abandoned),
        View::Failed { failure: shown } => members.with("failure", failure(*shown)),
    }
    .into()
}

fn document(shown: &DocumentShown) -> Members {
    Members::new()
        .with("name", shown.name.as_str())
        .number("sizeBytes", shown.size_bytes)
        .with("format", format_name(shown.format))
        .text("sha256", shown.sha256.as_deref())
}

fn way(way: &Way) -> JsValue {
    let (kind, service) = match way {
        Way::Enrol => ("enrol", None),
        Way::Service(service) => ("service", Some(service.as_str())),
        Way::Device => ("device", None),
    };
    Members::new().with("kind", kind).text("service", service).into()
}

fn source(source: &CustodySource) -> JsValue {
    let outcome = match source.outcome {
        CustodyOutcome::Yes => "yes",
        CustodyOutcome::No => "no",
        CustodyOutcome::Unknown => "unknown",
    };
    let doubt = source.doubt.map(|doubt| match doubt {
        CustodyDoubt::Failed => "failed",
        CustodyDoubt::Slow => "slow",
        CustodyDoubt::Resting => "resting",
    });
    Members::new()
        .with("custody", custody_name(source.source))
        .with("outcome", outcome)
        .text("doubt", doubt)
        .into()
}

fn consent_text(shown: &ConsentText) -> JsValue {
    Members::new()
        .with("version", shown.version.as_str())
        .with("language", shown.language.as_str())
        .with("text", shown.text.as_str())
        .with("sha256", shown.sha256.as_str())
        .into()
}

fn certificate(shown: &CertificateShown) -> Members {
    Members::new()
        .with("holder", shown.holder.as_str())
        .text("identifierMasked", shown.identifier_masked.as_deref())
        .with("kind", shown.kind.as_str())
        .with("issuer", shown.issuer.as_str())
        .text("icpType", shown.icp_type.as_deref())
        .time("notBefore", shown.not_before)
        .time("notAfter", shown.not_after)
}

fn choice(shown: &CertificateChoice) -> JsValue {
    Members::new()
        .with("id", shown.id.as_str())
        .with("certificate", certificate(&shown.certificate))
        .text("unusable", shown.unusable.map(rubrica_core::flow::Unusable::as_str))
        .with("expiresSoon", shown.expires_soon)
        .with("isIcpBrasil", shown.is_icp_brasil)
        .into()
}

fn result(released: &ResultShown) -> Members {
    Members::new()
        .with("signatureId", released.signature_id.as_str())
        .with("name", released.name.as_str())
        .with("mediaType", released.media_type.as_str())
        .number("sizeBytes", released.size_bytes)
        .with("sha256", released.sha256.as_str())
        .time("releasedAt", released.released_at)
}

fn failure(shown: Failure) -> Members {
    Members::new()
        .with("code", shown.code.as_str())
        .with("retryable", shown.retryable)
        .with("nextStep", shown.next_step.as_str())
}
