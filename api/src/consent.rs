//! The texts that people agree to before a key of theirs is kept. A text never changes under its version.

use rubrica_core::wire::ConsentText;

use crate::hex;
use crate::objects::sha256;

/// Version of the texts.
const VERSION: &str = "key-custody-1";

/// Languages and their texts.
const TEXTS: [(&str, &str); 3] = [
    ("pt-BR", include_str!("../consents/key-custody-1.pt-BR.txt")),
    ("en", include_str!("../consents/key-custody-1.en.txt")),
    ("es", include_str!("../consents/key-custody-1.es.txt")),
];

/// All texts of this version.
pub(crate) fn texts() -> Vec<ConsentText> {
    let text = |(language, text): (&str, &str)| ConsentText {
        text_version: VERSION.to_owned(),
        language: language.to_owned(),
        text: text.to_owned(),
        text_sha256: hex::encode(sha256(text.as_bytes())),
    };
    TEXTS.map(text).into()
}

/// The text of this version and language, if it is exactly the one that was shown.
pub(crate) fn shown(version: &str, language: &str, text_sha256: &str) -> Option<ConsentText> {
    texts().into_iter().find(|text| {
        text.text_version == version && text.language == language && text.text_sha256 == text_sha256
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever changes a text gives it another version: these digests stand in consents.
    #[test]
    fn a_text_never_changes_under_its_version() {
        let digests: Vec<_> = texts().iter().map(|text| text.text_sha256[..16].to_owned()).collect();
        assert_eq!(digests, DIGESTS);
    }

    const DIGESTS: [&str; 3] = ["25b56cf3d5458a1d", "7f0599ce3293f41a", "264f979c9a39628a"];

    #[test]
    fn a_text_that_was_shown_otherwise_is_no_text_of_ours() {
        let text = &texts()[0];
        assert_eq!(shown(VERSION, "pt-BR", &text.text_sha256).as_ref(), Some(text));
        assert_eq!(shown(VERSION, "en", &text.text_sha256), None);
        assert_eq!(shown("key-custody-0", "pt-BR", &text.text_sha256), None);
        assert_eq!(shown(VERSION, "pt-BR", &"0".repeat(64)), None);
    }
}
