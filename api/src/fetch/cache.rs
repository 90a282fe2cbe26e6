//! What was fetched, in memory and in a folder, both bounded.
//!
//! Everything kept is signed by its issuer and verified at each use, so that the folder needs no protection of its own:
//! the worst that a changed file does is to be fetched again.

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use rubrica_core::Timestamp;

use super::client::FetchError;
use crate::hex;
use crate::objects::sha256;

/// An authority may publish before it announced to, when much was revoked: nothing is kept longer.
const KEPT_AT_MOST: Duration = Duration::from_hours(6);
/// What names no end, or one that is past, is kept for this long.
const KEPT_WITHOUT_END: Duration = Duration::from_mins(1);
/// A fresher answer is not asked for more often than this: whoever needs one waits, and all who wait share it.
const BETWEEN_ANSWERS: Duration = Duration::from_secs(2);
/// A failure is remembered for this long.
const FAILURE_KEPT: Duration = Duration::from_secs(15);
/// Failures remembered at most; then all are forgotten.
const MOST_FAILURES: usize = 1000;

/// When the content was made and when the next is due, as it says itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lifetime {
    pub(super) made: Option<Timestamp>,
    pub(super) next: Option<Timestamp>,
}

/// Name of what is kept: kind, URL and request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key([u8; 32]);

impl Key {
    pub(super) fn new(parts: &[&[u8]]) -> Self {
        let mut all = Vec::new();
        for part in parts {
            all.extend_from_slice(&(part.len() as u64).to_be_bytes());
            all.extend_from_slice(part);
        }
        Self(sha256(&all))
    }

    fn file(&self, folder: &Path) -> PathBuf {
        folder.join(hex::encode(self.0))
    }
}

/// The cache.
#[derive(Debug)]
pub(super) struct Cache {
    memory: Mutex<Memory>,
    folder: Option<PathBuf>,
    folder_bytes: u64,
}

#[derive(Debug)]
struct Memory {
    entries: HashMap<Key, Entry>,
    failures: HashMap<Key, (FetchError, Instant)>,
    size_bytes: u64,
    limit_bytes: u64,
    uses: u64,
}

#[derive(Debug)]
struct Entry {
    bytes: Arc<[u8]>,
    lifetime: Lifetime,
    fetched_at: Timestamp,
    last_use: u64,
}

