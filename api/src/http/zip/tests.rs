use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::process::Command;

use super::*;

fn entry(name: &str, content: &[u8]) -> Entry {
    Entry {
        name: name.to_owned(),
        time: "2026-11-23T20:15:42Z".parse().unwrap(),
        size_bytes: content.len() as u64,
        crc32: crc32fast::hash(content),
    }
}

/// What a foreign program says: `unzip` of every CRC, then Python of names, sizes and times.
fn judge(file: &Path) -> Vec<String> {
    let tested = Command::new("unzip").args(["-tqq"]).arg(file).output().unwrap();
    assert!(tested.status.success(), "unzip comes with `apt-get install unzip`: {tested:?}");
    assert_eq!((tested.stdout.len(), tested.stderr.len()), (0, 0), "{tested:?}");
    list(file)
}

fn list(file: &Path) -> Vec<String> {
    let script = "import sys, zipfile\nfor one in zipfile.ZipFile(sys.argv[1]).infolist(): print(one.filename, one.file_size, \
                  one.date_time, oct(one.external_attr >> 16))";
    let listed = Command::new("python3").args(["-c", script]).arg(file).output().unwrap();
    assert!(listed.status.success(), "{listed:?}");
    String::from_utf8(listed.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn other_programs_read_names_times_and_rights() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.zip");
    let mut archive = Archive::default();
    let mut bytes = Vec::new();
    for (name, content) in [("ação.p7s", &b"TEST"[..]), ("empty", b"")] {
        bytes.extend(archive.begin(entry(name, content)));
        bytes.extend(content);
    }
    bytes.extend(archive.end().flatten());
    std::fs::write(&file, &bytes).unwrap();
    let when = "(2026, 11, 23, 20, 15, 42) 0o100644";
    assert_eq!(judge(&file), [format!("ação.p7s 4 {when}"), format!("empty 0 {when}")]);
    // No descriptor follows, and the size stands in front: who reads from the beginning finds the end.
    assert_eq!((bytes[6] & 0x08, &bytes[18..22]), (0, &[4, 0, 0, 0][..]));
}

#[test]
fn more_entries_than_sixteen_bits_count_are_all_found() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.zip");
    for total in [65_534, 65_535, 65_536, 100_000] {
        let mut archive = Archive::default();
        let mut bytes = Vec::new();
        for number in 1..=total {
            bytes.extend(archive.begin(entry(&format!("{number}.p7s"), b"TEST")));
            bytes.extend(b"TEST");
        }
        bytes.extend(archive.end().flatten());
        std::fs::write(&file, &bytes).unwrap();
        let listed = judge(&file);
        assert_eq!(listed.len(), total);
        assert!(listed[total - 1].starts_with(&format!("{total}.p7s 4 ")), "{}", listed[total - 1]);
    }
}

#[test]
fn entries_behind_four_gibibytes_and_of_that_size_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.zip");
    // A sparse file: its zeros take no room. Their CRC is not judged, which would take a while.
    let mut file = std::fs::File::create(&path).unwrap();
    let mut archive = Archive::default();
    let hole = |size_bytes| Entry { size_bytes, ..entry("hole", b"") };
    for size_bytes in [u64::from(u32::MAX), 5] {
        file.write_all(&archive.begin(hole(size_bytes))).unwrap();
        file.seek(SeekFrom::Current(i64::try_from(size_bytes).unwrap())).unwrap();
    }
    file.write_all(&archive.begin(entry("last", b"TEST"))).unwrap();
    file.write_all(b"TEST").unwrap();
    for piece in archive.end() {
        file.write_all(&piece).unwrap();
    }
    drop(file);
    let sizes: Vec<_> = list(&path).iter().map(|line| line.split(' ').nth(1).unwrap().to_owned()).collect();
    assert_eq!(sizes, ["4294967295", "5", "4"]);
    let read = "import sys, zipfile; sys.stdout.buffer.write(zipfile.ZipFile(sys.argv[1]).read('last'))";
    let read = Command::new("python3").args(["-c", read]).arg(&path).output().unwrap();
    assert_eq!(read.stdout, b"TEST", "{read:?}");
}
