//! Bodies of the HTTP contract, read and written by hand.
//!
//! Deserialisers made by serde for these types would be a third of the module. A test holds each reader to the
//! types of `rubrica_core::wire`. An answer that lacks what is needed reads as `None`.

use rubrica_core::flow::{
    AuthorizationProgress, AuthorizationSeen, ConsentText, EnrolmentProgress, EnrolmentSeen, Resolved,
    SignatureSeen,
};
use rubrica_core::wire::{
    Artefact, CertificateView, CreateSignature, Custody, CustodyDoubt, CustodyOffer, CustodyOutcome,
    CustodySource, RevisionToSign, SignatureFormat, SignatureState, SignerView, ToSign,
};
use rubrica_core::{ErrorCode, Timestamp};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::UrlSearchParams;

use crate::js::{array, member, set, string, timestamp};

/// `CustodyAnswer`; for whom the session was opened is known elsewhere.
#[must_use]
pub fn custody(body: &JsValue) -> Option<Resolved> {
    let found = member(body, "custody");
    let custody = match found.as_string() {
        Some(name) => Some(custody_named(&name)?),
        None => None,
    };
    let certificate = certificate(&member(&member(body, "key"), "certificate"));
    // A service of before the offers named where a key may be, and led to the device only.
    let offers: Vec<CustodyOffer> = match member(body, "offers").is_object() {
        true => array(body, "offers").iter().filter_map(|name| offer(&name)).collect(),
        false => array(body, "options").iter().filter_map(|name| offer(&name)).collect(),
    };
    Some(Resolved {
        custody,
        certificate,
        services: array(body, "services").iter().filter_map(|name| name.as_string()).collect(),
        offers,
        preselected: offer(&member(body, "preselected")),
        sources: array(body, "sources").iter().filter_map(|value| source(&value)).collect(),
        certain: member(body, "certain") != JsValue::FALSE,
        signer: None,
    })
}

/// Offers that are newer than we are cannot be taken here.
fn offer(name: &JsValue) -> Option<CustodyOffer> {
    match name.as_string()?.as_str() {
        "hsm_generate" => Some(CustodyOffer::HsmGenerate),
        "hsm_import" => Some(CustodyOffer::HsmImport),
        "lacuna" => Some(CustodyOffer::Lacuna),
        "local" => Some(CustodyOffer::Local),
        _ => None,
    }
}

fn source(value: &JsValue) -> Option<CustodySource> {
    let outcome = match string(value, "outcome")?.as_str() {
        "yes" => CustodyOutcome::Yes,
        "no" => CustodyOutcome::No,
        _ => CustodyOutcome::Unknown,
    };
    let doubt = match string(value, "doubt").as_deref() {
        Some("slow") => Some(CustodyDoubt::Slow),
        Some("resting") => Some(CustodyDoubt::Resting),
        Some(_) => Some(CustodyDoubt::Failed),
        None => None,
    };
    let source = custody_named(&string(value, "source")?)?;
    let duration_ms = whole(&member(value, "duration_ms")).unwrap_or_default();
    Some(CustodySource { source, outcome, doubt, duration_ms })
}

fn custody_named(name: &str) -> Option<Custody> {
    match name {
        "local" => Some(Custody::Local),
        "hsm" => Some(Custody::Hsm),
        "lacuna" => Some(Custody::Lacuna),
        _ => None,
    }
}

pub(crate) const fn custody_name(custody: Custody) -> &'static str {
    match custody {
        Custody::Local => "local",
        Custody::Hsm => "hsm",
        Custody::Lacuna => "lacuna",
    }
}

pub(crate) const fn format_name(format: SignatureFormat) -> &'static str {
    match format {
        SignatureFormat::Pades => "pades",
        SignatureFormat::Cades => "cades",
    }
}

/// `SignerView`.
#[must_use]
pub fn signer(value: &JsValue) -> Option<SignerView> {
    Some(SignerView { name: string(value, "name")?, identifier_masked: string(value, "identifier_masked") })
}

fn certificate(value: &JsValue) -> Option<CertificateView> {
    Some(CertificateView {
        holder: signer(&member(value, "holder"))?,
        issuer: string(value, "issuer")?,
        serial: string(value, "serial")?,
        sha256: string(value, "sha256")?,
        icp_type: string(value, "icp_type"),
        // For people at a desk: no screen of the browser shows them.
        holder_kind: None,
        policy: None,
        key: None,
        not_before: time(value, "not_before")?,
        not_after: time(value, "not_after")?,
    })
}

/// `Signature`.
#[must_use]
pub fn signature(body: &JsValue) -> Option<SignatureSeen> {
    let state = string(body, "state")?;
    Some(SignatureSeen {
        id: string(body, "id")?,
        state: SignatureState::ALL.into_iter().find(|known| known.as_str() == state)?,
        expires_at: time(body, "expires_at")?,
        to_sign: to_sign(&member(body, "to_sign")),
        artefact: artefact(&member(body, "artefact")),
        problem: string(&member(body, "problem"), "code").and_then(|code| code.parse().ok()),
    })
}

fn to_sign(value: &JsValue) -> Option<ToSign> {
    let revision = member(value, "revision");
    Some(ToSign {
        signed_attributes: string(value, "signed_attributes")?,
        digest_algorithm: string(value, "digest_algorithm")?,
        digest: string(value, "digest")?,
        signature_algorithm: string(value, "signature_algorithm")?,
        revision: match revision.is_object() {
            true => Some(RevisionToSign {
                appended: string(&revision, "appended")?,
                byte_range: byte_range(&revision)?,
            }),
            false => None,
        },
    })
}