impl Cache {
    /// `folder` is made when missing; without one, or when it cannot be made, only memory is used.
    pub(super) fn new(folder: Option<PathBuf>, memory_bytes: u64, folder_bytes: u64) -> Self {
        let folder = folder.filter(|folder| match fs::create_dir_all(folder) {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(cache.folder = %folder.display(), %error, "nothing is cached on the disk");
                false
            }
        });
        let memory = Memory {
            entries: HashMap::new(),
            failures: HashMap::new(),
            size_bytes: 0,
            limit_bytes: memory_bytes,
            uses: 0,
        };
        Self { memory: Mutex::new(memory), folder, folder_bytes }
    }

    /// What is kept and still good at `now`; made at `newer_than` or later, or the latest there was at that time.
    pub(super) fn find(
        &self,
        key: Key,
        now: Timestamp,
        newer_than: Option<Timestamp>,
        lifetime: impl Fn(&[u8]) -> Option<Lifetime>,
    ) -> Option<Result<Arc<[u8]>, FetchError>> {
        let mut memory = self.memory();
        if let Some((failure, since)) = memory.failures.get(&key)
            && since.elapsed() < FAILURE_KEPT
        {
            return Some(Err(failure.clone()));
        }
        if let Some(entry) = memory.find(key) {
            return entry.is_good(now, newer_than).then(|| Ok(Arc::clone(&entry.bytes)));
        }
        drop(memory);
        let entry = self.read(key, lifetime)?;
        let found = entry.is_good(now, newer_than).then(|| Ok(Arc::clone(&entry.bytes)));
        self.memory().insert(key, entry);
        found
    }

    /// How long to wait before the same is asked for again.
    pub(super) fn pause(&self, key: Key, now: Timestamp) -> Duration {
        let memory = self.memory();
        let last = memory.entries.get(&key).map(|entry| entry.fetched_at.plus(BETWEEN_ANSWERS));
        let left = last.map_or(0, |until| until.unix_ms().saturating_sub(now.unix_ms()));
        Duration::from_millis(left).min(BETWEEN_ANSWERS)
    }

    /// Keeps an answer.
    pub(super) fn keep(&self, key: Key, bytes: &Arc<[u8]>, lifetime: Lifetime, now: Timestamp) {
        let entry = Entry { bytes: Arc::clone(bytes), lifetime, fetched_at: now, last_use: 0 };
        {
            let mut memory = self.memory();
            memory.failures.remove(&key);
            memory.insert(key, entry);
        }
        if let Some(folder) = &self.folder
            && let Err(error) = write(folder, key, bytes, self.folder_bytes)
        {
            tracing::warn!(cache.folder = %folder.display(), %error, "an answer could not be cached on the disk");
        }
    }

    /// Remembers a failure for a moment.
    pub(super) fn keep_failure(&self, key: Key, failure: FetchError) {
        let mut memory = self.memory();
        if memory.failures.len() >= MOST_FAILURES {
            memory.failures.clear();
        }
        memory.failures.insert(key, (failure, Instant::now()));
    }

    fn read(&self, key: Key, lifetime: impl Fn(&[u8]) -> Option<Lifetime>) -> Option<Entry> {
        let path = key.file(self.folder.as_deref()?);
        let bytes: Arc<[u8]> = fs::read(&path).ok()?.into();
        let modified = fs::metadata(&path).and_then(|metadata| metadata.modified()).ok()?;
        let since_1970 = modified.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        let fetched_at = Timestamp::from_unix_ms(u64::try_from(since_1970.as_millis()).ok()?).ok()?;
        Some(Entry { lifetime: lifetime(&bytes)?, bytes, fetched_at, last_use: 0 })
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn is_good(&self, now: Timestamp, newer_than: Option<Timestamp>) -> bool {
        // A clock that went back makes no answer younger.
        if self.fetched_at > now {
            return false;
        }
        let since = |time: Duration| self.fetched_at.plus(time);
        let end = match self.lifetime.next {
            Some(next) if next > self.fetched_at => next.min(since(KEPT_AT_MOST)),
            Some(_) => since(KEPT_WITHOUT_END),
            None if self.lifetime.made.is_some() => since(KEPT_WITHOUT_END),
            // Issuer certificates say neither.
            None => since(KEPT_AT_MOST),
        };
        let is_new_enough = newer_than.is_none_or(|wanted| {
            self.fetched_at >= wanted || self.lifetime.made.is_some_and(|made| made >= wanted)
        });
        now < end && is_new_enough
    }
}

impl Memory {
    fn find(&mut self, key: Key) -> Option<&Entry> {
        self.uses += 1;
        let uses = self.uses;
        let entry = self.entries.get_mut(&key)?;
        entry.last_use = uses;
        Some(entry)
    }

    /// Adds an entry and forgets those that were not used for longest, until all fit.
    fn insert(&mut self, key: Key, mut entry: Entry) {
        self.uses += 1;
        entry.last_use = self.uses;
        self.size_bytes += entry.bytes.len() as u64;
        if let Some(old) = self.entries.insert(key, entry) {
            self.size_bytes -= old.bytes.len() as u64;
        }
        while self.size_bytes > self.limit_bytes {
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.last_use).map(|(key, _)| *key);
            let Some(oldest) = oldest.and_then(|key| self.entries.remove(&key)) else { return };
            self.size_bytes -= oldest.bytes.len() as u64;
        }
    }
}

