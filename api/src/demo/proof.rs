//! The line that says the instance works: a sample signed with a key of the token and verified.

use std::sync::Arc;
use std::time::Instant;

use rubrica_core::ErrorCode;
use rubrica_core::wire::SignatureFormat;

use super::files::PORTAL;
use super::people::find;
use super::sample;
use crate::app::App;
use crate::engine::once::{self, Request};
use crate::engine::target::Target;
use crate::failure::Failure;
use crate::store;

/// Signs a sample PDF through the same steps as every other signature, which end with a validation.
pub(crate) async fn sign_sample(app: &Arc<App>) -> Result<String, Failure> {
    let begun = Instant::now();
    let ana = find("ana").expect("Ana is one of the people");
    let signer = app.lookup.hash(&ana.identifier.parse().expect("a test checks the numbers of the people"));
    let now = app.clock.now();
    let key = app
        .store
        .read(move |connection| store::keys::find_active(connection, PORTAL, &signer, now))
        .await
        .map_err(|error| Failure::of(ErrorCode::DataFolderUnwritable, error.to_string()))?
        .ok_or_else(|| Failure::of(ErrorCode::KeyNotFound, "the demo's certificates have ended"))?;
    let request = Request {
        key,
        name: "sample.pdf".to_owned(),
        document: sample::pdf("Rubrica: sample signed at the start of the demo. TEST"),
        password: None,
        target: Target::basic(SignatureFormat::Pades),
        pdf: None,
    };
    let signed = once::sign(app, request).await?;
    Ok(format!(
        "Signed and verified a sample PDF with a key in the HSM: PAdES-B, {} bytes, {} ms",
        signed.artefact.size_bytes,
        begun.elapsed().as_millis()
    ))
}
