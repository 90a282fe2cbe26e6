//! A provider of cloud certificates, spoken to directly: the interface of DOC-ICP-17.01, which is OAuth 2.0 (RFC 6749) with PKCE
//! (RFC 7636).
//!
//! Providers differ in what the norm leaves open; each difference is a setting of [`config::CloudService`]. One hash travels in a
//! call, so that the providers' limits of hashes per call do not matter.

mod phone;
mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use rubrica_core::icp_brasil::Identifier;
use rubrica_core::wire::AuthorizationScope;
use serde_json::json;
use zeroize::Zeroizing;

use super::{Gate, encode_pairs, loose_base64, parse, with_key, without_key};
use crate::config::{self, HashEncoding, TokenBody};
use crate::failure::Failure;
use crate::fetch::{ProviderCall, ProviderFailure};
use crate::hex;
use crate::objects::sha256;
use crate::ports::PortFuture;
use crate::ports::cloud::{
    CloudError, CloudKeys, Holds, Permission, PermissionRequest, PermittedKey, Started,
};
use crate::secret::Secret;
use wire::{Certificates, Discovery, Kept, PermittedBy, Refusal, Signed, Token};

/// Longest `code` and longest token that are taken.
const SECRET_BYTES: usize = 16 * 1024;
/// SHA-256.
const SHA256_OID: &str = "2.16.840.1.101.3.4.2.1";
/// What the provider may show the person for the hash; the name of a document would be told to a third party.
const HASH_LABEL: &str = "Rubrica";

/// One provider.
#[derive(Debug)]
pub(crate) struct Psc {
    gate: Arc<Gate>,
    base_path: String,
    client_id: String,
    client_secret: Secret,
    hash_encoding: HashEncoding,
    token_body: TokenBody,
    /// Where it is asked whether somebody decided on their phone; empty when it cannot ask there.
    push_path: String,
}

impl Psc {
    /// # Errors
    /// `file_unreadable` for the secret.
    pub(crate) fn new(config: &config::CloudService, gate: Arc<Gate>) -> Result<Self, Failure> {
        Ok(Self {
            gate,
            base_path: config.base_path.trim_end_matches('/').to_owned(),
            client_id: config.client_id.clone(),
            client_secret: Secret::from_file(&config.client_secret_file)?,
            hash_encoding: config.hash_encoding,
            token_body: config.token_body,
            push_path: config.push_path.clone(),
        })
    }

    fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.base_path)
    }

    fn post_json(&self, name: &str, token: Option<&Secret>, body: &serde_json::Value) -> ProviderCall {
        let bytes = Zeroizing::new(body.to_string().into_bytes());
        let body = Some(("application/json", bytes));
        ProviderCall { path: self.path(name), header: token.map(bearer), body }
    }

    async fn holds(&self, identifier: &Identifier) -> Result<Holds, CloudError> {
        let body = json!({
            "client_id": self.client_id,
            "client_secret": self.client_secret.expose(),
            "user_cpf_cnpj": kind(identifier),
            "val_cpf_cnpj": identifier.as_str(),
        });
        let call = self.post_json("user-discovery", None, &body);
        let found: Discovery = parse(&self.gate.read(call).await.map_err(without_key)?)?;
        match found.status.as_str() {
            "S" => Ok(Holds::Yes),
            "N" => Ok(Holds::No),
            _ => Err(CloudError::Contract("status is neither S nor N".to_owned())),
        }
    }

    /// The person's browser makes the first call, unless they are asked on their phone.
    async fn start(&self, request: &PermissionRequest) -> Result<Started, CloudError> {
        let redirect_uri = request.return_url.as_deref().unwrap_or(phone::REDIRECT_URI);
        let challenge = Base64UrlUnpadded::encode_string(&sha256(request.binding.expose().as_bytes()));
        let lifetime = request.life.as_secs().to_string();
        let mut query = vec![
            ("response_type", "code"),
            ("client_id", &*self.client_id),
            ("redirect_uri", redirect_uri),
            ("scope", scope(request.scope)),
            ("lifetime", &*lifetime),
            ("code_challenge", &*challenge),
            ("code_challenge_method", "S256"),
        ];
        if let Some(identifier) = &request.identifier {
            query.push(("login_hint", identifier.as_str()));
        }
        let mut kept = Kept {
            verifier: request.binding.expose().to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            scope: scope(request.scope).to_owned(),
            asked: None,
        };
        let auth_url = if request.return_url.is_some() {
            query.push(("state", &*request.state));
            Some(self.gate.url(&format!("{}?{}", self.path("authorize"), encode_pairs(&query))))
        } else {
            kept.asked = Some(self.ask_phone(&query).await?);
            None
        };
        Ok(Started { auth_url, kept: secret_of(&kept)? })
    }

    async fn complete(
        &self,
        kept: &Secret,
        parameters: &BTreeMap<String, String>,
    ) -> Result<Option<Permission>, CloudError> {
        let kept: Kept = parse(kept.expose().as_bytes())?;
        if let Some(asked) = &kept.asked {
            let Some(code) = self.heard_from_phone(asked).await? else { return Ok(None) };
            return self.exchange(&kept, &code).await.map(Some);
        }
        if let Some(error) = parameters.get("error") {
            return Err(CloudError::Refused(wire::oauth_error(error)));
        }
        let code = parameters.get("code").filter(|text| !text.is_empty() && text.len() <= SECRET_BYTES);
        let code =
            code.ok_or_else(|| CloudError::Refused("the person came back without a code".to_owned()))?;
        self.exchange(&kept, code).await.map(Some)
    }

    async fn exchange(&self, kept: &Kept, code: &str) -> Result<Permission, CloudError> {
        // A code is good for one exchange (RFC 6749 §4.1.2), so the call is never repeated.
        let answered = self.gate.call(self.token_request(kept, code)).await.map_err(refused_by_oauth)?;
        let token: Token = parse(&answered)?;
        let (identified, life) = check(&token, kept)?;
        let secret = Secret::new(token.access_token);
        let call = ProviderCall {
            path: self.path("certificate-discovery"),
            header: Some(bearer(&secret)),
            body: None,
        };
        let found: Certificates = parse(&self.gate.read(call).await.map_err(without_key)?)?;
        let mut keys = Vec::new();
        for one in found.certificates {
            let certificate = wire::certificate(&one.certificate)?;
            let permitted = PermittedBy { token: secret.expose().to_owned(), alias: one.alias };
            keys.push(PermittedKey { secret: secret_of(&permitted)?, certificate });
        }
        if keys.is_empty() {
            return Err(CloudError::Refused("there is no certificate".to_owned()));
        }
        Ok(Permission { identified, life: Some(life), keys })
    }

    fn token_request(&self, kept: &Kept, code: &str) -> ProviderCall {
        let pairs = [
            ("grant_type", "authorization_code"),
            ("client_id", &*self.client_id),
            ("client_secret", self.client_secret.expose()),
            ("code", code),
            ("redirect_uri", &*kept.redirect_uri),
            ("code_verifier", &*kept.verifier),
        ];
        let body = match self.token_body {
            TokenBody::Form => ("application/x-www-form-urlencoded", encode_pairs(&pairs)),
            TokenBody::Json => ("application/json", json!(BTreeMap::from(pairs)).to_string()),
        };
        let body = Some((body.0, Zeroizing::new(body.1.into_bytes())));
        ProviderCall { path: self.path("token"), header: None, body }
    }

    async fn sign_hash(&self, secret: &Secret, sha256: [u8; 32]) -> Result<Vec<u8>, CloudError> {
        let permitted: PermittedBy = parse(secret.expose().as_bytes())?;
        let id = hex::encode(crate::random::bytes::<8>());
        let body = json!({
            "certificate_alias": permitted.alias,
            "hashes": [{
                "id": id,
                "alias": HASH_LABEL,
                "hash": match self.hash_encoding {
                    HashEncoding::Base64 => Base64::encode_string(&sha256),
                    HashEncoding::Hex => hex::encode(sha256),
                },
                "hash_algorithm": SHA256_OID,
                "signature_format": "RAW",
            }],
        });
        let call = self.post_json("signature", Some(&Secret::new(permitted.token)), &body);
        let signed: Signed = parse(&self.gate.call(call).await.map_err(with_key)?)?;
        match &*signed.signatures {
            [one] if one.id == id => loose_base64(&one.raw_signature, "the value"),
            [..] => Err(CloudError::Contract("the signature is not the one of the hash".to_owned())),
        }
    }
}