/// Writes a file in one step, after removing the oldest files until it fits.
fn write(folder: &Path, key: Key, bytes: &[u8], limit_bytes: u64) -> std::io::Result<()> {
    if bytes.len() as u64 > limit_bytes {
        return Ok(());
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let metadata = entry.as_ref().ok().and_then(|entry| entry.metadata().ok());
        if let (Ok(entry), Some(metadata)) = (entry, metadata) {
            files.push((metadata.modified()?, metadata.len(), entry.path()));
        }
    }
    files.sort();
    let mut size: u64 = files.iter().map(|(_, length, _)| length).sum::<u64>() + bytes.len() as u64;
    for (_, length, path) in files {
        if size <= limit_bytes {
            break;
        }
        fs::remove_file(path)?;
        size -= length;
    }
    let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.persist(key.file(folder)).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_unix_ms(1_800_000_000_000 + seconds * 1000).unwrap()
    }

    fn between(made: u64, next: u64) -> Lifetime {
        Lifetime { made: Some(at(made)), next: Some(at(next)) }
    }

    fn found(cache: &Cache, key: Key, now: u64, newer_than: Option<u64>) -> bool {
        cache.find(key, at(now), newer_than.map(at), |_| None).is_some_and(|found| found.is_ok())
    }

    #[test]
    fn an_answer_is_kept_until_the_next_is_due() {
        let cache = Cache::new(None, 1000, 0);
        let key = Key::new(&[b"a"]);
        cache.keep(key, &b"x"[..].into(), between(0, 1000), at(100));
        for (now, newer_than, expected) in [
            (100, None, true),
            (999, None, true),
            (1000, None, false),
            (99, None, false),
            (500, Some(0), true),
            // Asked for something newer: made or fetched since.
            (500, Some(50), true),
            (500, Some(100), true),
            (500, Some(101), false),
        ] {
            assert_eq!(found(&cache, key, now, newer_than), expected, "{now} {newer_than:?}");
        }
        assert_eq!(cache.pause(key, at(101)), Duration::from_secs(1));
        assert_eq!(cache.pause(key, at(103)), Duration::ZERO);
        // An end that is past, and one that is far away.
        cache.keep(key, &b"x"[..].into(), between(0, 50), at(100));
        assert!(found(&cache, key, 159, None) && !found(&cache, key, 160, None));
        cache.keep(key, &b"x"[..].into(), between(0, 10_000_000), at(100));
        assert!(found(&cache, key, 21_699, None) && !found(&cache, key, 21_700, None));
    }

    #[test]
    fn a_failure_is_remembered_until_an_answer_comes() {
        let cache = Cache::new(None, 1000, 0);
        let key = Key::new(&[b"a"]);
        cache.keep_failure(key, FetchError::Status(404));
        assert_eq!(cache.find(key, at(0), None, |_| None), Some(Err(FetchError::Status(404))));
        cache.keep(key, &b"x"[..].into(), between(0, 10), at(0));
        assert!(found(&cache, key, 1, None));
    }

    #[test]
    fn memory_and_folder_stay_below_their_limits() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(Some(folder.path().join("cache")), 25, 35);
        let keys: Vec<_> = (0..6_u8).map(|index| Key::new(&[&[index]])).collect();
        for key in &keys {
            cache.keep(*key, &[7_u8; 10][..].into(), between(0, 1000), at(1));
        }
        let in_memory = keys.iter().filter(|key| cache.memory().entries.contains_key(key)).count();
        let in_folder = fs::read_dir(folder.path().join("cache")).unwrap().count();
        assert_eq!((in_memory, in_folder), (2, 3));
        // Larger than everything: not kept, nothing else is lost from the folder.
        cache.keep(keys[0], &[7_u8; 100][..].into(), between(0, 1000), at(1));
        assert_eq!(fs::read_dir(folder.path().join("cache")).unwrap().count(), 3);
        assert_eq!(cache.memory().size_bytes, 0);
    }

    #[test]
    fn the_folder_outlives_the_process() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Cache::new(Some(folder.path().to_owned()), 1000, 1000);
        let key = Key::new(&[b"crl", b"http://a/"]);
        let now = crate::adapters::clock::SystemClock;
        let now = crate::ports::Clock::now(&now).plus(Duration::from_secs(1));
        open().keep(key, &b"content"[..].into(), between(0, 0), now);
        let lifetime = |bytes: &[u8]| {
            assert_eq!(bytes, b"content");
            Some(Lifetime { made: Some(at(0)), next: Some(now.plus(Duration::from_hours(1))) })
        };
        let read = open().find(key, now, None, lifetime).unwrap().unwrap();
        assert_eq!(&*read, b"content");
        assert_eq!(open().find(Key::new(&[b"crl", b"http://b/"]), now, None, lifetime), None);
    }
}
