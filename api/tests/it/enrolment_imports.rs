//! Keys that come in PKCS#12 files, written by OpenSSL.

use std::path::Path;
use std::process::Command;

use base64ct::{Base64, Encoding};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::enrolments::{consent, issue, path, token_objects, told};
use crate::hsm_signatures::contract;
use crate::support::{ANA, Answer, BRUNO, Client, Instance, Options, testdata};

/// Nobody else has it: it can be searched for.
pub(crate) const PASSWORD: &str = "s3nh4-TEST-7f21c9";
/// Of the files of the repository.
const OLD_PASSWORD: &str = "senha-de-teste";

#[test]
fn a_key_in_a_file_is_imported_proves_itself_and_signs() {
    let instance = Instance::start_demo(0);
    let before = token_objects(&instance);
    let folder = TempDir::new().unwrap();
    for (kind, shown) in
        [("RSA -pkeyopt rsa_keygen_bits:2048", "RSA-2048"), ("EC -pkeyopt ec_paramgen_curve:P-256", "P-256")]
    {
        let bruno = instance.session(BRUNO);
        let file = File::make(&folder, &instance, "bruno", kind);
        let answer = import(&bruno, &file.export(&[]), PASSWORD);
        assert_eq!(answer.status, 201, "{answer:?}");
        let done = answer.json();
        assert_eq!((&done["state"], &done["method"]), (&json!("completed"), &json!("import")));
        assert_eq!((&done["csr"], &done["certificate"]["key"]), (&Value::Null, &json!(shown)));
        assert_eq!(bruno.get(&path(&done)).json(), done);
        let key = bruno.get("/v1/custody").json()["key"].clone();
        assert_eq!(key["id"], done["key_id"]);
        let signature = bruno.wait(&bruno.sign_by_token(&bruno.upload(&contract()), "pades"));
        assert_eq!(signature["state"], "released", "{signature}");
        let backend = instance.backend();
        assert_eq!(
            backend.post(&format!("/v1/keys/{}/retire", done["key_id"].as_str().unwrap()), &json!({})).status,
            200
        );
    }
    // A private key and a certificate each: no secret key that unwrapped them.
    assert_eq!(token_objects(&instance), before + 4);
    let of_one = ["consent.given", "enrolment.created", "key.stored", "enrolment.completed", "key.retired"];
    assert_eq!(told(&instance, 10), [of_one, of_one].concat());
    assert_nowhere(&instance, PASSWORD.as_bytes());
}

#[test]
fn what_is_wrong_with_a_file_is_said_and_leaves_nothing_on_the_token() {
    let instance = Instance::start_demo(0);
    let before = token_objects(&instance);
    let folder = TempDir::new().unwrap();
    let bruno = instance.session(BRUNO);
    let ec = "EC -pkeyopt ec_paramgen_curve:P-256";
    let own = File::make(&folder, &instance, "bruno", ec);
    let read = |name: &str| std::fs::read(testdata(name)).unwrap();
    let of_core = |name: &str| read(&format!("../../core/testdata/pkcs12/{name}"));
    let others = File::make(&folder, &instance, "ana", ec).export(&[]);
    for (what, file, password, code) in [
        ("another password", own.export(&[]), "another", "wrong_password"),
        (
            "Triple DES",
            own.export(&["-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES"]),
            PASSWORD,
            "p12_weak_cipher",
        ),
        ("RC2", read("signer-legacy.p12"), OLD_PASSWORD, "p12_weak_cipher"),
        ("two keys", of_core("two-keys.p12"), OLD_PASSWORD, "p12_several_keys"),
        ("no key", read("no-key.p12"), OLD_PASSWORD, "p12_malformed"),
        ("a PDF", read("contract.pdf"), PASSWORD, "p12_malformed"),
        ("somebody else's", others, PASSWORD, "certificate_wrong_person"),
        ("expired", read("expired.p12"), OLD_PASSWORD, "certificate_expired"),
        ("for encryption only", own.with_usage("keyEncipherment"), PASSWORD, "certificate_wrong_usage"),
        ("of no authority", own.with_usage("digitalSignature"), PASSWORD, "certificate_untrusted"),
        ("another key's certificate", of_another_key(&folder), PASSWORD, "certificate_key_mismatch"),
    ] {
        let answer = import(&bruno, &file, password);
        let shown = String::from_utf8_lossy(&answer.body).into_owned();
        assert_eq!((answer.status, answer.json()["code"].as_str()), (422, Some(code)), "{what}: {shown}");
        assert!(!shown.contains(password), "{what}");
    }
    assert_eq!(token_objects(&instance), before);
    assert_eq!(bruno.get("/v1/enrolments").json()["items"], json!([]));
    assert_nowhere(&instance, PASSWORD.as_bytes());

    let consent = consent(&bruno);
    let begin = |body: Value| bruno.post("/v1/enrolments", &body);
    let file = json!({ "file": "MA==", "password": PASSWORD });
    let (generate, import) = ("generate", "import");
    begin(json!({ "method": import, "consent_id": consent })).assert_problem(400, "invalid_request");
    begin(json!({ "method": generate, "consent_id": consent, "pkcs12": file }))
        .assert_problem(400, "invalid_request");
    begin(json!({ "method": import, "consent_id": consent, "pkcs12": file, "algorithm": "ec" }))
        .assert_problem(400, "invalid_request");
    let file = json!({ "file": "%", "password": PASSWORD });
    begin(json!({ "method": import, "consent_id": consent, "pkcs12": file }))
        .assert_problem(400, "invalid_request");
}

