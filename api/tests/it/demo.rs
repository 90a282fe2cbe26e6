use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use crate::support::{Client, command, memory_folder, rubrica, template};

/// A running demo on a copy-free folder of its own making.
struct Demo {
    process: Child,
    told: Value,
    url: String,
}

impl Demo {
    fn start(data: &std::path::Path, site: &std::path::Path) -> Self {
        let mut process = command()
            .args(["demo", "--json", "--port", "0", "--data"])
            .arg(data)
            .arg("--site")
            .arg(site)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let url = told["url"].as_str().unwrap().to_owned();
        Self { process, told, url }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn the_demo_proves_itself_and_serves_portal_and_people() {
    let folder = memory_folder();
    let site = folder.path().join("site");
    std::fs::create_dir(&site).unwrap();
    std::fs::write(site.join("index.html"), "<!doctype html><title>Portal</title>").unwrap();
    std::fs::write(site.join("rubrica.wasm"), b"\0asm").unwrap();
    let data = folder.path().join("data");
    let first = Demo::start(&data, &site);
    assert!(first.told["proof"].as_str().unwrap().starts_with("Signed and verified a sample PDF"));
    drop(first);
    // The second start uses what the first made.
    let label = std::fs::read(data.join("secrets/token-label")).unwrap();
    let demo = Demo::start(&data, &site);
    assert_eq!(std::fs::read(data.join("secrets/token-label")).unwrap(), label);

    let client = Client::new(&demo.url, None);
    let people = client.get("/demo/people").json();
    let ids: Vec<_> =
        people.as_array().unwrap().iter().map(|person| person["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["ana", "bruno", "padaria", "selo", "elisa"]);
    for person in people.as_array().unwrap() {
        assert!(person["name"].as_str().unwrap().ends_with(" TEST"));
        for language in ["pt-BR", "en", "es"] {
            assert!(!person["description"][language].as_str().unwrap().is_empty());
        }
        let session = client.post("/demo/sessions", &json!({ "person_id": person["id"] }));
        assert_eq!(session.status, 201);
        let token = session.json()["token"].as_str().unwrap().to_owned();
        let custody =
            Client::new(&demo.url, Some(&token)).with("origin", &demo.url).get("/v1/custody").json();
        assert_eq!(custody["custody"] == "hsm", person["custody_hint"] == "hsm", "{custody}");
    }
    client.post("/demo/sessions", &json!({ "person_id": "nobody" })).assert_problem(400, "invalid_request");

    let identities = client.get("/demo/simulator/identities").json();
    assert_eq!(identities.as_array().unwrap().len(), 4);
    assert_eq!(identities[0]["private_key"]["kty"], "RSA");
    assert_eq!(identities[0]["chain"].as_array().unwrap().len(), 2);
    let trust = client.get("/demo/trust.pem");
    assert!(String::from_utf8(trust.body).unwrap().contains("BEGIN CERTIFICATE"));

    let page = client.get("/");
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let policy = page.header("content-security-policy");
    for rule in ["default-src 'self'", "script-src 'self' 'wasm-unsafe-eval'", "frame-ancestors 'none'"] {
        assert!(policy.contains(rule), "{policy}");
    }
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert_eq!(client.get("/rubrica.wasm").header("content-type"), "application/wasm");
    let tag = page.header("etag").to_owned();
    assert_eq!(client.with("if-none-match", &tag).get("/").status, 304);
    client.get("/nothing.js").assert_problem(404, "not_found");
    client.get("/%2e%2e/data/secrets/token-pin").assert_problem(404, "not_found");
    client.send("POST", "/index.html", &[], Some(b"")).assert_problem(405, "method_not_allowed");
    // Under a foreign name nobody gets a session.
    client.with("host", "evil.example").get("/demo/people").assert_problem(403, "forbidden");
}

#[test]
fn only_its_user_can_read_a_demo_folder() {
    use std::os::unix::fs::PermissionsExt;
    let data = template().join("data");
    for (path, mode) in
        [("", 0o700), ("secrets", 0o700), ("secrets/token-pin", 0o600), ("pki/simulator.json", 0o600)]
    {
        let permissions = std::fs::metadata(data.join(path)).unwrap().permissions();
        assert_eq!(permissions.mode() & 0o777, mode, "{path}");
    }
}

#[test]
fn a_folder_that_is_not_a_demo_is_left_alone() {
    let folder = memory_folder();
    std::fs::write(folder.path().join("holiday.jpg"), "x").unwrap();
    rubrica(&["demo", "--port", "0", "--data", folder.path().to_str().unwrap()], &[])
        .assert_error(3, "data_folder_unknown");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_demo_that_cannot_be_made_leaves_nothing_behind() {
    let folder = memory_folder();
    let data = folder.path().join("data");
    let arguments = ["demo", "--port", "0", "--data", data.to_str().unwrap()];
    rubrica(&arguments, &[("RUBRICA_PKCS11_MODULE", "/nonexistent/libsofthsm2.so")])
        .assert_error(3, "pkcs11_module_missing");
    // A library that is no PKCS#11 module.
    rubrica(&arguments, &[("RUBRICA_PKCS11_MODULE", "/proc/self/exe")])
        .assert_error(3, "pkcs11_module_missing");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_folder_that_cannot_be_written_is_told_so() {
    // Not even root can make a folder there.
    rubrica(&["demo", "--port", "0", "--data", "/proc/rubrica-demo"], &[])
        .assert_error(3, "data_folder_unwritable");
}

#[test]
fn a_port_that_is_taken_is_told_so() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let folder = memory_folder();
    let data = folder.path().join("data");
    let ran = rubrica(&["demo", "--port", &port, "--data", data.to_str().unwrap()], &[]);
    ran.assert_error(3, "port_in_use");
    assert!(ran.stderr.contains(&port));
}
