//! PKI Express of Lacuna: a licensed program that makes CMS and PDF signatures, one process for each step.
//!
//! Written from what its published wrappers show (up to 1.36). `start-pades` and `start-cades` say which digest is to be signed and
//! leave a transfer file; `complete-sig` puts the value in. Neither needs a secret, so none is ever on a command line. Nothing
//! that the program writes is logged: it may name people.

mod exit_code;
mod process;
mod workshop;

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use base64ct::{Base64, Encoding};
use rubrica_core::wire::{SignatureFormat, SignaturePolicy};
use tokio::sync::Semaphore;

use crate::config;
use crate::data_folder::write_private;
use crate::failure::Failure;
use crate::ports::PortFuture;
use crate::ports::composer::{Begun, Completion, Composer, ComposerError, ComposerName, Composition};
use crate::secret::Secret;
use process::{Ended, Program};
use workshop::{Job, Workshop};

/// What a signature may add to a document, and the largest CMS: as much as the browser takes.
const MOST_ADDED_BYTES: u64 = 4 * 1024 * 1024;
/// The version that knows every option used for a PDF.
const VERSION_FOR_PDF: &str = "1.13.1";
/// id-sha256.
const SHA256: &str = "2.16.840.1.101.3.4.2.1";
/// The variable that its configuration `proxyPassword` has.
const PROXY_PASSWORD: &str = "pkie__proxyPassword";

/// An installed PKI Express.
#[derive(Debug)]
pub(crate) struct PkiExpress {
    program: Program,
    workshop: Workshop,
    turns: Semaphore,
    trust: Vec<OsString>,
    transfer_bytes: u64,
}

impl PkiExpress {
    /// Makes the folder to work in: the configured one, or `folder`. The program is not started.
    ///
    /// # Errors
    /// `data_folder_unwritable`, `file_unreadable` for the password of the proxy.
    pub(crate) fn open(config: &config::PkiExpress, folder: &Path) -> Result<Self, Failure> {
        let folder = if config.folder.as_os_str().is_empty() { folder } else { &config.folder };
        let mut secrets: Vec<(&'static str, Secret)> = Vec::new();
        secrets.extend(config.proxy_password()?.map(|password| (PROXY_PASSWORD, password)));
        let mut trust = Vec::new();
        for root in &config.trust_roots {
            trust.extend([OsString::from("--trust-root"), root.clone().into_os_string()]);
        }
        if config.offline {
            trust.push("--offline".into());
        }
        Ok(Self {
            program: Program {
                path: config.program.clone(),
                environment: config.environment.clone(),
                secrets,
                timeout: config.timeout(),
            },
            workshop: Workshop::open(folder)?,
            turns: Semaphore::new(config.processes),
            trust,
            transfer_bytes: config.transfer_bytes,
        })
    }

    /// Runs it to its end, when it is this one's turn. Gives what it wrote to its standard output.
    async fn run(&self, job: &Job, arguments: &[OsString], most_bytes: u64) -> Result<String, ComposerError> {
        let _turn = self.turns.acquire().await.expect("the semaphore is never closed");
        let ended = self.program.run(arguments, job.path(), most_bytes).await;
        let unavailable = |what: String| Err(ComposerError::Unavailable(what));
        match ended {
            Ended::Exit(0, output) => String::from_utf8(output)
                .map_err(|_| ComposerError::Contract("PKI Express did not write text".to_owned())),
            Ended::Exit(code, _) => Err(exit_code::failure(code)),
            Ended::NotStarted(error) => unavailable(format!("PKI Express cannot be started: {error}")),
            Ended::Signal(signal) => unavailable(format!("PKI Express was ended by signal {signal}")),
            Ended::TimedOut(limit) => {
                unavailable(format!("PKI Express did not end within {} ms and was killed", limit.as_millis()))
            }
            Ended::TooMuch => {
                Err(ComposerError::Contract("PKI Express wrote more than it may and was killed".to_owned()))
            }
        }
    }

    async fn begin(&self, work: &Composition<'_>) -> Result<Begun, ComposerError> {
        let document = work.document.read_all().map_err(disk)?;
        let job = self.workshop.job().map_err(disk)?;
        let [file, certificate, transfer] =
            ["document", "signer.cer", "transfer"].map(|name| job.path().join(name));
        write_private(&file, &document).map_err(disk)?;
        write_private(&certificate, work.signer.der()).map_err(disk)?;
        let mut arguments = start_arguments(work.format, work.policy, [&file, &certificate, &transfer]);
        arguments.extend_from_slice(&self.trust);
        let most = document.len() as u64 + self.transfer_bytes + MOST_ADDED_BYTES;
        let output = self.run(&job, &arguments, most).await?;
        let sha256 = to_sign(&output).ok_or_else(|| {
            ComposerError::Contract("PKI Express named no SHA-256 digest to be signed".to_owned())
        })?;
        let state = read_limited(&transfer, self.transfer_bytes).ok_or_else(|| {
            ComposerError::Contract("PKI Express left no transfer file of its size".to_owned())
        })?;
        Ok(Begun { sha256, state })
    }

    async fn complete(&self, work: &Completion<'_>) -> Result<Vec<u8>, ComposerError> {
        let document = work.document.read_all().map_err(disk)?;
        let job = self.workshop.job().map_err(disk)?;
        let [file, transfer, output] = ["document", "transfer", "output"].map(|name| job.path().join(name));
        write_private(&file, &document).map_err(disk)?;
        write_private(&transfer, work.state).map_err(disk)?;
        // The value is no secret: it stands in the signature that is being made.
        let mut arguments = vec![
            "complete-sig".into(),
            file.into_os_string(),
            transfer.into_os_string(),
            Base64::encode_string(work.value).into(),
            output.clone().into_os_string(),
        ];
        arguments.extend_from_slice(&self.trust);
        let largest = match work.format {
            SignatureFormat::Pades => document.len() as u64 + MOST_ADDED_BYTES,
            SignatureFormat::Cades => MOST_ADDED_BYTES,
        };
        let most = document.len() as u64 + work.state.len() as u64 + largest;
        self.run(&job, &arguments, most).await?;
        read_limited(&output, largest).ok_or_else(|| {
            ComposerError::Contract("PKI Express left no signature of a usual size".to_owned())
        })
    }
}

impl Composer for PkiExpress {
    fn name(&self) -> ComposerName {
        ComposerName::PkiExpress
    }