impl CloudKeys for Psc {
    fn holds<'a>(&'a self, identifier: &'a Identifier) -> PortFuture<'a, Result<Holds, CloudError>> {
        Box::pin(self.holds(identifier))
    }

    fn asks_by_phone(&self) -> bool {
        !self.push_path.is_empty()
    }

    fn start<'a>(&'a self, request: &'a PermissionRequest) -> PortFuture<'a, Result<Started, CloudError>> {
        Box::pin(self.start(request))
    }

    fn complete<'a>(
        &'a self,
        kept: &'a Secret,
        parameters: &'a BTreeMap<String, String>,
    ) -> PortFuture<'a, Result<Option<Permission>, CloudError>> {
        Box::pin(self.complete(kept, parameters))
    }

    fn sign_hash<'a>(
        &'a self,
        secret: &'a Secret,
        sha256: [u8; 32],
    ) -> PortFuture<'a, Result<Vec<u8>, CloudError>> {
        Box::pin(self.sign_hash(secret, sha256))
    }
}

/// Whom the token is for and how long it lives. A token of another kind than asked for is not used.
fn check(token: &Token, kept: &Kept) -> Result<(Option<Identifier>, Duration), CloudError> {
    let contract = |what: &str| Err(CloudError::Contract(what.to_owned()));
    if token.access_token.is_empty() || token.access_token.len() > SECRET_BYTES {
        return contract("access_token is empty or too long");
    }
    if !token.token_type.eq_ignore_ascii_case("bearer") {
        return contract("token_type is not Bearer");
    }
    if token.scope.as_ref().is_some_and(|scope| *scope != kept.scope) {
        return contract("the scope is not the one that was asked for");
    }
    let identified = token.authorized_identification.as_deref().map(str::parse);
    let Ok(identified) = identified.transpose() else {
        return contract("authorized_identification is neither a CPF nor a CNPJ");
    };
    Ok((identified, Duration::from_secs(token.expires_in)))
}

/// What a token endpoint refuses with (RFC 6749 §5.2) is the person's matter when it is about the code, else the operator's.
fn refused_by_oauth(failure: ProviderFailure) -> CloudError {
    if let ProviderFailure::Status { status: 400 | 401, body, .. } = &failure
        && let Ok(Refusal { error }) = serde_json::from_slice(body)
    {
        return CloudError::Refused(wire::oauth_error(&error));
    }
    without_key(failure)
}

fn bearer(token: &Secret) -> (&'static str, Secret) {
    ("authorization", Secret::new(format!("Bearer {}", token.expose())))
}

fn secret_of(kept: &impl serde::Serialize) -> Result<Secret, CloudError> {
    serde_json::to_string(kept).map(Secret::new).map_err(|error| CloudError::Contract(error.to_string()))
}

const fn scope(scope: AuthorizationScope) -> &'static str {
    match scope {
        AuthorizationScope::One => "single_signature",
        AuthorizationScope::Session => "signature_session",
    }
}

const fn kind(identifier: &Identifier) -> &'static str {
    match identifier {
        Identifier::Cpf(_) => "CPF",
        Identifier::Cnpj(_) => "CNPJ",
    }
}
