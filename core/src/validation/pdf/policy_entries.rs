//! The entries that the policies of ICP-Brasil ask for in the PDF around a signature (DOC-ICP-15.03 v9.1,
//! tables of the security store, of its entry for a signature and of the document time stamp).

use super::OpenFile;
use super::dictionary::PdfSignature;
use crate::digest::{sha1, to_hex};
use crate::pdf::{Dictionary, Document, Object, PdfError};
use crate::validation::document::{DocumentStamps, without_padding};
use crate::validation::policy::PdfEntries;

/// Lists of the security store that AD-RA adds, and what an entry has instead.
const ARTEFACTS: [(&str, &str); 3] = [
    ("PBAD_PolicyArtifacts", "PBAD_PolicyArtifact"),
    ("PBAD_LpaArtifacts", "PBAD_LpaArtifact"),
    ("PBAD_LpaSignatures", "PBAD_LpaSignature"),
];

/// Looks at the file as the youngest valid document time stamp behind the signature covers it, for what came
/// later is not archived; without such a stamp, at the file as it is.
pub(super) fn policy_entries(
    file: &OpenFile<'_>,
    signature: &PdfSignature,
    stamps: &DocumentStamps,
) -> PdfEntries {
    let mut entries = PdfEntries::default();
    let archived = stamps.last_valid_behind(signature.end).and_then(|(end, accredited)| {
        let index = file.history.ending_at(&file.document, end)?;
        let revision = file.history.document(&file.document, index).ok()?;
        Some((revision, accredited))
    });
    match &archived {
        Some((_, accredited)) => entries.accredited = *accredited,
        None => entries.missing_for_complete.push("a valid document time stamp".to_owned()),
    }
    let document = archived.as_ref().map_or(&file.document, |(revision, _)| revision);
    if let Err(error) = check_store(document, &signature.contents, &mut entries) {
        entries.missing_for_any.push(format!("DSS that can be read ({error})"));
    }
    entries
}

fn check_store(document: &Document<'_>, contents: &[u8], entries: &mut PdfEntries) -> Result<(), PdfError> {
    let (_, catalog) = document.catalog()?;
    let Some(store) = document.dictionary(&catalog, b"DSS")? else {
        entries.missing_for_complete.push("DSS".to_owned());
        return Ok(());
    };
    let all = document.dictionary(&store, b"VRI")?;
    if all.is_none() {
        entries.missing_for_any.push("DSS/VRI".to_owned());
    }
    let complete = &mut entries.missing_for_complete;
    if !store.has_name(b"Type", b"DSS") {
        complete.push("DSS/Type".to_owned());
    }
    let lacking = |dictionary: &Dictionary, keys: &[&str], name: &str| {
        let has = has_streams(document, dictionary, keys)?;
        Ok::<_, PdfError>((!has).then(|| format!("{name}/{}", keys.join(" or "))))
    };
    complete.extend(lacking(&store, &["Certs"], "DSS")?);
    complete.extend(lacking(&store, &["CRLs", "OCSPs"], "DSS")?);
    let entry = entry_of(document, &all.unwrap_or_default(), contents)?;
    match &entry {
        Some(entry) => {
            complete.extend(lacking(entry, &["Cert"], "VRI")?);
            complete.extend(lacking(entry, &["CRL", "OCSP"], "VRI")?);
            if !entry.has_name(b"Type", b"VRI") {
                complete.push("VRI/Type".to_owned());
            }
            if entry.get(b"TU").is_some() == entry.get(b"TS").is_some() {
                complete.push("VRI/TU or else TS".to_owned());
            }
        }
        None => complete.push("the signature's entry in VRI".to_owned()),
    }
    let entry = entry.unwrap_or_default();
    for (list, single) in ARTEFACTS {
        entries.missing_for_archive.extend(lacking(&store, &[list], "DSS")?);
        entries.missing_for_archive.extend(lacking(&entry, &[single], "VRI")?);
    }
    Ok(())
}

/// The entry's name is the SHA-1 of Contents in hexadecimal; most writers hash the padding too, in upper
/// case.
fn entry_of(
    document: &Document<'_>,
    all: &Dictionary,
    contents: &[u8],
) -> Result<Option<Dictionary>, PdfError> {
    for hashed in [contents, without_padding(contents)] {
        let key = to_hex(&sha1(hashed));
        for key in [key.to_uppercase(), key] {
            if let Some(entry) = document.dictionary(all, key.as_bytes())? {
                return Ok(Some(entry));
            }
        }
    }
    Ok(None)
}

/// Whether one of the keys holds a stream, or a list whose first element is one.
fn has_streams(document: &Document<'_>, dictionary: &Dictionary, keys: &[&str]) -> Result<bool, PdfError> {
    let is_stream =
        |reference| Ok::<_, PdfError>(document.object(reference)?.is_some_and(|it| it.stream.is_some()));
    for key in keys {
        let Some(value) = dictionary.get(key.as_bytes()) else { continue };
        if let Some(reference) = value.as_reference()
            && is_stream(reference)?
        {
            return Ok(true);
        }
        if let Object::Array(list) = document.resolve(value)?
            && let Some(first) = list.first().and_then(Object::as_reference)
            && is_stream(first)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}
