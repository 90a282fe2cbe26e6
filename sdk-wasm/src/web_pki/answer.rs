//! Commands as the extension takes them, and its answers as the flow takes them.

use base64ct::{Base64, Encoding};
use js_sys::{Array, Date, Object};
use rubrica_core::digest::Digest;
use rubrica_core::flow::protocol::{MINIMUM, error_code};
use rubrica_core::flow::{ClientEntry, Initialized, ListedCertificate, Reply};
use rubrica_core::{ErrorCode, Timestamp};
use wasm_bindgen::{JsCast, JsValue};

use crate::js;

/// Version of the vendor's library whose requests ours look like. For information only.
pub(super) const JSLIB_VERSION: &str = "2.18.0";

/// What the extension can be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Its version.
    GetExtensionVersion,
    /// Connect to the native part.
    Initialize,
    /// Wait for a native part that is new enough.
    PollNative,
    /// The certificates of the person.
    ListCertificates,
    /// DER of one certificate.
    ReadCertificate {
        /// Which one.
        thumbprint: String,
    },
    /// Raw signature of a SHA-256 digest.
    SignHash {
        /// Whose key.
        thumbprint: String,
        /// Digest, standard base64.
        digest: String,
    },
}

impl Command {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::GetExtensionVersion => "getExtensionVersion",
            Self::Initialize => "initialize",
            Self::PollNative => "pollNative",
            Self::ListCertificates => "listCertificates",
            Self::ReadCertificate { .. } => "readCertificate",
            Self::SignHash { .. } => "signHash",
        }
    }

    pub(super) fn request(&self) -> JsValue {
        match self {
            Self::GetExtensionVersion | Self::Initialize | Self::ListCertificates => JsValue::NULL,
            Self::PollNative => object(&[
                ("requiredNativeWinVersion", MINIMUM.windows),
                ("requiredNativeLinuxVersion", MINIMUM.linux),
                ("requiredNativeMacVersion", MINIMUM.mac),
            ]),
            Self::ReadCertificate { thumbprint } => object(&[("certificateThumbprint", thumbprint)]),
            Self::SignHash { thumbprint, digest } => object(&[
                ("certificateThumbprint", thumbprint),
                ("hash", digest),
                ("digestAlgorithm", "SHA-256"),
            ]),
        }
    }
}

fn object(members: &[(&str, &str)]) -> JsValue {
    let object = Object::new();
    for (name, value) in members {
        js::set(&object, name, &(*value).into());
    }
    object.into()
}

/// Reads an answer. Anything that the protocol does not allow is `client_protocol`.
pub(super) fn read(command: &Command, message: &JsValue) -> Result<Reply, ErrorCode> {
    match js::member(message, "success").as_bool() {
        Some(true) => {
            read_response(command, &js::member(message, "response")).ok_or(ErrorCode::ClientProtocol)
        }
        Some(false) => {
            let code = js::string(&js::member(message, "exception"), "code").unwrap_or_default();
            Err(error_code(&code))
        }
        None => Err(ErrorCode::ClientProtocol),
    }
}

fn read_response(command: &Command, response: &JsValue) -> Option<Reply> {
    Some(match command {
        Command::GetExtensionVersion => Reply::ExtensionVersion(response.as_string()?),
        Command::Initialize => Reply::Initialized(initialized(response)?),
        Command::PollNative => Reply::NativeFound,
        Command::ListCertificates => {
            let list: &Array = response.dyn_ref()?;
            // One entry that cannot be read must not hide the others.
            Reply::Certificates(list.iter().filter_map(|entry| certificate(&entry)).collect())
        }
        Command::ReadCertificate { .. } => {
            let certificate = response.as_string()?;
            let der = Base64::decode_vec(&certificate).ok()?;
            let thumbprint = Base64::encode_string(Digest::sha256(&der).as_bytes());
            Reply::Certificate { certificate, thumbprint }
        }
        Command::SignHash { .. } => {
            let value = response.as_string()?;
            Base64::decode_vec(&value).ok().filter(|bytes| !bytes.is_empty())?;
            Reply::HashSigned(value)
        }
    })
}

fn initialized(response: &JsValue) -> Option<Initialized> {
    if js::member(response, "isReady").as_bool()? {
        let native = js::member(response, "nativeInfo");
        return Some(Initialized::Ready {
            os: js::string(&native, "os")?,
            version: js::string(&native, "installedVersion")?,
        });
    }
    let status = js::member(response, "status").as_f64()?;
    [(3.0, Initialized::NativeMissing), (4.0, Initialized::NativeOutdated)]
        .into_iter()
        .find_map(|(known, outcome)| (known == status).then_some(outcome))
}

fn certificate(entry: &JsValue) -> Option<ListedCertificate> {
    let brazil = js::member(entry, "pkiBrazil");
    let policies: Vec<String> = js::array(entry, "certificatePolicies")
        .iter()
        .filter_map(|policy| js::string(&policy, "id"))
        .collect();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a bit mask below 2^16")]
    let key_usage = js::member(entry, "keyUsage").as_f64().unwrap_or_default() as u32;
    Some(ListedCertificate::read(&ClientEntry {
        thumbprint: &js::string(entry, "thumbprint")?,
        subject_name: &js::string(entry, "subjectName")?,
        issuer_name: &js::string(entry, "issuerName").unwrap_or_default(),
        cpf: js::string(&brazil, "cpf").as_deref(),
        cnpj: js::string(&brazil, "cnpj").as_deref(),
        certificate_type: js::string(&brazil, "certificateType").as_deref(),
        policies: &policies,
        key_usage,
        not_before: time(entry, "validityStart")?,
        not_after: time(entry, "validityEnd")?,
    }))
}

fn time(entry: &JsValue, name: &str) -> Option<Timestamp> {
    js::timestamp(Date::parse(&js::string(entry, name)?))
}
