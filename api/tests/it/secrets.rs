//! That the search for secrets, which every instance of these tests ends with, finds what it must.

use serde_json::json;

use crate::support::{ANA, Instance, Options, postgres};

#[test]
fn a_token_in_the_database_a_cpf_in_an_event_and_a_document_in_one_are_found() {
    let mut instance = Instance::start();
    let client = instance.session(ANA);
    assert_eq!(instance.findings(), [""; 0]);
    let token = client.token.as_deref().unwrap();
    let database = instance.database();
    database.execute("UPDATE session SET signer_masked = ?1", [token]).unwrap();
    let data = json!({ "signer": "529.982.247-25", "document": "%PDF-1.7" }).to_string();
    database
        .execute(
            "INSERT INTO event (sequence, position, count, releases, first_leaf, events, written_at)
             VALUES (99999, 99999, 1, 0, 0, ?1, 0)",
            [data],
        )
        .unwrap();
    let found = instance.findings();
    for (place, what) in
        [("the database", "a secret"), ("the events", "the CPF 529"), ("the events", "a document")]
    {
        assert!(found.iter().any(|text| text.starts_with(place) && text.contains(what)), "{found:?}");
    }
    instance.leaks_on_purpose();
}

#[test]
fn a_token_in_postgresql_is_found_as_text_and_as_bytes() {
    let address = postgres::shared().database();
    let mut instance = Instance::start_moved_to(
        &address,
        &Options { variables: &[("RUBRICA_STORE_URL", address.as_str())] },
    );
    let client = instance.session(ANA);
    assert_eq!(instance.findings(), [""; 0]);
    let token = client.token.as_deref().unwrap();
    postgres::psql(&address, &format!("CREATE TABLE leak_test AS SELECT '{token}'::text"));
    assert_eq!(instance.findings().len(), 1);
    postgres::psql(
        &address,
        &format!("DROP TABLE leak_test; CREATE TABLE leak_test AS SELECT '{token}'::bytea"),
    );
    assert_eq!(instance.findings().len(), 1);
    instance.leaks_on_purpose();
}
