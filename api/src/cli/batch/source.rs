//! What is to be signed: the files of a folder, or the lines of a manifest.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use rubrica_core::ErrorCode;
use rubrica_core::wire::{BatchHeader, BatchLine, SignatureFormat, SignaturePolicy};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Arguments;
use super::plan::{Content, Item, Plan};
use crate::cli::output::{read_file, unreadable};
use crate::engine::batch::names::{Names, signed_name};
use crate::failure::Failure;

/// Items of one batch.
const MOST_ITEMS: usize = 100_000;
/// Characters of a reference.
const LONGEST_REFERENCE: usize = 128;

/// A folder or a manifest, with what holds for all items.
#[derive(Debug)]
pub(super) struct Source {
    path: PathBuf,
    batch: BatchHeader,
    /// Further lines of a manifest.
    lines: Option<Vec<(usize, String)>>,
}

/// A line of a manifest: as over HTTP, or with a `file` on this machine.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    reference: String,
    #[serde(default)]
    sha256: Option<String>,
    #[serde(default)]
    document_id: Option<String>,
    /// Relative to the manifest.
    #[serde(default)]
    file: Option<PathBuf>,
    #[serde(default)]
    name: Option<String>,
}

impl Source {
    /// Looks what it is, and reads the first line of a manifest.
    pub(super) fn open(arguments: &Arguments) -> Result<Self, Failure> {
        let path =
            fs::canonicalize(&arguments.source).map_err(|error| unreadable(&arguments.source, &error))?;
        utf8(&path)?;
        if path.is_dir() {
            let batch = BatchHeader {
                name: None,
                reference: None,
                key_id: arguments.key.clone().ok_or_else(|| {
                    Failure::of(ErrorCode::Usage, "a folder is signed with the key of --key")
                })?,
                format: arguments.format.map_or(SignatureFormat::Pades, Into::into),
                level: arguments.level.map(Into::into),
                policy: arguments.policy.map_or(SignaturePolicy::None, Into::into),
            };
            return Ok(Self { path, batch, lines: None });
        }
        let is_said_twice = arguments.key.is_some()
            || arguments.format.is_some()
            || arguments.level.is_some()
            || arguments.policy.is_some();
        if is_said_twice {
            return Err(Failure::of(
                ErrorCode::Usage,
                "--key, --format, --level and --policy go with a folder: a manifest says them in its first line",
            ));
        }
        let text = String::from_utf8(read_file(&path)?).map_err(|_| invalid(&path, 1, "it is not UTF-8"))?;
        let mut lines = (1..)
            .zip(text.lines())
            .filter(|(_, line)| !line.trim().is_empty())
            .map(|(number, line)| (number, line.to_owned()));
        let (number, first) =
            lines.next().ok_or_else(|| invalid(&path, 1, "it is empty; its first line is the header"))?;
        let batch = parse(&path, number, &first)?;
        Ok(Self { lines: Some(lines.collect()), batch, path })
    }

    /// A batch that was begun is gone on with only for the same source, key and kind of signature.
    pub(super) fn must_be_of(&self, plan: &Plan, output: &Path) -> Result<(), Failure> {
        let same = |a: &BatchHeader, b: &BatchHeader| {
            (&a.key_id, a.format, a.level, a.policy) == (&b.key_id, b.format, b.level, b.policy)
        };
        if plan.head.source == self.path && same(&plan.head.batch, &self.batch) {
            return Ok(());
        }
        Err(Failure::new(
            ErrorCode::Usage,
            format!("{} holds a batch of another source, key or kind of signature", output.display()),
            "Run the command that began it with --resume, or choose another output folder",
        ))
    }

    /// Lists everything, before anything is signed.
    pub(super) fn plan(self, output: &Path) -> Result<Plan, Failure> {
        let items = match &self.lines {
            None => self.of_folder(output)?,
            Some(lines) => self.of_manifest(lines)?,
        };
        if items.is_empty() {
            return Err(Failure::new(
                ErrorCode::ManifestInvalid,
                format!("there is nothing to sign in {}", self.path.display()),
                "Give a folder with files, or a manifest with a line for each item",
            ));
        }
        if items.len() > MOST_ITEMS {
            return Err(Failure::new(
                ErrorCode::LimitExceeded,
                format!("{} has more than {MOST_ITEMS} items", self.path.display()),
                "Divide it into several batches",
            ));
        }
        for item in &items {
            let target = output.join(&item.file);
            if target.symlink_metadata().is_ok() {
                return Err(Failure::new(
                    ErrorCode::Usage,
                    format!("{} would be written over", target.display()),
                    "Choose another output folder",
                ));
            }
        }
        Ok(Plan::new(self.path, self.batch, items))
    }

