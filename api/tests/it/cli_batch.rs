//! `rubrica batch`: folders and manifests, killed and gone on with, alone and beside a server.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use rubrica_core::digest::Digest;
use rubrica_core::validation::{Content, Indication, validate_cms};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::batch_faults::verify;
use crate::batches::rsa_key;
use crate::hsm_signatures::{context, contract};
use crate::support::{Instance, Ran, command, memory_folder, rubrica};

/// Longest time for something to happen on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// The data of an instance whose server was killed, and a folder to work in.
struct Scene {
    instance: Instance,
    folder: TempDir,
    key: String,
}

impl Scene {
    fn new() -> Self {
        let mut instance = Instance::start();
        let key = rsa_key(&instance);
        instance.kill();
        let scene = Self { instance, folder: memory_folder(), key };
        fs::create_dir(scene.path("in")).unwrap();
        scene
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// `count` texts to be signed.
    fn texts(&self, count: usize) {
        for number in 1..=count {
            self.write(&format!("in/{number:04}.txt"), format!("TEST document {number}").as_bytes());
        }
    }

    /// `rubrica batch SOURCE -o out --data …` with more behind it.
    fn arguments(&self, source: &str, more: &[&str]) -> Vec<String> {
        let text = |path: PathBuf| path.into_os_string().into_string().unwrap();
        let mut arguments =
            vec!["batch".to_owned(), text(self.path(source)), "-o".to_owned(), text(self.path("out"))];
        arguments.extend(["--data".to_owned(), text(self.instance.data())]);
        arguments.extend(more.iter().map(|one| (*one).to_owned()));
        arguments
    }

    fn run(&self, source: &str, more: &[&str]) -> Ran {
        let arguments = self.arguments(source, more);
        rubrica(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), &[])
    }

    fn run_folder(&self, more: &[&str]) -> Ran {
        self.run("in", &[&["--key", &self.key], more].concat())
    }

