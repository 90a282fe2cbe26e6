//! `rubrica sign`.

mod arguments;
mod signer;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use rubrica_core::ErrorCode;
use rubrica_core::cms::SignedData;
use rubrica_core::wire::SignatureFormat;
use serde::Serialize;

use super::output::{Draft, Output, read_file, write_file};
use crate::engine::artefact::{Sealed, artefact_name};
use crate::engine::plan::Shape;
use crate::failure::Failure;
use crate::hex;
use crate::input::Input;
use signer::{Signer, Wanted};

pub(super) use arguments::{Arguments, Format, Level, Policy};

/// One signed file.
#[derive(Debug, Serialize)]
struct Signed {
    file: PathBuf,
    output: PathBuf,
    size_bytes: u64,
    sha256: String,
}

/// Signs every file, or stops at the first that cannot be signed; what was written before stays.
pub(super) fn run(arguments: &Arguments, output: Output) -> Result<ExitCode, Failure> {
    let wanted = arguments.wanted()?;
    let targets = targets(arguments, wanted.target.format)?;
    let signer = Signer::open(arguments, &wanted)?;
    if arguments.files.len() > 1 && !arguments.output.is_dir() {
        std::fs::create_dir_all(&arguments.output).map_err(|error| {
            Failure::of(
                ErrorCode::FileUnwritable,
                format!("cannot make the folder {}: {error}", arguments.output.display()),
            )
        })?;
    }
    let mut signed = Vec::new();
    for (file, target) in arguments.files.iter().zip(targets) {
        let sealed = sign_one(&signer, arguments, &wanted, file, &target)
            .map_err(|failure| failure.about(file.display()))?;
        let (size_bytes, sha256) = (sealed.size_bytes, hex::encode(sealed.sha256));
        signed.push(Signed { file: file.clone(), output: target, size_bytes, sha256 });
    }
    output.result(&signed, || {
        signed.iter().map(|one| format!("{} -> {}\n", one.file.display(), one.output.display())).collect()
    });
    Ok(ExitCode::SUCCESS)
}

/// Signs one file into another.
///
/// A large document is copied by the system and read where it lies: little of it is ever in memory.
fn sign_one(
    signer: &Signer,
    arguments: &Arguments,
    wanted: &Wanted,
    file: &Path,
    target: &Path,
) -> Result<Sealed, Failure> {
    if wanted.target.format == SignatureFormat::Pades {
        let (draft, document) = Draft::copy_of(file, target)?;
        let mut document = document.with_password(wanted.pdf_password.clone());
        let sealed = signer.sign(file, &mut document, &Shape::Detached, wanted)?;
        match document.in_memory() {
            Some(whole) => write_file(target, whole)?,
            // The copy has become the signed file.
            None => draft.finish()?,
        }
        return Ok(sealed);
    }
    let (mut document, shape) = if arguments.co_sign {
        let cms = read_file(file)?;
        (content(&cms, arguments)?, Shape::CoSignature(cms))
    } else if let Some(position) = arguments.counter_sign {
        let cms = read_file(file)?;
        (content(&cms, arguments)?, Shape::CounterSignature(cms, position))
    } else {
        let shape = if arguments.enveloping { Shape::Enveloping } else { Shape::Detached };
        (Input::open(file)?, shape)
    };
    let sealed = signer.sign(file, &mut document, &shape, wanted)?;
    write_file(target, &sealed.tail)?;
    Ok(sealed)
}

/// The content that the signatures of a CMS are about.
fn content(cms: &[u8], arguments: &Arguments) -> Result<Input, Failure> {
    if let Some(path) = &arguments.content {
        return Input::open(path);
    }
    let signed = SignedData::parse(cms).map_err(|error| Failure::of(error.code(), error.to_string()))?;
    signed.content().map(|inside| Input::from(inside.to_vec())).ok_or_else(|| {
        Failure::of(ErrorCode::ContentRequired, "the signature is detached: the signed file is needed")
    })
}

/// Where each signed file goes. Decided before anything is signed.
fn targets(arguments: &Arguments, format: SignatureFormat) -> Result<Vec<PathBuf>, Failure> {
    let into_folder = arguments.files.len() > 1 || arguments.output.is_dir();
    let mut targets = Vec::new();
    for file in &arguments.files {
        let target = if into_folder {
            arguments.output.join(artefact_name(format, &file_name(file)?))
        } else {
            arguments.output.clone()
        };
        let same = |a: &Path, b: &Path| a == b || std::fs::canonicalize(a).ok() == Some(canonical(b));
        if arguments.files.iter().any(|input| same(input, &target)) || targets.contains(&target) {
            return Err(Failure::new(
                ErrorCode::Usage,
                format!("{} would be written over", target.display()),
                "Choose another output",
            ));
        }
        targets.push(target);
    }
    Ok(targets)
}

fn canonical(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn file_name(file: &Path) -> Result<String, Failure> {
    file.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .ok_or_else(|| Failure::of(ErrorCode::FileUnreadable, format!("{} is not a file", file.display())))
}