#[test]
fn an_import_that_is_sent_again_is_done_once() {
    let instance = Instance::start_demo(0);
    let folder = TempDir::new().unwrap();
    let bruno = instance.session(BRUNO);
    let file = File::make(&folder, &instance, "bruno", "EC -pkeyopt ec_paramgen_curve:P-256").export(&[]);
    let body = json!({ "method": "import", "consent_id": consent(&bruno),
                       "pkcs12": { "file": Base64::encode_string(&file), "password": PASSWORD } })
    .to_string();
    let headers = [("content-type", "application/json"), ("idempotency-key", "TEST-1")];
    let send = || bruno.send("POST", "/v1/enrolments", &headers, Some(body.as_bytes()));
    let first = send();
    assert_eq!(first.status, 201, "{first:?}");
    assert_eq!(send().json(), first.json());
    assert_eq!(bruno.get("/v1/enrolments").json()["items"].as_array().unwrap().len(), 1);
}

#[test]
fn where_imports_are_not_offered_no_file_is_opened() {
    let rules = "[custody.tenants.demo-portal]\noffers = [\"hsm_generate\"]\n";
    let instance = Instance::start_with_config(rules);
    import(&instance.session(ANA), b"TEST", PASSWORD).assert_problem(403, "forbidden");
}

#[test]
fn a_killed_import_leaves_no_key() {
    let mut instance = Instance::start_demo(0);
    let before = token_objects(&instance);
    let folder = TempDir::new().unwrap();
    let bruno = instance.session(BRUNO);
    let file = File::make(&folder, &instance, "bruno", "EC -pkeyopt ec_paramgen_curve:P-256").export(&[]);
    let done = import(&bruno, &file, PASSWORD).json();
    assert_eq!(done["state"], "completed", "{done}");
    instance.kill();
    // As it is when the key is on the token and nobody has written so.
    let database = instance.database();
    database.execute("UPDATE enrolment SET state = 'creating', key_id = NULL, is_clean = 0", []).unwrap();
    database.execute("DELETE FROM signing_key WHERE id = ?1", [done["key_id"].as_str().unwrap()]).unwrap();
    assert_eq!(token_objects(&instance), before + 2);
    instance.run(&Options::default());
    crate::enrolments::wait_until(|| token_objects(&instance) == before);
    assert_eq!(instance.session(BRUNO).get(&path(&done)).json()["state"], "failed");
}

/// A key with a certificate of the demo's authority.
pub(crate) struct File<'a> {
    folder: &'a Path,
    name: String,
}