    fn begin<'a>(&'a self, work: &'a Composition<'a>) -> PortFuture<'a, Result<Begun, ComposerError>> {
        Box::pin(Self::begin(self, work))
    }

    fn complete<'a>(&'a self, work: &'a Completion<'a>) -> PortFuture<'a, Result<Vec<u8>, ComposerError>> {
        Box::pin(Self::complete(self, work))
    }
}

/// The first step: document, certificate, transfer file.
fn start_arguments(format: SignatureFormat, policy: SignaturePolicy, files: [&PathBuf; 3]) -> Vec<OsString> {
    let (command, no_policy, more): (&str, &str, &[&str]) = match format {
        SignatureFormat::Pades => {
            ("start-pades", "pades", &["--suppress-default-visual-rep", "--min-version", VERSION_FOR_PDF])
        }
        SignatureFormat::Cades => ("start-cades", "cades", &["--detached"]),
    };
    let policy = if policy == SignaturePolicy::None { no_policy } else { "adrb" };
    let words = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
    let mut arguments = words(&[command]);
    arguments.extend(files.iter().map(|file| OsStr::new(file).to_owned()));
    arguments.extend(words(&["--policy", policy]));
    arguments.extend(words(more));
    arguments
}

/// Line 1 the digest in base64, line 2 the name of its algorithm, line 3 the identifier.
fn to_sign(output: &str) -> Option<[u8; 32]> {
    let mut lines = output.lines().map(str::trim);
    let (digest, _name, algorithm) = (lines.next()?, lines.next()?, lines.next()?);
    if algorithm != SHA256 {
        return None;
    }
    Base64::decode_vec(digest).ok()?.try_into().ok()
}

/// The file, unless it is missing, empty or larger.
fn read_limited(path: &Path, most_bytes: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(most_bytes + 1).read_to_end(&mut bytes).ok()?;
    (!bytes.is_empty() && bytes.len() as u64 <= most_bytes).then_some(bytes)
}

fn disk(error: std::io::Error) -> ComposerError {
    ComposerError::Unavailable(format!("the folder of PKI Express cannot be written: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_to_be_signed_is_read_from_three_lines_and_nothing_else() {
        let digest = Base64::encode_string(&[7; 32]);
        let told = |lines: [&str; 3]| to_sign(&lines.join("\n"));
        assert_eq!(told([&digest, "SHA256", SHA256]), Some([7; 32]));
        assert_eq!(to_sign(&format!("{digest}\r\nSHA-256\r\n{SHA256}\r\n")), Some([7; 32]));
        assert_eq!(told([&digest, "SHA1", "1.3.14.3.2.26"]), None);
        assert_eq!(told([&Base64::encode_string(&[7; 20]), "SHA256", SHA256]), None);
        assert_eq!(told(["????", "SHA256", SHA256]), None);
        assert_eq!(to_sign(&digest), None);
    }

    #[test]
    fn arguments_are_those_of_the_command_and_hold_no_text_of_others() {
        let files = ["d", "c", "t"].map(PathBuf::from);
        let told = |format, policy| {
            let arguments = start_arguments(format, policy, [&files[0], &files[1], &files[2]]);
            arguments.iter().map(|word| word.to_str().unwrap()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            told(SignatureFormat::Pades, SignaturePolicy::None),
            "start-pades d c t --policy pades --suppress-default-visual-rep --min-version 1.13.1"
        );
        assert_eq!(
            told(SignatureFormat::Cades, SignaturePolicy::AdRb),
            "start-cades d c t --policy adrb --detached"
        );
    }
}
