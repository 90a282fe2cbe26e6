//! Names of the files that a batch gives: told by references, good on every file system, each once.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use rubrica_core::wire::SignatureFormat;

/// Bytes of a name before its extension: file systems take 255 in all.
const MOST_BYTES: usize = 200;
/// Names that mean a device on Windows, whatever follows their dot.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// Gives names, each once. Asked again in the same order it gives the same ones.
#[derive(Debug)]
pub(crate) struct Names {
    format: SignatureFormat,
    /// Hashes of the names that were given: a hundred thousand of them are small, and two that fall together cost a number
    /// behind a name.
    taken: HashSet<u64>,
}

impl Names {
    /// Names for artefacts of this format.
    pub(crate) fn new(format: SignatureFormat) -> Self {
        Self { format, taken: HashSet::new() }
    }

    /// The name for a reference, which may be anything. `position` tells references apart that would get the same.
    pub(crate) fn of_reference(&mut self, reference: &str, position: i64) -> String {
        let name = signed_name(self.format, &plain(reference));
        self.take(name, position)
    }

    /// As given, or with a number when it was given before: file systems differ in whether `A` is `a`.
    pub(crate) fn take(&mut self, name: String, position: i64) -> String {
        if self.is_new(&name) {
            return name;
        }
        let stem_end = name.rfind('.').unwrap_or(name.len());
        let (stem, extension) = name.split_at(stem_end);
        let numbered = (0_u32..).map(|further| match further {
            0 => format!("{stem}-{position}{extension}"),
            _ => format!("{stem}-{position}-{further}{extension}"),
        });
        let mut free = numbered.filter(|name| self.is_new(name));
        free.next().expect("there are more numbers than names")
    }

    fn is_new(&mut self, name: &str) -> bool {
        // Without a seed of the process: the same names again give the same hashes.
        let mut hash = DefaultHasher::new();
        name.to_lowercase().hash(&mut hash);
        self.taken.insert(hash.finish())
    }
}

/// `contract.pdf` stays so for a signed PDF and becomes `contract.pdf.p7s` for the signature beside it.
pub(crate) fn signed_name(format: SignatureFormat, name: &str) -> String {
    let is_pdf = name.rsplit_once('.').is_some_and(|(_, extension)| extension.eq_ignore_ascii_case("pdf"));
    match format {
        SignatureFormat::Pades if is_pdf => name.to_owned(),
        SignatureFormat::Pades => format!("{name}.pdf"),
        SignatureFormat::Cades => format!("{name}.p7s"),
    }
}

/// A name in one folder that every file system takes: no path, nothing hidden, nothing special.
fn plain(reference: &str) -> String {
    let is_special = |c: char| c.is_control() || r#"/\:*?"<>|"#.contains(c);
    let mut name: String = reference.chars().map(|c| if is_special(c) { '_' } else { c }).collect();
    let mut end = name.len().min(MOST_BYTES);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name.truncate(end);
    let name = name.trim().trim_end_matches(['.', ' ']);
    let device = name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let numbered = device.len() == 4 && (device.starts_with("com") || device.starts_with("lpt"));
    if name.is_empty() || name.starts_with('.') || numbered || DEVICES.contains(&device.as_str()) {
        return format!("_{name}");
    }
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_never_leaves_its_folder_and_keeps_what_it_says() {
        let mut names = Names::new(SignatureFormat::Cades);
        let long = "ã".repeat(128);
        for (reference, expected) in [
            ("contrato 1", "contrato 1.p7s".to_owned()),
            ("a.pdf", "a.pdf.p7s".to_owned()),
            ("../../etc/passwd", "_.._.._etc_passwd.p7s".to_owned()),
            ("..", "_.p7s".to_owned()),
            ("/", "_-5.p7s".to_owned()),
            ("C:\\x\u{0}\n", "C__x__.p7s".to_owned()),
            (".hidden", "_.hidden.p7s".to_owned()),
            (" nul.txt ", "_nul.txt.p7s".to_owned()),
            ("com1", "_com1.p7s".to_owned()),
            (&long, format!("{}.p7s", "ã".repeat(100))),
        ]
        .into_iter()
        .zip(1..)
        .map(|((reference, expected), position)| ((reference, position), expected))
        {
            assert_eq!(names.of_reference(reference.0, reference.1), expected, "{reference:?}");
        }
    }

    #[test]
    fn no_name_is_given_twice_and_the_same_list_gives_the_same_names() {
        let references = ["a/b", "a_b", "A_B", "a_b-3", "x.pdf", "x"];
        for (format, expected) in [
            (
                SignatureFormat::Cades,
                ["a_b.p7s", "a_b-2.p7s", "A_B-3.p7s", "a_b-3-4.p7s", "x.pdf.p7s", "x.p7s"],
            ),
            (
                SignatureFormat::Pades,
                ["a_b.pdf", "a_b-2.pdf", "A_B-3.pdf", "a_b-3-4.pdf", "x.pdf", "x-6.pdf"],
            ),
        ] {
            for _ in 0..2 {
                let mut names = Names::new(format);
                let given: Vec<_> = references
                    .iter()
                    .zip(1..)
                    .map(|(one, position)| names.of_reference(one, position))
                    .collect();
                assert_eq!(given, expected);
            }
        }
    }
}
