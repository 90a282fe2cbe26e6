//! A data folder without space: nothing is acknowledged that was not kept, and nothing is half kept.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;

use super::raw::wait_until;
use crate::support::{ANA, BRUNO, Instance, ORIGIN, Options};

/// A file system of this size, gone with the value.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path) -> Self {
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=24m", "tmpfs"]).arg(at).output().unwrap();
        let told = String::from_utf8_lossy(&mounted.stderr).into_owned();
        assert!(
            mounted.status.success(),
            "this test mounts a small file system, which only root may: {told}"
        );
        Self(at.to_owned())
    }

    /// Takes all the space that is left.
    fn fill(&self) {
        let mut file = std::fs::File::create(self.0.join("filler")).unwrap();
        for size in [1 << 20, 4096, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
    }

    fn free(&self) {
        std::fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: the server may not be quite gone.
        let unmounted = Command::new("umount").arg("--lazy").arg(&self.0).status();
        let _ = std::fs::remove_dir(&self.0);
        assert!(std::thread::panicking() || unmounted.is_ok_and(|status| status.success()));
    }
}

#[test]
fn a_full_disk_is_an_answer_and_not_an_accident() {
    let folder = TempDir::new().unwrap();
    let disk = SmallDisk::mount(folder.path());
    let instance = Instance::start_in(folder, &Options::default());
    let session = instance.session(ANA);
    let before = session.upload(b"%PDF-before");
    let contract = session.upload(&crate::hsm_signatures::contract());

    disk.fill();
    let large = [("content-type", "application/pdf")];
    for _ in 0..3 {
        let refused = session.send("POST", "/v1/documents", &large, Some(&vec![7; 1_000_000]));
        refused.assert_problem(503, "unavailable");
        assert!(!refused.header("retry-after").is_empty());
        assert_eq!(under_way(&instance), 0, "an upload left its file");
    }
    // The database has some room in the pages it has; it takes what it can keep and refuses the rest.
    let mut kept = Vec::new();
    let mut refusals = 0;
    for size in 0..400 {
        let document = vec![b'x'; 30_000 + size];
        let answer = session.send("POST", "/v1/documents", &large, Some(&document));
        if answer.status == 201 {
            kept.push((answer.json()["id"].as_str().unwrap().to_owned(), document));
            continue;
        }
        answer.assert_problem(503, "database_unavailable");
        refusals += 1;
        if refusals == 5 {
            break;
        }
    }
    assert_eq!(refusals, 5, "the disk did not become full");
    let other = json!({ "signer": { "identifier": BRUNO.0, "name": BRUNO.1 }, "origins": [ORIGIN] });
    let mut answer = instance.backend().post("/v1/sessions", &other);
    // Small rows fit a little longer.
    for _ in 0..1000 {
        if answer.status != 201 {
            break;
        }
        answer = instance.backend().post("/v1/sessions", &other);
    }
    answer.assert_problem(503, "database_unavailable");
    let sign = json!({ "document_id": contract, "custody": "hsm", "format": "pades" });
    session.post("/v1/signatures", &sign).assert_problem(503, "database_unavailable");

    // What is there can still be read, and the instance says what is wrong.
    assert_eq!(session.get(&format!("/v1/documents/{before}/content")).body, b"%PDF-before");
    assert_eq!(instance.anonymous().get("/health/live").status, 200);
    wait_until("readiness to tell", Duration::from_secs(10), || {
        instance.anonymous().get("/health/ready").status == 503
    });

    disk.free();
    wait_until("readiness to recover", Duration::from_secs(20), || {
        instance.anonymous().get("/health/ready").status == 200
    });
    for (id, document) in &kept {
        assert!(
            session.get(&format!("/v1/documents/{id}/content")).body == *document,
            "{id} is not what was kept"
        );
    }
    session.upload(&vec![7; 1_000_000]);
    let id = session.sign_by_token(&contract, "pades");
    assert_eq!(session.wait(&id)["state"], "released");
    let database = instance.database();
    let sound: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok");
    let documents: u32 = database
        .query_row("SELECT count(*) FROM document WHERE size_bytes BETWEEN 30000 AND 30400", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(documents as usize, kept.len(), "a document is there that was refused");
    assert_eq!(under_way(&instance), 0);
    assert!(!instance.log().contains("panicked"));
    drop(instance);
}

/// Files of uploads under way.
fn under_way(instance: &Instance) -> usize {
    std::fs::read_dir(instance.data().join("objects/incoming")).unwrap().count()
}
