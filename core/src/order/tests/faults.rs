use serde_json::{Value, json};

use super::at;
use crate::order::{check_order, positions};
use crate::wire::{CreateOrder, OrderFlow};

fn order(change: impl FnOnce(&mut Value)) -> CreateOrder {
    let mut order = json!({
        "title": "Contrato TEST",
        "documents": ["doc_1", "doc_2"],
        "participants": [
            { "signer": { "identifier": "52998224725", "name": "ANA TEST" }, "role": "buyer" },
            { "signer": { "identifier": "11222333000181", "name": "EMPRESA TEST" } },
        ],
        "flow": "sequence",
        "rules": { "format": "cades", "policy": "ad_rb", "custodies": ["hsm"] },
        "deadline": "2026-12-01T00:00:00Z",
        "reminders_hours": [24, 1],
        "metadata": { "agencia": "0001" },
    });
    change(&mut order);
    serde_json::from_value(order).unwrap()
}

fn faults(change: impl FnOnce(&mut Value)) -> Vec<String> {
    let faults = check_order(&order(change), at(0));
    assert!(faults.iter().all(|fault| !fault.detail.contains("52998224724")));
    faults.into_iter().map(|fault| fault.pointer).collect()
}

#[test]
fn an_order_as_documented_has_no_faults() {
    assert_eq!(faults(|_| ()), [""; 0]);
    let order = order(|_| ());
    assert!(order.participants[0].must_sign);
    assert_eq!(positions(&order), [1, 2]);
}

#[test]
fn positions_are_those_given_or_the_places_in_the_list() {
    let given = order(|order| {
        order["participants"][0]["position"] = json!(2);
        order["participants"][1]["position"] = json!(2);
    });
    assert_eq!(positions(&given), [2, 2]);
    let parallel = order(|order| order["flow"] = json!("parallel"));
    assert_eq!((parallel.flow, positions(&parallel)), (OrderFlow::Parallel, vec![1, 1]));
}

#[test]
fn every_fault_names_its_member() {
    let long = "x".repeat(201);
    type Change<'a> = &'a dyn Fn(&mut Value);
    let cases: &[(Change<'_>, &str)] = &[
        (&|it| it["title"] = json!(" "), "/title"),
        (&|it| it["title"] = json!(long), "/title"),
        (&|it| it["title"] = json!("a\nb"), "/title"),
        (&|it| it["reference"] = json!(""), "/reference"),
        (&|it| it["reference"] = json!("x".repeat(129)), "/reference"),
        (&|it| it["documents"] = json!([]), "/documents"),
        (&|it| it["documents"] = json!((0..51).map(|n| n.to_string()).collect::<Vec<_>>()), "/documents"),
        (&|it| it["documents"] = json!(["doc_1", "doc_1"]), "/documents/1"),
        (&|it| it["participants"] = json!([]), "/participants"),
        (&|it| it["participants"] = json!(vec![it["participants"][0].clone(); 51]), "/participants"),
        (
            &|it| it["participants"][1]["signer"]["identifier"] = json!("52998224724"),
            "/participants/1/signer/identifier",
        ),
        (&|it| it["participants"][0]["signer"]["name"] = json!(""), "/participants/0/signer/name"),
        (&|it| it["participants"][0]["role"] = json!("x".repeat(65)), "/participants/0/role"),
        (&|it| it["participants"][0]["custodies"] = json!([]), "/participants/0/custodies"),
        (&|it| it["participants"][0]["custodies"] = json!(["local"]), "/participants/0/custodies"),
        (&|it| it["participants"][1]["must_sign"] = json!(false), "/participants/1/position"),
        (&|it| it["participants"][1]["position"] = json!(1), "/participants/1/position"),
        (&|it| it["rules"]["custodies"] = json!([]), "/rules/custodies"),
        (&|it| it["deadline"] = json!("2026-11-23T12:00:00Z"), "/deadline"),
        (&|it| drop(it.as_object_mut().unwrap().remove("deadline")), "/reminders_hours"),
        (&|it| it["reminders_hours"] = json!((1..=11).collect::<Vec<_>>()), "/reminders_hours"),
        (&|it| it["reminders_hours"] = json!([24, 24]), "/reminders_hours/1"),
        (&|it| it["reminders_hours"] = json!([0]), "/reminders_hours/0"),
        (&|it| it["reminders_hours"] = json!([8761]), "/reminders_hours/0"),
        (&|it| it["metadata"] = json!({ "": "x" }), "/metadata"),
        (&|it| it["metadata"] = json!({ "a": "x".repeat(513) }), "/metadata"),
        (&|it| it["metadata"] = (0..33).map(|n| (n.to_string(), json!("x"))).collect(), "/metadata"),
    ];
    for (change, pointer) in cases {
        let found = faults(change);
        assert!(found.iter().any(|found| found == pointer), "{pointer}: {found:?}");
    }
    let nobody = faults(|order| {
        order["participants"][0]["must_sign"] = json!(false);
        order["participants"][1]["must_sign"] = json!(false);
    });
    assert_eq!(nobody, ["/participants"]);
    let parallel = faults(|order| {
        order["flow"] = json!("parallel");
        order["participants"][0]["position"] = json!(1);
    });
    assert_eq!(parallel, ["/participants/0/position"]);
    for position in [0, 51] {
        let found = faults(|order| {
            order["participants"][0]["position"] = json!(position);
            order["participants"][1]["position"] = json!(position);
        });
        assert_eq!(found, ["/participants/0/position", "/participants/1/position"]);
    }
}

#[test]
fn unknown_members_of_an_order_are_refused() {
    let mut body = serde_json::to_value(order(|_| ())).unwrap();
    body["surprise"] = json!(1);
    assert!(serde_json::from_value::<CreateOrder>(body).is_err());
}
