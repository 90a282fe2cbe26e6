use super::*;
use crate::testing::{self, Issue, extension};
use crate::tlv::{encode, tag};
use crate::x509::Certificate;

#[test]
fn numbers_with_right_check_digits_are_accepted() {
    for (text, masked) in [
        ("52998224725", "***.982.247-**"),
        ("11144477735", "***.444.777-**"),
        ("12345678909", "***.456.789-**"),
        ("11222333000181", "**.222.333/****-**"),
        ("00000000000191", "**.000.000/****-**"),
        ("12ABC34501DE35", "**.ABC.345/****-**"),
    ] {
        let identifier = text.parse::<Identifier>().unwrap();
        assert_eq!(identifier.as_str(), text);
        assert_eq!(identifier.masked(), masked);
    }
}

#[test]
fn wrong_check_digits_and_other_forms_are_refused_each_with_its_own_code() {
    use InvalidIdentifier as Invalid;
    for (text, expected) in [
        ("", Invalid::Length),
        ("52998224724", Invalid::Cpf),
        ("52998224735", Invalid::Cpf),
        ("5299822472", Invalid::Length),
        ("529.982.247-25", Invalid::Cnpj),
        ("11111111111", Invalid::Cpf),
        ("00000000000", Invalid::Cpf),
        ("5299822472A", Invalid::Cpf),
        ("11222333000180", Invalid::Cnpj),
        ("11222333000191", Invalid::Cnpj),
        ("00000000000000", Invalid::Cnpj),
        ("12abc34501de35", Invalid::Cnpj),
        ("12ABC34501DEA5", Invalid::Cnpj),
        ("12ABC34501DE36", Invalid::Cnpj),
        ("11.222.333/0001-81", Invalid::Length),
        ("5299822472٥", Invalid::Length),
        ("1122233300018é", Invalid::Length),
    ] {
        assert_eq!(text.parse::<Identifier>(), Err(expected), "{text}");
    }
    let codes = [Invalid::Cpf, Invalid::Cnpj, Invalid::Length].map(|invalid| invalid.code());
    assert_eq!(codes, [ErrorCode::CpfInvalid, ErrorCode::CnpjInvalid, ErrorCode::InvalidRequest]);
}

#[test]
fn debug_and_display_never_show_the_number() {
    let person = "52998224725".parse::<Identifier>().unwrap();
    let company = "11222333000181".parse::<Identifier>().unwrap();
    let printed = format!("{person:?} {person} {company:?} {company}");
    assert_eq!(printed, "***.982.247-** ***.982.247-** **.222.333/****-** **.222.333/****-**");
    let holder = testing::ana();
    let printed = format!("{holder:?} {:?} {:?}", holder.identity(), holder.view());
    assert!(!printed.contains("52998224725") && !printed.contains("01011980"), "{printed}");
}

#[test]
fn both_generations_of_people_and_companies_are_read() {
    for (certificate, name, identifier, responsible, icp_type) in [
        (testing::ana(), "ANA DA SILVA TEST", "52998224725", None, "A3"),
        (testing::bruno(), "BRUNO SOUZA TEST", "11144477735", None, "A3"),
        (testing::padaria(), "PADARIA TEST LTDA", "11222333000181", Some("52998224725"), "A1"),
        (testing::selo(), "SELO TEST SA", "12ABC34501DE35", None, "SE-H"),
    ] {
        let identity = certificate.identity();
        assert_eq!(identity.name, name);
        assert_eq!(identity.identifier.as_ref().map(Identifier::as_str), Some(identifier));
        assert_eq!(identity.identifier_in_name, identity.identifier);
        assert_eq!(identity.responsible.as_ref().map(Cpf::as_str), responsible);
        assert_eq!(identity.icp_type.map(IcpType::as_str), Some(icp_type));
        assert!(!identity.contradictory);
    }
}

#[test]
fn a_certificate_outside_icp_brasil_has_a_name_only() {
    let identity = Issue::holder("Alice: Bob", 1, "CA", 2).certificate().identity();
    assert_eq!(identity.name, "Alice: Bob");
    assert_eq!(identity.shown_identifier(), None);
    assert_eq!(identity.icp_type, None);
}

#[test]
fn a_number_in_the_name_is_shown_but_not_bound() {
    let identity = Issue::holder("ANA TEST:52998224725", 1, "CA", 2).certificate().identity();
    assert_eq!(identity.identifier, None);
    assert_eq!(identity.shown_identifier().map(Identifier::masked).as_deref(), Some("***.982.247-**"));
    // Wrong check digits: not an identifier, yet taken off the name.
    let view = Issue::holder("ANA TEST:52998224700", 1, "CA", 2).certificate().view();
    assert_eq!((&view.holder.name[..], view.holder.identifier_masked), ("ANA TEST", None));
}

