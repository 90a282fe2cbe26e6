//! Cloudhub 2 of Lacuna, which speaks to the providers of cloud certificates. Written from the vendor's OpenAPI document 2.0.0.
//!
//! Its `session` is a secret: whoever has it and our API key signs as the person.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64ct::{Base64, Encoding};
use rubrica_core::icp_brasil::Identifier;
use rubrica_core::wire::AuthorizationScope;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{Gate, encode, encode_pairs, loose_base64, parse, with_key, without_key};
use crate::config;
use crate::failure::Failure;
use crate::fetch::{ProviderCall, is_safe};
use crate::ports::PortFuture;
use crate::ports::cloud::{
    CloudError, CloudKeys, Holds, Permission, PermissionRequest, PermittedKey, Started,
};
use crate::secret::Secret;

/// Longest `session` that is taken.
const SESSION_BYTES: usize = 8 * 1024;

/// One service behind a Cloudhub.
#[derive(Debug)]
pub(crate) struct Cloudhub {
    gate: Arc<Gate>,
    api_key: Secret,
    service: String,
}

/// What a permission is kept as.
#[derive(Serialize, Deserialize)]
struct Session {
    session: String,
    alias: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Availability {
    discovery_available: bool,
    certificate_found: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Opened {
    auth_url: Option<String>,
}

#[derive(Deserialize)]
struct Certificate {
    content: String,
    alias: Option<String>,
}

impl Cloudhub {
    /// # Errors
    /// `file_unreadable` for the API key.
    pub(crate) fn new(config: &config::CloudService, gate: Arc<Gate>) -> Result<Self, Failure> {
        let api_key = Secret::from_file(&config.api_key_file)?;
        Ok(Self { gate, api_key, service: config.service.clone() })
    }

    fn request(&self, path: String, body: Option<&Value>) -> ProviderCall {
        let header = Some(("x-api-key", self.api_key.clone()));
        let bytes = |body: &Value| ("application/json", Zeroizing::new(body.to_string().into_bytes()));
        ProviderCall { path, header, body: body.map(bytes) }
    }

    async fn read<T: DeserializeOwned>(&self, path: String) -> Result<T, CloudError> {
        parse(&self.gate.read(self.request(path, None)).await.map_err(without_key)?)
    }

    async fn holds(&self, identifier: &Identifier) -> Result<Holds, CloudError> {
        let query = [("identifier", identifier.as_str()), ("identifierType", kind(identifier))];
        let path =
            format!("/api/sessions/services/{}/availability?{}", encode(&self.service), encode_pairs(&query));
        let found: Availability = self.read(path).await?;
        Ok(match (found.discovery_available, found.certificate_found) {
            (true, Some(true)) => Holds::Yes,
            (true, Some(false)) => Holds::No,
            (false, _) | (true, None) => Holds::Unknown,
        })
    }

    async fn start(&self, request: &PermissionRequest) -> Result<Started, CloudError> {
        let back = request.return_url.as_deref().ok_or(CloudError::Permission("a return URL is needed"))?;
        let mark = if back.contains('?') { '&' } else { '?' };
        let mut body = json!({
            "type": match request.scope {
                AuthorizationScope::One => "SingleSignature",
                AuthorizationScope::Session => "SignatureSession",
            },
            "redirectUri": format!("{back}{mark}state={}", request.state),
            "lifetimeInSeconds": request.life.as_secs(),
            "customState": request.binding.expose(),
        });
        if let Some(identifier) = &request.identifier {
            body["identifier"] = json!(identifier.as_str());
        }
        let path = format!("/api/sessions/services/{}", encode(&self.service));
        let answered = self.gate.call(self.request(path, Some(&body))).await.map_err(without_key)?;
        let url = parse::<Opened>(&answered)?.auth_url;
        let auth_url = url
            .filter(|url| url.parse().is_ok_and(|uri| is_safe(&uri)))
            .ok_or_else(|| CloudError::Contract("authUrl is not an https URL".to_owned()))?;
        Ok(Started { auth_url: Some(auth_url), kept: request.binding.clone() })
    }

    async fn complete(
        &self,
        kept: &Secret,
        parameters: &BTreeMap<String, String>,
    ) -> Result<Permission, CloudError> {
        let session =
            parameters.get("session").filter(|text| !text.is_empty() && text.len() <= SESSION_BYTES);
        let session = session
            .ok_or_else(|| CloudError::Refused("the person came back without a session".to_owned()))?;
        let query = encode(session);
        // A session of another request would sign with another person's permission.
        let bound: Option<String> = self.read(format!("/api/sessions/custom-state?session={query}")).await?;
        if bound.as_deref() != Some(kept.expose()) {
            return Err(CloudError::Refused("the session belongs to another request".to_owned()));
        }
        let found: Certificate = self.read(format!("/api/v2/sessions/certificate?session={query}")).await?;
        let certificate = loose_base64(&found.content, "the certificate")?;
        let session = Session { session: session.clone(), alias: found.alias };
        let secret =
            serde_json::to_string(&session).map_err(|error| CloudError::Contract(error.to_string()))?;
        let keys = vec![PermittedKey { secret: Secret::new(secret), certificate }];
        Ok(Permission { identified: None, life: None, keys })
    }

    async fn sign_hash(&self, secret: &Secret, sha256: [u8; 32]) -> Result<Vec<u8>, CloudError> {
        let kept: Session = parse(secret.expose().as_bytes())?;
        let body = json!({
            "session": kept.session,
            "hash": Base64::encode_string(&sha256),
            "digestAlgorithm": "SHA256",
            "certificateAlias": kept.alias,
        });
        let call = self.request("/api/sessions/sign-hash".to_owned(), Some(&body));
        let value: String = parse(&self.gate.call(call).await.map_err(with_key)?)?;
        loose_base64(&value, "the value")
    }
}

impl CloudKeys for Cloudhub {
    fn holds<'a>(&'a self, identifier: &'a Identifier) -> PortFuture<'a, Result<Holds, CloudError>> {
        Box::pin(self.holds(identifier))
    }

    fn asks_by_phone(&self) -> bool {
        false
    }

    fn start<'a>(&'a self, request: &'a PermissionRequest) -> PortFuture<'a, Result<Started, CloudError>> {
        Box::pin(self.start(request))
    }

    fn complete<'a>(
        &'a self,
        kept: &'a Secret,
        parameters: &'a BTreeMap<String, String>,
    ) -> PortFuture<'a, Result<Option<Permission>, CloudError>> {
        Box::pin(async { self.complete(kept, parameters).await.map(Some) })
    }

    fn sign_hash<'a>(
        &'a self,
        secret: &'a Secret,
        sha256: [u8; 32],
    ) -> PortFuture<'a, Result<Vec<u8>, CloudError>> {
        Box::pin(self.sign_hash(secret, sha256))
    }
}

const fn kind(identifier: &Identifier) -> &'static str {
    match identifier {
        Identifier::Cpf(_) => "CPF",
        Identifier::Cnpj(_) => "CNPJ",
    }
}