    /// Results by their path, without the listing and what belongs to the run.
    fn results(&self) -> BTreeMap<String, Vec<u8>> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.path("out")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
                let path = entry.path();
                let name = path.strip_prefix(self.path("out")).unwrap().to_str().unwrap().to_owned();
                if name.starts_with('.') || name == "results.ndjson" {
                    continue;
                }
                if path.is_dir() {
                    folders.push(path);
                } else {
                    found.insert(name, fs::read(path).unwrap());
                }
            }
        }
        found
    }

    fn listing(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.path("out/results.ndjson")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn count(&self, sql: &str) -> i64 {
        self.instance.database().query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// Results that are there, without what else the command keeps beside them.
    fn written(&self) -> usize {
        let Ok(entries) = fs::read_dir(self.path("out")) else { return 0 };
        entries
            .map(Result::unwrap)
            .filter(|entry| entry.path().extension().is_some_and(|end| end == "p7s"))
            .count()
    }

    /// Starts the command and kills it when so many results are there.
    fn kill_at(&self, files: usize, more: &[&str]) {
        let mut child = command()
            .args(self.arguments("in", &[&["--key", &self.key], more].concat()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while self.written() < files {
            assert!(begun.elapsed() < PATIENCE);
            assert!(child.try_wait().unwrap().is_none(), "it ended before it was killed");
            std::thread::sleep(Duration::from_millis(2));
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

/// Has pdfsig judge a signed PDF.
#[track_caller]
fn verify_pdf(file: &Path) {
    let judged = Command::new("pdfsig").arg("-nocert").arg(file).output().unwrap();
    let text = String::from_utf8_lossy(&judged.stdout);
    assert_eq!(text.matches("Signature is Valid.").count(), 1, "{text}");
    assert!(text.contains("Total document signed"), "{text}");
}

#[test]
fn a_folder_of_pdfs_is_signed_and_what_is_none_is_told() {
    let scene = Scene::new();
    for name in ["in/a.pdf", "in/deep/er/b.PDF", "in/deep/a.pdf"] {
        scene.write(name, &contract());
    }
    scene.write("in/note.txt", b"TEST");
    scene.write("in/.hidden", b"TEST");
    let ran = scene.run_folder(&[]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert_eq!(ran.stdout, format!("3 of 4 signed, 1 failed -> {}\n", scene.path("out").display()));
    assert!(ran.stderr.contains("failed[not_a_pdf]: note.txt: "), "{ran:?}");
    assert!(ran.stderr.ends_with("Signing: 4 of 4\n"), "{ran:?}");
    assert_eq!(scene.results().keys().collect::<Vec<_>>(), ["a.pdf", "deep/a.pdf", "deep/er/b.PDF"]);
    for name in scene.results().keys() {
        verify_pdf(&scene.path("out").join(name));
    }
    let listing = scene.listing();
    let told: Vec<_> = listing.iter().map(|line| (line["reference"].clone(), line["file"].clone())).collect();
    assert_eq!(
        told,
        [
            (json!("a.pdf"), json!("a.pdf")),
            (json!("deep/a.pdf"), json!("deep/a.pdf")),
            (json!("deep/er/b.PDF"), json!("deep/er/b.PDF")),
            (json!("note.txt"), Value::Null),
        ]
    );
    assert_eq!(listing[3]["problem"]["code"], "not_a_pdf");
    // Once more: nothing is left to do, and it is said again.
    let again = scene.run_folder(&["--resume", "--json"]);
    assert_eq!(again.code, 1, "{again:?}");
    assert_eq!(again.stderr, "");
    assert_eq!(again.json()["counts"]["released"], 3);
    assert_eq!(again.json()["not_signed"][0]["problem"]["code"], "not_a_pdf");
    assert_eq!(scene.count("SELECT count(*) FROM signature WHERE batch_id IS NOT NULL"), 4);
}

#[test]
fn killed_again_and_again_it_goes_on_and_signs_nothing_twice() {
    let scene = Scene::new();
    scene.texts(1200);
    let cades = ["--format", "cades"];
    scene.kill_at(20, &cades);
    let mut files: BTreeMap<String, SystemTime> = BTreeMap::new();
    for (kill, more) in [(200, true), (600, true), (0, false)] {
        for name in scene.results().keys() {
            let changed = fs::metadata(scene.path("out").join(name)).unwrap().modified().unwrap();
            assert_eq!(*files.entry(name.clone()).or_insert(changed), changed, "{name} was written twice");
        }
        if more {
            scene.kill_at(kill, &["--format", "cades", "--resume"]);
        }
    }
    assert!((600..1200).contains(&files.len()), "{}", files.len());
    // One that was damaged meanwhile is written again, from what was signed before.
    scene.write("out/0001.txt.p7s", b"TEST damaged");
    let done = scene.run_folder(&["--format", "cades", "--resume"]);
    assert_eq!((done.code, done.stdout.starts_with("1200 of 1200 signed -> ")), (0, true), "{done:?}");
    for (name, changed) in files.iter().filter(|(name, _)| *name != "0001.txt.p7s") {
        let now = fs::metadata(scene.path("out").join(name)).unwrap().modified().unwrap();
        assert_eq!(now, *changed, "{name} was written twice");
    }

    let results = scene.results();
    assert_eq!(results.len(), 1200);
    for number in 1..=1200 {
        let document = format!("TEST document {number}").into_bytes();
        let cms = &results[&format!("{number:04}.txt.p7s")];
        let report = validate_cms(cms, Content::Bytes(&document), &context()).unwrap();
        assert_eq!(
            (report.overall(), report.signatures.len()),
            (Indication::Passed, 1),
            "{number}: {report}"
        );
        if number % 100 == 1 {
            verify(cms, &document);
        }
    }
    for (line, number) in scene.listing().iter().zip(1..) {
        let file = line["file"].as_str().unwrap();
        assert_eq!(file, format!("{number:04}.txt.p7s"));
        assert_eq!(line["artefact"]["sha256"], Digest::sha256(&results[file]).to_hex());
    }
    // One release each, told once, and nothing is left in the queue.
    assert_eq!(
        scene.count("SELECT count(*) FROM signature WHERE batch_id IS NOT NULL AND state = 'released'"),
        1200
    );
    assert_eq!(scene.count("SELECT count(*) FROM signature WHERE batch_id IS NOT NULL"), 1200);
    assert_eq!(scene.count("SELECT released FROM batch"), 1200);
    assert_eq!(scene.count("SELECT count(*) FROM batch"), 1);
    assert_eq!(scene.count("SELECT count(*) FROM task"), 0);
    assert_eq!(scene.count("SELECT coalesce(sum(releases), 0) FROM outbox"), 1200);
    assert_eq!(scene.count("SELECT count(*) FROM worker WHERE name = 'command'"), 0);
}

#[test]
fn killed_between_its_plan_and_its_batch_it_begins_the_same_batch() {
    let scene = Scene::new();
    scene.texts(3);
    assert_eq!(scene.run_folder(&["--format", "cades"]).code, 0);
    let id = scene.listing()[0]["signature_id"].clone();
    let batch: String =
        scene.instance.database().query_row("SELECT id FROM batch", [], |row| row.get(0)).unwrap();
    // As if no transaction of the batch had been committed, and as if the first of several had been.
    for left in [
        "DELETE FROM signature WHERE batch_id IS NOT NULL; DELETE FROM batch",
        "DELETE FROM signature WHERE batch_id IS NOT NULL AND position > 1; UPDATE batch SET intake = 1",
    ] {
        scene.instance.database().execute_batch(left).unwrap();
        fs::remove_file(scene.path("out/results.ndjson")).unwrap();
        let done = scene.run_folder(&["--format", "cades", "--resume", "--json"]);
        assert_eq!((done.code, &done.json()["id"]), (0, &json!(batch)), "{left}: {done:?}");
        assert_ne!(scene.listing()[0]["signature_id"], id, "{left}");
        assert_eq!(scene.count("SELECT count(*) FROM signature WHERE batch_id IS NOT NULL"), 3, "{left}");
    }
}

#[test]
fn a_command_whose_beat_failed_beats_again_also_when_it_was_taken_for_dead() {
    let scene = Scene::new();
    scene.texts(1);
    let first = scene.run_folder(&["--format", "cades"]);
    assert_eq!(first.code, 0, "{first:?}");
    // A batch that goes on for as long as it is paused.
    let database = scene.instance.database();
    database
        .execute_batch(
            "UPDATE batch SET state = 'paused', ended_at = NULL, released = 0;
             INSERT INTO task (tenant, batch_id, first, last, held) SELECT tenant, id, 1, 1, 1 FROM batch;
             CREATE TRIGGER broken BEFORE UPDATE ON worker BEGIN SELECT RAISE(ABORT, 'TEST'); END",
        )
        .unwrap();
    let mut child = command()
        .args(scene.arguments("in", &["--key", &scene.key, "--format", "cades", "--resume"]))
        .env("RUBRICA_ENGINE_LEASE_MS", "500")
        .env("RUBRICA_LOG_LEVEL", "error")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let beat = || -> Option<i64> {
        database
            .query_row("SELECT max(beat) FROM worker WHERE name = 'command'", [], |row| row.get(0))
            .unwrap()
    };
    let eventually = |what: &str, holds: &dyn Fn() -> bool| {
        let begun = Instant::now();
        while !holds() {
            assert!(begun.elapsed() < PATIENCE, "{what}");
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    eventually("it joins", &|| beat().is_some());
    // Several beats cannot be written.
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(beat(), Some(0));
    database.execute_batch("DROP TRIGGER broken").unwrap();
    eventually("it beats again", &|| beat() > Some(0));
    database.execute_batch("DELETE FROM worker").unwrap();
    eventually("it is registered again", &|| beat() > Some(0));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn beside_a_server_both_work_and_ctrl_c_loses_nothing() {
    let scene = {
        let instance = Instance::start();
        let key = rsa_key(&instance);
        Scene { instance, folder: memory_folder(), key }
    };
    scene.texts(1500);
    let child = command()
        .args(scene.arguments("in", &["--key", &scene.key, "--format", "cades"]))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while scene.written() < 50 {
        assert!(begun.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(2));
    }
    let told = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(told.success());
    let ended = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(130), "{text}");
    assert!(
        text.contains("error[cancelled]: interrupted when ") && text.contains("--resume to go on"),
        "{text}"
    );
    let done = scene.run_folder(&["--format", "cades", "--resume"]);
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(scene.results().len(), 1500);
    // The API shows it like any other.
    let id: String =
        scene.instance.database().query_row("SELECT id FROM batch", [], |row| row.get(0)).unwrap();
    let batch = scene.instance.backend().get(&format!("/v1/batches/{id}")).json();
    assert_eq!((&batch["state"], &batch["counts"]["released"]), (&json!("completed"), &json!(1500)));
    let log = scene.instance.log();
    assert!(log.contains("items of a batch signed"), "the server had no part in it");
}

#[test]
fn a_manifest_signs_digests_files_and_uploaded_documents() {
    let mut scene = {
        let instance = Instance::start();
        let key = rsa_key(&instance);
        Scene { instance, folder: memory_folder(), key }
    };
    let uploaded = scene.instance.backend().upload(&contract());
    scene.instance.kill();
    scene.write("lists/a.txt", b"TEST a");
    let lines = [
        json!({ "key_id": scene.key, "format": "cades", "name": "TEST" }),
        json!({ "reference": "one/two", "file": "a.txt" }),
        json!({ "reference": "digest", "sha256": Digest::sha256(b"TEST b").to_hex() }),
        json!({ "reference": "..", "document_id": uploaded }),
    ];
    let manifest: String = lines.iter().map(|line| format!("{line}\n")).collect();
    scene.write("lists/manifest.ndjson", manifest.as_bytes());
    let ran = scene.run("lists/manifest.ndjson", &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let results = scene.results();
    assert_eq!(results.keys().collect::<Vec<_>>(), ["_.p7s", "digest.p7s", "one_two.p7s"]);
    verify(&results["one_two.p7s"], b"TEST a");
    verify(&results["digest.p7s"], b"TEST b");
    verify(&results["_.p7s"], &contract());
}

#[test]
fn what_cannot_be_begun_says_why_and_signs_nothing() {
    let scene = Scene::new();
    scene.run_folder(&[]).assert_error(3, "manifest_invalid");
    scene.texts(2);
    scene.run("in", &[]).assert_error(3, "usage");
    scene.run("absent", &["--key", &scene.key]).assert_error(3, "file_unreadable");
    scene.run("in", &["--key", "key_00112233445566778899aabbccddeeff"]).assert_error(3, "key_not_found");
    scene.run_folder(&["--level", "b", "--policy", "ad-rt"]).assert_error(3, "policy_not_applicable");
    let above_b = scene.arguments("in", &["--key", &scene.key, "--level", "t"]);
    let above_b: Vec<&str> = above_b.iter().map(String::as_str).collect();
    rubrica(&above_b, &[("RUBRICA_TSA_URL", "")]).assert_error(1, "time_stamp_unavailable");
    let header = json!({ "key_id": scene.key, "format": "cades" });
    for (number, line) in [
        (2, json!({ "reference": "" , "file": "a" })),
        (2, json!({ "reference": "a" })),
        (2, json!({ "reference": "a", "file": "a", "document_id": "doc_1" })),
        (2, json!({ "reference": "a", "file": "a", "sha256": "00" })),
        (2, json!({ "reference": "a", "sha256": "00" })),
        (2, json!({ "reference": "a", "file": "a", "x": 1 })),
    ] {
        scene.write("manifest", format!("{header}\n{line}").as_bytes());
        let ran = scene.run("manifest", &[]);
        ran.assert_error(3, "manifest_invalid");
        assert!(ran.stderr.contains(&format!("line {number}: ")), "{ran:?}");
    }
    scene
        .write("manifest", format!("{header}\n{{\"reference\":\"a\",\"document_id\":\"doc_1\"}}").as_bytes());
    scene.run("manifest", &["--format", "cades"]).assert_error(3, "usage");
    scene.write("out/0002.txt.p7s", b"TEST: somebody's own");
    scene.run_folder(&["--format", "cades"]).assert_error(3, "usage");
    assert_eq!(fs::read(scene.path("out/0002.txt.p7s")).unwrap(), b"TEST: somebody's own");
    fs::remove_file(scene.path("out/0002.txt.p7s")).unwrap();
    assert_eq!(scene.count("SELECT count(*) FROM batch"), 0);

    assert_eq!(scene.run_folder(&["--format", "cades"]).code, 0);
    scene.run_folder(&["--format", "cades"]).assert_error(3, "usage");
    scene.run_folder(&["--resume"]).assert_error(3, "usage");
    scene.run("manifest", &["--resume"]).assert_error(3, "usage");
    let lock = fs::File::open(scene.path("out/.rubrica-batch/lock")).unwrap();
    lock.lock().unwrap();
    scene.run_folder(&["--format", "cades", "--resume"]).assert_error(3, "file_unwritable");
    drop(lock);
    scene.write("out/.rubrica-batch/plan.ndjson", b"{}");
    scene.run_folder(&["--format", "cades", "--resume"]).assert_error(3, "file_unreadable");
    assert_eq!(scene.count("SELECT count(*) FROM batch"), 1);
}

#[test]
fn a_token_that_gives_nothing_ends_the_command_and_not_the_batch() {
    let scene = Scene::new();
    scene.texts(5);
    let pin = fs::read_dir(scene.instance.data().join("secrets")).unwrap().map(Result::unwrap);
    let pin = pin.map(|entry| entry.path()).find(|path| path.to_string_lossy().contains("pin")).unwrap();
    let right = fs::read(&pin).unwrap();
    fs::write(&pin, "000000").unwrap();
    let ran = scene.run_folder(&["--format", "cades", "--json"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    let told: Value = serde_json::from_str(&ran.stderr).unwrap();
    assert_eq!(told["error"]["code"], "token_pin_rejected");
    fs::write(&pin, right).unwrap();
    assert_eq!(scene.run_folder(&["--format", "cades", "--resume"]).code, 0);
    assert_eq!(scene.results().len(), 5);
}

#[test]
fn a_terminal_shows_a_bar() {
    let scene = Scene::new();
    scene.texts(300);
    let arguments = scene.arguments("in", &["--key", &scene.key, "--format", "cades"]);
    let line = format!("{} {}", env!("CARGO_BIN_EXE_rubrica"), arguments.join(" "));
    let shown =
        Command::new("script").args(["-qec", &line, "/dev/null"]).stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8_lossy(&shown.stdout);
    assert!(shown.status.success(), "{text}");
    assert!(text.contains("Signing [") && text.contains("/300 "), "{text}");
    assert!(
        text.trim_end().ends_with(&format!("300 of 300 signed -> {}", scene.path("out").display())),
        "{text}"
    );
}
