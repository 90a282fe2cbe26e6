//! `rubrica keys generate|csr|certify|import`: the seal of a company, beside a server that runs.

use serde_json::Value;
use tempfile::TempDir;

use crate::enrolment_imports::{File, PASSWORD};
use crate::enrolments::{issue, token_objects};
use crate::hsm_signatures::contract;
use crate::support::{Instance, Ran, SELO, rubrica};

const EC: &str = "EC -pkeyopt ec_paramgen_curve:P-256";

fn keys(instance: &Instance, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
    let data = instance.data();
    let fixed = ["keys"].into_iter().chain(arguments.iter().copied());
    let all: Vec<&str> = fixed.chain(["--data", data.to_str().unwrap()]).collect();
    rubrica(&all, variables)
}

fn generate(instance: &Instance, company: &str) -> Ran {
    let name = ["--name", SELO.1, "--algorithm", "ec", "--json"];
    keys(
        instance,
        &[["generate", "--tenant", "demo-portal", "--company", company].as_slice(), &name].concat(),
        &[],
    )
}

fn signs(instance: &Instance, key: &Value) {
    let session = instance.session(SELO);
    assert_eq!(session.get("/v1/custody").json()["key"]["id"], *key);
    let signature = session.wait(&session.sign_by_token(&session.upload(&contract()), "pades"));
    assert_eq!(signature["state"], "released", "{signature}");
}

#[test]
fn the_seal_of_a_company_is_generated_certified_and_signs() {
    let instance = Instance::start_demo(0);
    let ran = generate(&instance, SELO.0);
    assert_eq!(ran.code, 0, "{ran:?}");
    let enrolment: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        (&enrolment["state"], &enrolment["consent_id"]),
        (&"awaiting_certificate".into(), &Value::Null)
    );
    let id = enrolment["id"].as_str().unwrap();
    let csr = keys(&instance, &["csr", id], &[]);
    assert_eq!((csr.code, csr.stdout.as_str()), (0, enrolment["csr"].as_str().unwrap()), "{csr:?}");

    let folder = TempDir::new().unwrap();
    let certificate = |person: &str| {
        let path = folder.path().join(person);
        std::fs::write(&path, issue(&instance, person, &csr.stdout)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let others = keys(&instance, &["certify", id, &certificate("ana"), "--json"], &[]);
    others.assert_json_error(others.code, "certificate_wrong_person");
    let ran = keys(&instance, &["certify", id, &certificate("selo"), "--json"], &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let done: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(done["certificate"]["holder"]["name"], SELO.1);
    signs(&instance, &done["key_id"]);

    let again = keys(&instance, &["certify", id, &certificate("selo"), "--json"], &[]);
    again.assert_json_error(again.code, "enrolment_state_conflict");
    let unknown = keys(&instance, &["csr", "enr_00112233445566778899aabbccddeeff", "--json"], &[]);
    unknown.assert_json_error(unknown.code, "not_found");
}

#[test]
fn the_seal_of_a_company_is_imported_and_signs() {
    let instance = Instance::start_demo(0);
    let before = token_objects(&instance);
    let folder = TempDir::new().unwrap();
    let write = |person: &str, options: &[&str]| {
        let path = folder.path().join(format!("{person}-{}.pfx", options.len()));
        std::fs::write(&path, File::make(&folder, &instance, person, EC).export(options)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let import = |file: &str, password: &str| {
        let arguments = ["import", file, "--tenant", "demo-portal", "--json"];
        keys(&instance, &arguments, &[("RUBRICA_P12_PASSWORD", password)])
    };
    let weak = ["-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES"];
    for (file, password, code) in [
        (write("selo", &weak), PASSWORD, "p12_weak_cipher"),
        (write("ana", &[]), PASSWORD, "consent_required"),
        (write("selo", &[]), "another", "wrong_password"),
    ] {
        let ran = import(&file, password);
        ran.assert_json_error(ran.code, code);
    }
    assert_eq!(token_objects(&instance), before);
    let ran = import(&write("selo", &[]), PASSWORD);
    assert_eq!(ran.code, 0, "{ran:?}");
    let done: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(done["state"], "completed");
    signs(&instance, &done["key_id"]);
}

#[test]
fn a_bank_that_is_not_accredited_enrols_its_own_companies_only() {
    let rules = "[custody.tenants.demo-portal]\nbasis = \"company\"\nown_companies = [\"00000000000191\"]\n";
    let instance = Instance::start_with_config(rules);
    let refused = generate(&instance, SELO.0);
    refused.assert_json_error(refused.code, "accreditation_required");
    let own = generate(&instance, "00000000000191");
    assert_eq!(own.code, 0, "{own:?}");
    let wrong = generate(&instance, "00000000000192");
    wrong.assert_json_error(wrong.code, "cnpj_invalid");
}