    fn of_folder(&self, output: &Path) -> Result<Vec<Item>, Failure> {
        let mut files = Vec::new();
        // Results of this run and of earlier ones are no input.
        let output = fs::canonicalize(output).map_err(|error| unreadable(output, &error))?;
        if output == self.path {
            return Err(Failure::of(ErrorCode::Usage, "the output folder is the one that is signed"));
        }
        walk(&self.path, &output, &mut files)?;
        files.sort();
        let mut names = Names::new(self.batch.format);
        let mut items = Vec::with_capacity(files.len());
        for (path, position) in files.into_iter().zip(1..) {
            let within = path.strip_prefix(&self.path).expect("found below it");
            let (whole, name) = (utf8(within)?, utf8(path.file_name().map_or(within, Path::new))?);
            let file = within.with_file_name(signed_name(self.batch.format, name));
            let file = names.take(utf8(&file)?.to_owned(), position).into();
            let (reference, name) = (reference(whole, position), Some(name.to_owned()));
            items.push(Item { reference, name, content: Content::File(path), file });
        }
        Ok(items)
    }

    fn of_manifest(&self, lines: &[(usize, String)]) -> Result<Vec<Item>, Failure> {
        let beside = self.path.parent().unwrap_or_else(|| Path::new("/"));
        let mut names = Names::new(self.batch.format);
        let mut references = HashSet::new();
        let mut items = Vec::with_capacity(lines.len());
        for ((number, text), position) in lines.iter().zip(1..) {
            let Line { reference, sha256, document_id, file, name } = parse(&self.path, *number, text)?;
            let name_of_file = file.as_deref().and_then(Path::file_name).and_then(|name| name.to_str());
            let name = name.or_else(|| name_of_file.map(ToOwned::to_owned));
            // A file is uploaded or hashed, so its line is one of a document as far as the rules of lines go.
            let stand_in = document_id.clone().or_else(|| file.as_ref().map(|_| String::new()));
            let line = BatchLine { reference, sha256: sha256.clone(), document_id: stand_in, name };
            line.content(self.batch.format)
                .map_err(|error| invalid(&self.path, *number, &error.to_string()))?;
            let content = match (file, sha256, document_id) {
                (Some(_), _, Some(_)) => {
                    let what = "give exactly one of `sha256`, `document_id` and `file`";
                    return Err(invalid(&self.path, *number, what));
                }
                (Some(file), ..) => Content::File(beside.join(file)),
                (None, Some(sha256), _) => Content::Sha256(sha256),
                (None, None, id) => Content::DocumentId(id.unwrap_or_default()),
            };
            if !references.insert(line.reference.clone()) {
                return Err(invalid(&self.path, *number, "`reference` is that of an earlier line"));
            }
            let file = names.of_reference(&line.reference, position).into();
            items.push(Item { reference: line.reference, name: line.name, content, file });
        }
        Ok(items)
    }
}

/// Every file below a folder but hidden ones. Links to folders are not followed: they may lead round in a circle.
fn walk(folder: &Path, output: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let entries = fs::read_dir(folder).map_err(|error| unreadable(folder, &error))?;
    for entry in entries {
        let entry = entry.map_err(|error| unreadable(folder, &error))?;
        let path = entry.path();
        if entry.file_name().as_encoded_bytes().starts_with(b".") || path == output {
            continue;
        }
        let kind = entry.file_type().map_err(|error| unreadable(&path, &error))?;
        if kind.is_dir() {
            walk(&path, output, files)?;
        } else if path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

/// The path within the folder; of a long one its end, told apart by its position.
fn reference(within: &str, position: i64) -> String {
    let length = within.chars().count();
    if length <= LONGEST_REFERENCE {
        return within.to_owned();
    }
    let mark = format!("{position}:…");
    let rest: String = within.chars().skip(length + mark.chars().count() - LONGEST_REFERENCE).collect();
    format!("{mark}{rest}")
}

fn utf8(path: &Path) -> Result<&str, Failure> {
    path.to_str().ok_or_else(|| {
        Failure::new(
            ErrorCode::FileUnreadable,
            format!("the name of {} is not UTF-8", path.display()),
            "Give the file another name",
        )
    })
}

fn parse<T: DeserializeOwned>(manifest: &Path, number: usize, line: &str) -> Result<T, Failure> {
    let reader = &mut serde_json::Deserializer::from_str(line);
    let value = serde_path_to_error::deserialize(&mut *reader).map_err(|error| {
        // The value stays out of the message: it may be anything.
        match error.path().to_string() {
            path if path == "." => invalid(manifest, number, "not a JSON object of the documented shape"),
            path => invalid(manifest, number, &format!("`{path}` is not of the documented shape")),
        }
    })?;
    reader.end().map_err(|_| invalid(manifest, number, "more than one JSON object"))?;
    Ok(value)
}

fn invalid(manifest: &Path, number: usize, what: &str) -> Failure {
    Failure::new(
        ErrorCode::ManifestInvalid,
        format!("{}: line {number}: {what}", manifest.display()),
        "Correct the line; nothing was begun",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_path_keeps_its_end_and_a_number_that_tells_it_apart() {
        assert_eq!(reference("a/b.pdf", 1), "a/b.pdf");
        let long = format!("{}/contrato.pdf", "ã".repeat(200));
        let (first, second) = (reference(&long, 7), reference(&long, 8));
        assert_eq!(first.chars().count(), LONGEST_REFERENCE);
        assert!(first.starts_with("7:…ã") && first.ends_with("/contrato.pdf") && first != second);
    }
}
