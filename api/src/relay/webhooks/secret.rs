//! Secrets of webhooks: made here, kept encrypted, and what is signed with them.

use std::fmt;

use aws_lc_rs::hmac;
use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

use crate::ids::WebhookId;
use crate::random;
use crate::sealing::SealingKey;

/// Length of the secrets that are made here; the convention allows 24 to 64 bytes.
const SECRET_BYTES: usize = 32;

/// Key of a webhook's signatures.
pub(super) struct WebhookSecret(Zeroizing<Vec<u8>>);

impl WebhookSecret {
    /// Makes one that nobody can guess.
    pub(super) fn generate() -> Self {
        Self(Zeroizing::new(random::bytes::<SECRET_BYTES>().to_vec()))
    }

    /// The form in which its owner gets it: `whsec_` and standard base64.
    pub(super) fn to_text(&self) -> String {
        format!("whsec_{}", Base64::encode_string(&self.0))
    }

    /// The signature of a message: `v1,` and HMAC-SHA-256 of `id.timestamp.body` in standard base64
    /// ([Standard Webhooks](https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md)).
    pub(super) fn sign(&self, id: &str, timestamp: u64, body: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        let tag = hmac::sign(&key, format!("{id}.{timestamp}.{body}").as_bytes());
        format!("v1,{}", Base64::encode_string(tag.as_ref()))
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(***)")
    }
}

/// Encrypts a secret for the database, bound to its webhook. A copy of the database alone forges no message.
pub(super) fn seal(key: &SealingKey, webhook: &WebhookId, secret: &WebhookSecret) -> Vec<u8> {
    key.seal(&secret.0, webhook.as_ref().as_bytes())
}

/// Reads what [`seal`] made; `None` under another key or for another webhook.
pub(super) fn open(key: &SealingKey, webhook: &WebhookId, sealed: &[u8]) -> Option<WebhookSecret> {
    key.open(sealed, webhook.as_ref().as_bytes()).map(|secret| WebhookSecret(Zeroizing::new(secret)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_signed_as_the_convention_shows() {
        // The example of the convention's reference libraries.
        let secret = Base64::decode_vec("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let secret = WebhookSecret(Zeroizing::new(secret));
        let signature = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(secret.to_text(), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    }

    #[test]
    fn a_secret_opens_for_its_webhook_and_for_no_other() {
        let (key, ids) = (SealingKey::new(&[1; 32]), [0, 1].map(|_| WebhookId::generate()));
        let secret = WebhookSecret::generate();
        let sealed = seal(&key, &ids[0], &secret);
        assert_eq!(open(&key, &ids[0], &sealed).unwrap().to_text(), secret.to_text());
        assert!(open(&key, &ids[1], &sealed).is_none());
    }
}
