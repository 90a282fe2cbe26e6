//! Signatures under an ICP-Brasil policy (DOC-ICP-15.03, PAdES families).

use super::*;
use crate::cms::{SignedAttributes, SignedData};
use crate::icp_brasil::signature_policy::{Family, Profile, by_oid, current};

fn under(family: Family, profile: Profile) -> Options {
    Options { policy: current(family, profile), ..options() }
}

#[test]
fn the_attributes_name_the_policy_and_not_the_time() {
    for profile in [Profile::Rb, Profile::Rt, Profile::Rc, Profile::Ra] {
        let file = Sample::new().table();
        let options = under(Family::Pades, profile);
        let plan = prepare(&file, &signer(), &[], &options).unwrap();
        let attributes = SignedAttributes::parse(plan.signed_attributes()).unwrap();
        assert_eq!(attributes.signature_policy().unwrap().oid, options.policy.unwrap().oid);
        assert_eq!(attributes.signing_time(), None);
        let cms = SignedData::parse(&plan.assemble(&value(&plan)).unwrap()).unwrap();
        assert_eq!(cms.signers().len(), 1);
    }
}

#[test]
fn a_policy_that_does_not_fit_is_refused() {
    let check = |options: &Options| {
        let error = prepare(&Sample::new().table(), &signer(), &[], options).unwrap_err();
        assert_eq!(error.code(), ErrorCode::PolicyNotApplicable, "{error}");
    };
    check(&under(Family::Cades, Profile::Rb));
    let good = under(Family::Pades, Profile::Rb);
    check(&Options { reason: Some("Aprovo".to_owned()), ..good.clone() });
    check(&Options { signing_time: "2024-01-01T00:00:00Z".parse().unwrap(), ..good.clone() });
    check(&Options { signing_time: "2040-01-01T00:00:00Z".parse().unwrap(), ..good.clone() });
    // Names with a trailing space in the required values: replaced after six weeks.
    check(&Options { policy: by_oid("2.16.76.1.7.1.11.1.2"), ..good.clone() });
    // ECDSA is allowed since 2025 only.
    check(&Options { policy: by_oid("2.16.76.1.7.1.11.1.1"), ..good });
}

#[test]
fn other_texts_may_stand_beside_a_policy() {
    let options = Options {
        location: Some("Recife".to_owned()),
        contact: Some("x".to_owned()),
        sub_filter: SubFilter::Pbad,
        ..under(Family::Pades, Profile::Rb)
    };
    let signed = sign_with(&Sample::new().table(), &options).unwrap();
    assert!(find(&signed, b"/SubFilter /PBAD.PAdES/M (D:20270228093005Z)/Location (Recife)").is_some());
    assert!(find(&signed, b"/Cert ").is_none() && find(&signed, b"/Reason").is_none());
}