impl<'a> File<'a> {
    pub(crate) fn make(folder: &'a TempDir, instance: &Instance, person: &str, kind: &str) -> Self {
        let folder = folder.path();
        let file = Self { folder, name: format!("{person}-{}", &kind[..2]) };
        let (key, csr) = (file.path("key"), file.path("csr"));
        let kind: Vec<&str> = kind.split(' ').collect();
        openssl(folder, &[&["genpkey", "-out", &key, "-algorithm"], kind.as_slice()].concat());
        openssl(folder, &["req", "-new", "-key", &key, "-subj", "/CN=TEST", "-out", &csr]);
        let certificate = issue(instance, person, &std::fs::read_to_string(folder.join(&csr)).unwrap());
        std::fs::write(folder.join(file.path("pem")), certificate).unwrap();
        file
    }

    fn path(&self, ending: &str) -> String {
        format!("{}.{ending}", self.name)
    }

    pub(crate) fn export(&self, options: &[&str]) -> Vec<u8> {
        self.export_with(&self.path("pem"), options)
    }

    fn export_with(&self, certificate: &str, options: &[&str]) -> Vec<u8> {
        let (key, out, password) = (self.path("key"), self.path("p12"), format!("pass:{PASSWORD}"));
        let fixed =
            ["pkcs12", "-export", "-inkey", &key, "-in", certificate, "-out", &out, "-passout", &password];
        openssl(self.folder, &[&fixed, options].concat());
        std::fs::read(self.folder.join(&out)).unwrap()
    }

    /// With a certificate of its own making.
    fn with_usage(&self, usage: &str) -> Vec<u8> {
        let (key, csr, own) = (self.path("key"), self.path("csr"), self.path("own.pem"));
        let extensions = format!("basicConstraints=critical,CA:FALSE\nkeyUsage=critical,{usage}\n");
        std::fs::write(self.folder.join("extensions"), extensions).unwrap();
        let issue = ["x509", "-req", "-in", &csr, "-signkey", &key, "-days", "30", "-extfile", "extensions"];
        openssl(self.folder, &[&issue, ["-out", own.as_str()].as_slice()].concat());
        self.export_with(&own, &[])
    }
}

/// A key, and a certificate of `bruno-EC` that is for another one: OpenSSL refuses to write both into one file, and two files are
/// joined.
fn of_another_key(folder: &TempDir) -> Vec<u8> {
    let script = testdata("../../core/testdata/pkcs12/join.py");
    let (folder, password) = (folder.path(), format!("pass:{PASSWORD}"));
    let curve = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
    openssl(folder, &[&["genpkey", "-out", "other.key"], curve.as_slice()].concat());
    let key_only = [
        "pkcs12",
        "-export",
        "-nocerts",
        "-inkey",
        "other.key",
        "-out",
        "key-only.p12",
        "-passout",
        &password,
    ];
    openssl(folder, &key_only);
    let certificate_only = [
        "pkcs12",
        "-export",
        "-nokeys",
        "-in",
        "bruno-EC.pem",
        "-out",
        "certificate-only.p12",
        "-passout",
        &password,
    ];
    openssl(folder, &certificate_only);
    let ran = Command::new("python3")
        .arg(script)
        .args([PASSWORD, "mixed.p12", "key-only.p12", "certificate-only.p12"])
        .current_dir(folder)
        .status()
        .unwrap();
    assert!(ran.success());
    std::fs::read(folder.join("mixed.p12")).unwrap()
}

#[track_caller]
fn openssl(folder: &Path, arguments: &[&str]) {
    let output = Command::new("openssl").args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

pub(crate) fn import(client: &Client, file: &[u8], password: &str) -> Answer {
    let body = json!({ "method": "import", "consent_id": consent(client),
                       "pkcs12": { "file": Base64::encode_string(file), "password": password } });
    client.post("/v1/enrolments", &body)
}

/// Neither in a file of the instance nor in its log.
fn assert_nowhere(instance: &Instance, secret: &[u8]) {
    fn search(folder: &Path, secret: &[u8]) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                search(&path, secret);
            } else if let Ok(bytes) = std::fs::read(&path) {
                assert!(!bytes.windows(secret.len()).any(|window| window == secret), "{}", path.display());
            }
        }
    }
    search(&instance.data(), secret);
    assert!(!instance.log().as_bytes().windows(secret.len()).any(|window| window == secret));
}
