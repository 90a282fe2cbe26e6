//! Keys at cloud services, against the stand-ins.

mod custody;
mod faults;
mod outages;
mod permissions;
mod signing;

use serde_json::{Value, json};

use crate::hsm_signatures::contract;
use crate::support::cloud::StandIn;
use crate::support::{BRUNO, Client, Instance};

/// Every kind of service, in every way of speaking that we know of.
fn services() -> [StandIn; 3] {
    [
        StandIn::cloudhub(),
        StandIn::psc("base64", "form", &[]),
        StandIn::psc("hex", "json", &["--wrapped", "--base-path", "/TEST/v0/oauth"]),
    ]
}

/// An instance with its cloud, and a document of Bruno's in a session.
fn scene_with(cloud: StandIn) -> (StandIn, Instance, Client, String) {
    let instance = cloud.instance("");
    let session = instance.session(BRUNO);
    let document = session.upload(&contract());
    (cloud, instance, session, document)
}

fn scene() -> (StandIn, Instance, Client, String) {
    scene_with(StandIn::cloudhub())
}

fn request(document: &str, format: &str, authorization: &str) -> Value {
    json!({ "document_id": document, "custody": "lacuna", "format": format, "authorization_id": authorization })
}

#[track_caller]
fn begin(session: &Client, document: &str, format: &str, authorization: &str) -> String {
    let answer = session.post("/v1/signatures", &request(document, format, authorization));
    assert_eq!(answer.status, 202, "{answer:?}");
    answer.json()["id"].as_str().unwrap().to_owned()
}

#[track_caller]
fn state(session: &Client, authorization: &str) -> Value {
    session.get(&format!("/v1/authorizations/{authorization}")).json()["state"].clone()
}

fn complete(id: &str) -> String {
    format!("/v1/authorizations/{id}/complete")
}

/// Secrets that the database still holds, sealed.
fn secrets(instance: &Instance) -> i64 {
    let count = "SELECT count(*) FROM cloud_authorization WHERE sealed IS NOT NULL";
    instance.database().query_row(count, [], |row| row.get(0)).unwrap()
}
