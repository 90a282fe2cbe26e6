//! What a run is going to do, kept beside its results from before the first signature on.
//!
//! ```text
//! OUT/.rubrica-batch/lock         held by the command that works on it
//! OUT/.rubrica-batch/worker       under which name it works in the database
//! OUT/.rubrica-batch/plan.ndjson  the batch, then one line per item; written in one step and never changed
//! OUT/…                           results
//! OUT/results.ndjson              what became of every item, at the end
//! ```

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use rubrica_core::ErrorCode;
use rubrica_core::wire::BatchHeader;
use serde::{Deserialize, Serialize};

use crate::cli::output::{read_file, unwritable, write_file};
use crate::failure::Failure;
use crate::ids::{BatchId, WorkerId};

/// Name of the folder.
pub(super) const FOLDER: &str = ".rubrica-batch";
/// Name of the listing.
pub(super) const RESULTS: &str = "results.ndjson";
/// Of the shape of the plan.
const VERSION: u32 = 1;

/// A batch and its items.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) head: Head,
    pub(super) items: Vec<Item>,
}

/// First line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Head {
    version: u32,
    batch_id: String,
    /// Absolute path of the folder or of the manifest.
    pub(super) source: PathBuf,
    pub(super) batch: BatchHeader,
}

/// A further line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Item {
    pub(super) reference: String,
    /// File name of the document.
    pub(super) name: Option<String>,
    pub(super) content: Content,
    /// Path of the result within the output folder.
    pub(super) file: PathBuf,
}

/// What is signed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Content {
    /// A file on this machine, by its absolute path.
    File(PathBuf),
    /// A digest: 64 hexadecimal digits.
    Sha256(String),
    /// A document that was uploaded before.
    DocumentId(String),
}

impl Plan {
    /// A new one.
    pub(super) fn new(source: PathBuf, batch: BatchHeader, items: Vec<Item>) -> Self {
        let batch_id = BatchId::generate().to_string();
        Self { head: Head { version: VERSION, batch_id, source, batch }, items }
    }

    /// The batch that it becomes.
    pub(super) fn batch_id(&self) -> Result<BatchId, Failure> {
        self.head.batch_id.parse().map_err(|_| damaged("the plan of the batch"))
    }
}

/// The output folder, held by this process.
#[derive(Debug)]
pub(super) struct Place {
    folder: PathBuf,
    _lock: File,
}

impl Place {
    /// Makes the folder when it is missing, and takes it for this process.
    pub(super) fn take(folder: &Path) -> Result<Self, Failure> {
        let own = folder.join(FOLDER);
        fs::create_dir_all(&own).map_err(|error| unwritable(&own, &error))?;
        let path = own.join("lock");
        let lock = OpenOptions::new().create(true).write(true).truncate(false).open(&path);
        let lock = lock.map_err(|error| unwritable(&path, &error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { folder: folder.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(Failure::new(
                ErrorCode::FileUnwritable,
                format!("another `rubrica batch` works on {}", folder.display()),
                "Wait for its end, or choose another output folder",
            )),
            Err(TryLockError::Error(error)) => Err(unwritable(&path, &error)),
        }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the listing goes.
    pub(super) fn results(&self) -> PathBuf {
        self.folder.join(RESULTS)
    }

    /// The plan that was kept here before, if one was.
    pub(super) fn read(&self) -> Result<Option<Plan>, Failure> {
        let path = self.plan();
        if !path.exists() {
            return Ok(None);
        }
        let text = read_file(&path)?;
        let mut lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let read = || {
            let head: Head = serde_json::from_slice(lines.next()?).ok()?;
            let items: Option<Vec<Item>> = lines.map(|line| serde_json::from_slice(line).ok()).collect();
            (head.version == VERSION).then_some(Plan { head, items: items? })
        };
        read().map(Some).ok_or_else(|| damaged(path.display()))
    }

    /// Keeps a plan.
    pub(super) fn keep(&self, plan: &Plan) -> Result<(), Failure> {
        let mut text = line(&plan.head);
        for item in &plan.items {
            text.push_str(&line(item));
        }
        write_file(&self.plan(), text.as_bytes())
    }

    /// The worker of the command that held the place before. It is gone, or its lock would still be there.
    pub(super) fn last_worker(&self) -> Option<WorkerId> {
        fs::read_to_string(self.worker()).ok()?.trim().parse().ok()
    }

    /// Keeps the name of our own.
    pub(super) fn keep_worker(&self, worker: &WorkerId) -> Result<(), Failure> {
        write_file(&self.worker(), worker.as_ref().as_bytes())
    }

    fn plan(&self) -> PathBuf {
        self.folder.join(FOLDER).join("plan.ndjson")
    }

    fn worker(&self) -> PathBuf {
        self.folder.join(FOLDER).join("worker")
    }
}

fn line(value: &impl Serialize) -> String {
    let mut line = serde_json::to_string(value).expect("paths of a plan are UTF-8");
    line.push('\n');
    line
}

fn damaged(what: impl std::fmt::Display) -> Failure {
    Failure::new(
        ErrorCode::FileUnreadable,
        format!("{what} is damaged or was made by another version"),
        "Choose another output folder",
    )
}