#[test]
fn places_that_disagree_bind_nobody() {
    let ana = b"01011980529982247250000000000000000000000000 ";
    let bruno = b"02021990111444777350000000000000000000000000 ";
    for (names, contradictory, bound) in [
        (vec![other_name("2.16.76.1.3.1", tag::OCTET_STRING, ana)], false, Some("52998224725")),
        // IA5String and UTF8String occur in the field.
        (vec![other_name("2.16.76.1.3.1", 0x16, ana)], false, Some("52998224725")),
        (vec![other_name("2.16.76.1.3.1", 0x0c, ana)], false, Some("52998224725")),
        // The issuer of the RG in Latin-1.
        (
            vec![other_name("2.16.76.1.3.1", tag::OCTET_STRING, &[&ana[..], b"\xc7\xc3SP"].concat())],
            false,
            Some("52998224725"),
        ),
        // Zeros mean "not available".
        (vec![other_name("2.16.76.1.3.1", tag::OCTET_STRING, &[b'0'; 45])], false, None),
        (vec![other_name("2.16.76.1.3.1", tag::OCTET_STRING, b"short")], false, None),
        (
            vec![
                other_name("2.16.76.1.3.1", tag::OCTET_STRING, ana),
                other_name("2.16.76.1.3.1", tag::OCTET_STRING, bruno),
            ],
            true,
            None,
        ),
        // A company's number comes before the one of its responsible person.
        (
            vec![
                other_name("2.16.76.1.3.4", tag::OCTET_STRING, ana),
                other_name("2.16.76.1.3.3", tag::OCTET_STRING, b"11222333000181"),
            ],
            false,
            Some("11222333000181"),
        ),
    ] {
        let identity = with_names("HOLDER TEST", &names).identity();
        assert_eq!(identity.contradictory, contradictory);
        assert_eq!(identity.identifier.as_ref().map(Identifier::as_str), bound);
    }
}

#[test]
fn subject_and_alternative_name_that_disagree_bind_nobody() {
    let subject_with_number = {
        let number = encode(
            tag::SEQUENCE,
            &[&encode(tag::OID, &[crate::oid::SERIAL_NUMBER.as_bytes()]), &encode(0x13, &[b"11144477735"])],
        );
        encode(tag::SEQUENCE, &[&encode(tag::SET, &[&number])])
    };
    let ana = b"010119805299822472500000000000000000000000000";
    let names = [other_name("2.16.76.1.3.1", tag::OCTET_STRING, ana)];
    let mut issue = Issue::holder("X", 1, "CA", 2).with(subject_alt_name(&names));
    issue.subject = subject_with_number;
    let identity = issue.certificate().identity();
    assert!(identity.contradictory);
    assert_eq!((identity.identifier.as_ref(), identity.shown_identifier()), (None, None));
}

#[test]
fn types_are_told_apart_by_arcs_not_by_text() {
    for (policy, expected) in [
        ("2.16.76.1.2.1.51", Some("A1")),
        ("2.16.76.1.2.101.1", Some("S1")),
        ("2.16.76.1.2.3.10", Some("A3")),
        ("2.16.76.1.2.201.4", Some("SE-S")),
        ("2.16.76.1.2.304.1", Some("T4")),
        ("2.16.76.1.2.550.1", Some("OM-BR")),
        ("2.16.76.1.2.3", None),
        ("2.16.76.1.2.999.1", None),
        ("2.16.76.1.1.0", None),
        ("1.2.3.4", None),
    ] {
        let oid = const_oid::ObjectIdentifier::new_unwrap(policy);
        assert_eq!(IcpType::from_policy(oid.as_bytes()).map(IcpType::as_str), expected, "{policy}");
    }
    assert!(IcpType::SeH.is_seal() && !IcpType::A3.is_seal());
    assert_eq!(IcpType::from_policy(&[0x60, 0x4c, 0x81]), None);
}

fn other_name(kind: &str, value_tag: u8, value: &[u8]) -> Vec<u8> {
    let kind = const_oid::ObjectIdentifier::new_unwrap(kind);
    let value = encode(tag::context_constructed(0), &[&encode(value_tag, &[value])]);
    encode(tag::context_constructed(0), &[&encode(tag::OID, &[kind.as_bytes()]), &value])
}

fn subject_alt_name(names: &[Vec<u8>]) -> Vec<u8> {
    let email = encode(tag::context(1), &[b"someone@test.invalid"]);
    let names = encode(tag::SEQUENCE, &[&email, &names.concat()]);
    extension(crate::oid::SUBJECT_ALT_NAME, false, &names)
}

fn with_names(subject: &str, names: &[Vec<u8>]) -> Certificate {
    Issue::holder(subject, 1, "CA", 2).with(subject_alt_name(names)).certificate()
}