fn byte_range(revision: &JsValue) -> Option<[u64; 4]> {
    let numbers = array(revision, "byte_range");
    let mut range = [0; 4];
    if numbers.length() != 4 {
        return None;
    }
    for (place, number) in range.iter_mut().zip(numbers.iter()) {
        *place = whole(&number)?;
    }
    Some(range)
}

fn artefact(value: &JsValue) -> Option<Artefact> {
    Some(Artefact {
        name: string(value, "name")?,
        media_type: string(value, "media_type")?,
        size_bytes: whole(&member(value, "size_bytes"))?,
        sha256: string(value, "sha256")?,
        released_at: time(value, "released_at")?,
    })
}

/// `ConsentTextList`.
#[must_use]
pub fn consent_texts(body: &JsValue) -> Option<Vec<ConsentText>> {
    let text = |value: JsValue| {
        Some(ConsentText {
            version: string(&value, "text_version")?,
            language: string(&value, "language")?,
            text: string(&value, "text")?,
            sha256: string(&value, "text_sha256")?,
        })
    };
    array(body, "items").iter().map(text).collect()
}

/// `Enrolment`.
#[must_use]
pub fn enrolment(body: &JsValue) -> Option<EnrolmentSeen> {
    let progress = match string(body, "state")?.as_str() {
        "creating" | "awaiting_certificate" => EnrolmentProgress::Open { csr: string(body, "csr") },
        "completed" => {
            EnrolmentProgress::Completed { certificate: Box::new(certificate(&member(body, "certificate"))?) }
        }
        "cancelled" => EnrolmentProgress::Ended(ErrorCode::Cancelled),
        _ => EnrolmentProgress::Ended(code(body, "code")),
    };
    Some(EnrolmentSeen { id: string(body, "id")?, progress })
}

/// `Authorization`.
#[must_use]
pub fn authorization(body: &JsValue) -> Option<AuthorizationSeen> {
    let progress = match string(body, "state")?.as_str() {
        "requested" => AuthorizationProgress::Requested,
        "granted" => AuthorizationProgress::Granted,
        "used" | "expired" => AuthorizationProgress::Over,
        _ => {
            let problem = code(body, "problem");
            if problem == ErrorCode::ProviderRefused {
                AuthorizationProgress::Refused
            } else {
                AuthorizationProgress::Failed(problem)
            }
        }
    };
    Some(AuthorizationSeen {
        id: string(body, "id")?,
        progress,
        auth_url: string(body, "auth_url"),
        expires_at: time(body, "expires_at")?,
    })
}

/// A code that is newer than we are is an error of the service to us.
fn code(body: &JsValue, name: &str) -> ErrorCode {
    string(body, name).and_then(|code| code.parse().ok()).unwrap_or(ErrorCode::Internal)
}

/// The id of any resource.
#[must_use]
pub fn id(body: &JsValue) -> Option<String> {
    string(body, "id")
}

fn time(value: &JsValue, name: &str) -> Option<Timestamp> {
    timestamp(js_sys::Date::parse(&string(value, name)?))
}

fn whole(value: &JsValue) -> Option<u64> {
    if !js_sys::Number::is_safe_integer(value) {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "below 2^53; the sign is checked"
    )]
    value.as_f64().filter(|number| *number >= 0.0).map(|number| number as u64)
}

/// `CreateSignature` as a JSON text. Level and policy are left to their defaults, which are all there is.
#[must_use]
pub fn create_signature(request: &CreateSignature) -> String {
    let body = js_sys::Object::new();
    set(&body, "document_id", &request.document_id.as_str().into());
    set(&body, "custody", &custody_name(request.custody).into());
    set(&body, "format", &format_name(request.format).into());
    if let Some(certificate) = &request.certificate {
        set(&body, "certificate", &certificate.as_str().into());
    }
    if let Some(authorization_id) = &request.authorization_id {
        set(&body, "authorization_id", &authorization_id.as_str().into());
    }
    json(&body)
}

/// A body of members that are all strings, as a JSON text.
#[must_use]
pub fn strings(members: &[(&str, &str)]) -> String {
    let body = js_sys::Object::new();
    for (name, value) in members {
        set(&body, name, &(*value).into());
    }
    json(&body)
}

/// `CreateAuthorization` as a JSON text: one use, for one document.
#[must_use]
pub fn create_authorization(service: &str, document_id: &str, return_url: &str) -> String {
    let body = js_sys::Object::new();
    set(&body, "service", &service.into());
    set(&body, "document_ids", &js_sys::Array::of1(&document_id.into()));
    set(&body, "scope", &"one".into());
    set(&body, "return_url", &return_url.into());
    json(&body)
}

/// `CompleteAuthorization` as a JSON text, from the query of a URL.
#[must_use]
pub fn complete_authorization(query: &str) -> String {
    let named =
        UrlSearchParams::new_with_str(query).and_then(|parameters| js_sys::Object::from_entries(&parameters));
    let body = js_sys::Object::new();
    set(&body, "parameters", &named.map_or(JsValue::NULL, Into::into));
    json(&body)
}

fn json(body: &js_sys::Object) -> String {
    js_sys::JSON::stringify(body.unchecked_ref()).map(String::from).unwrap_or_default()
}
