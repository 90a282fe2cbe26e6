//! Documents: read once in pieces, hashed on the way, never in memory as a whole.

use base64ct::{Base64, Encoding};
use js_sys::{Promise, Uint8Array};
use rubrica_core::ErrorCode;
use rubrica_core::digest::Sha256Stream;
use rubrica_core::flow::DocumentRead;
use rubrica_core::to_sign::{self, Agreed};
use rubrica_core::wire::{Artefact, SignatureFormat, ToSign};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, ReadableStreamDefaultReader};

use crate::js::{self, Sure};

/// A reader of PDF looks for the header this far (ISO 32000-2, annex I.3.2 note).
const PDF_HEADER_WITHIN: usize = 1024;

/// After so many bytes the event loop gets its turn, so that the page stays alive.
const BREATH_BYTES: u64 = 8 << 20;

/// A document that was read to its end.
#[derive(Debug, Clone)]
pub struct Document {
    hashed: Sha256Stream,
    sha256: [u8; 32],
    head: Vec<u8>,
}

impl Document {
    /// Reads a blob. `is_wanted` is asked between pieces.
    ///
    /// # Errors
    /// `file_unreadable` when the browser cannot read it (moved, changed, too large for it);
    /// `user_cancelled` when it is no longer wanted.
    pub async fn read(blob: &Blob, is_wanted: impl Fn() -> bool) -> Result<Self, ErrorCode> {
        let mut document = Self { hashed: Sha256Stream::new(), sha256: [0; 32], head: Vec::new() };
        document.feed(blob, is_wanted).await?;
        document.sha256.copy_from_slice(document.hashed.clone().finish().as_bytes());
        Ok(document)
    }

    /// What the flow wants to know.
    #[must_use]
    pub fn facts(&self) -> DocumentRead {
        let starts_as_pdf = self.head.windows(5).any(|window| window == b"%PDF-");
        DocumentRead { sha256: hex(&self.sha256), starts_as_pdf }
    }

    /// Value of `Content-Digest` (RFC 9530).
    #[must_use]
    pub fn content_digest(&self) -> String {
        format!("sha-256=:{}:", Base64::encode_string(&self.sha256))
    }

    /// Whether a device may sign this: everything recomputed from the document that was read.
    ///
    /// # Errors
    /// `to_sign_mismatch`.
    pub fn check(
        &self,
        to_sign: &ToSign,
        format: SignatureFormat,
        thumbprint: &str,
    ) -> Result<(), ErrorCode> {
        let certificate_sha256 = Base64::decode_vec(thumbprint).map_err(|_| ErrorCode::ToSignMismatch)?;
        let agreed = Agreed { document: &self.hashed, format, certificate_sha256: &certificate_sha256 };
        to_sign::check(to_sign, &agreed).map(|_digest| ()).map_err(|mismatch| mismatch.code())
    }

    /// Whether the bytes that the service released are the announced ones and, for a PDF, start with every byte of
    /// this document: the signature is appended, what the person saw is untouched.
    ///
    /// # Errors
    /// `digest_mismatch` for other bytes than announced, `to_sign_mismatch` for another document.
    pub async fn check_artefact(
        &self,
        released: &Blob,
        artefact: &Artefact,
        format: SignatureFormat,
        is_wanted: impl Fn() -> bool,
    ) -> Result<(), ErrorCode> {
        let mut read = Self { hashed: Sha256Stream::new(), sha256: [0; 32], head: Vec::new() };
        let mut rest = released.clone();
        if format == SignatureFormat::Pades {
            #[expect(clippy::cast_precision_loss, reason = "a Blob has less than 2^53 bytes")]
            let own_length = self.hashed.size_bytes() as f64;
            let part =
                released.slice_with_f64_and_f64(0.0, own_length).map_err(|_| ErrorCode::FileUnreadable)?;
            read.feed(&part, &is_wanted).await?;
            if read.hashed.clone().finish().as_bytes() != self.sha256 {
                return Err(ErrorCode::ToSignMismatch);
            }
            rest = released.slice_with_f64(own_length).map_err(|_| ErrorCode::FileUnreadable)?;
        }
        read.feed(&rest, is_wanted).await?;
        let size_bytes = read.hashed.size_bytes();
        let sha256 = hex(read.hashed.finish().as_bytes());
        if sha256 != artefact.sha256 || size_bytes != artefact.size_bytes {
            return Err(ErrorCode::DigestMismatch);
        }
        Ok(())
    }

    async fn feed(&mut self, blob: &Blob, is_wanted: impl Fn() -> bool) -> Result<(), ErrorCode> {
        let reader: ReadableStreamDefaultReader = blob.stream().get_reader().unchecked_into();
        let mut piece = Vec::new();
        let mut next_breath = self.hashed.size_bytes() + BREATH_BYTES;
        loop {
            let read = JsFuture::from(reader.read()).await.map_err(|_| ErrorCode::FileUnreadable)?;
            let Ok(bytes) = js::member(&read, "value").dyn_into::<Uint8Array>() else { return Ok(()) };
            if !is_wanted() {
                // Nobody waits for the outcome of giving the stream back.
                let _cancelled = reader.cancel();
                return Err(ErrorCode::UserCancelled);
            }
            piece.resize(bytes.length() as usize, 0);
            bytes.copy_to(&mut piece);
            let missing = PDF_HEADER_WITHIN.saturating_sub(self.head.len()).min(piece.len());
            self.head.extend_from_slice(&piece[..missing]);
            self.hashed.update(&piece);
            if self.hashed.size_bytes() >= next_breath {
                next_breath += BREATH_BYTES;
                sleep(0).await;
            }
        }
    }
}

/// Resolves after so many milliseconds.
pub(crate) async fn sleep(after_ms: i32) {
    let promise = Promise::new(&mut |resolve, _reject| {
        js::window()
            .set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, after_ms)
            .sure("a window has timers");
    });
    JsFuture::from(promise).await.sure("a timer never rejects");
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|b| [b >> 4, b & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}
