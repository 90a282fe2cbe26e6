//! Bodies of the HTTP contract, read and written by hand.
//!
//! Deserialisers made by serde for these types would be a third of the module. A test holds each reader to the
//! types of `rubrica_core::wire`. An answer that lacks what is needed reads as `None`.

use rubrica_core::Timestamp;
use rubrica_core::flow::{Resolved, SignatureSeen};
use rubrica_core::wire::{
    Artefact, CertificateView, CreateSignature, Custody, RevisionToSign, SignatureFormat, SignatureState,
    SignerView, ToSign,
};
use wasm_bindgen::{JsCast, JsValue};

use crate::js::{array, member, set, string};

/// `CustodyAnswer`; for whom the session was opened is known elsewhere.
#[must_use]
pub fn custody(body: &JsValue) -> Option<Resolved> {
    let found = member(body, "custody");
    let custody = match found.as_string() {
        Some(name) => Some(custody_named(&name)?),
        None => None,
    };
    let certificate = certificate(&member(&member(body, "key"), "certificate"));
    let offers_local =
        array(body, "options").iter().any(|option| option.as_string().as_deref() == Some("local"));
    Some(Resolved { custody, certificate, offers_local, signer: None })
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

/// The id of any resource.
#[must_use]
pub fn id(body: &JsValue) -> Option<String> {
    string(body, "id")
}

fn time(value: &JsValue, name: &str) -> Option<Timestamp> {
    string(value, name)?.parse().ok()
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
    json(&body)
}

/// `CompleteSignature` as a JSON text.
#[must_use]
pub fn complete_signature(signature_value: &str) -> String {
    let body = js_sys::Object::new();
    set(&body, "signature_value", &signature_value.into());
    json(&body)
}

fn json(body: &js_sys::Object) -> String {
    js_sys::JSON::stringify(body.unchecked_ref()).map(String::from).unwrap_or_default()
}
